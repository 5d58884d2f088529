import fcntl
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from feed_newsroom import Newsroom
from lxml import html

from feeds.criteria import Criteria
from feeds.paths import FORMATS, path_of
from feeds.render import FeedInfo, make_feed
from publisher.errors import StateError
from publisher.usecases import feed_documents
from publisher.usecases.feed_tree import build_static
from publisher.usecases.feeds import list_feeds, read_catalogue


def test_every_feed_becomes_a_file_with_the_bytes_that_are_served(
    newsroom: Newsroom, client: httpx.Client, tmp_path: Path
) -> None:
    # given
    newsroom.put(1)
    newsroom.put(2, language="fr")
    # when
    report = build_static(newsroom.app, tmp_path / "www")
    # then
    themes, regions, languages = 7, 7, 4
    pages = ["index.html", "en/index.html", "fr/index.html", "ru/index.html"]
    assert len(report.written) == (1 + themes) * (1 + regions) * languages * (len(FORMATS) + 1) + len(pages) + 7
    for name in ("all/all.atom", "fr/theme/asylum.rss", "ru/region/africa.json", "en/theme/asylum/region/africa.atom"):
        assert (tmp_path / "www/feeds" / name).read_bytes() == client.get(f"/feeds/{name}").content
    for name in ("all/all.html", "ru/theme/asylum.html", "en/theme/asylum/region/africa.html"):
        assert (tmp_path / "www/feeds" / name).read_bytes() == client.get(f"/feeds/{name}").content
    assert (tmp_path / "www/feeds/index.opml").read_bytes() == client.get("/feeds/index.opml").content
    assert (tmp_path / "www/static/style.css").is_file()


def test_pages_that_are_files_lead_to_files_only(newsroom: Newsroom, tmp_path: Path) -> None:
    # given
    newsroom.put(1)
    # when
    build_static(newsroom.app, tmp_path)
    # then
    pages = list((tmp_path / "feeds").rglob("*.html"))
    assert len(pages) == 260
    for page in pages[::10]:
        root = html.fromstring(page.read_bytes())
        assert not root.xpath("//form")
        for address in root.xpath("//a/@href | //link[@rel='stylesheet']/@href | //script/@src"):
            if not address.startswith(("https:", "webcal:", "#")):
                target = (page.parent / address).resolve()
                assert (target / "index.html" if address.endswith("/") else target).is_file(), address


def test_a_second_build_touches_only_what_changed(newsroom: Newsroom, tmp_path: Path) -> None:
    # given
    newsroom.put(1)
    build_static(newsroom.app, tmp_path)
    before = moments(tmp_path)
    # when
    unchanged = build_static(newsroom.app, tmp_path)
    newsroom.change(1, language="fr", updated_at=newsroom.app.clock())
    changed = build_static(newsroom.app, tmp_path)
    # then
    assert unchanged.written == ()
    after = moments(tmp_path)
    touched = {name for name in after if after[name] != before[name]}
    assert touched == {name + suffix for name in changed.written for suffix in ("", ".br", ".gz", ".zst")}
    assert {name.split("/")[1] for name in changed.written} == {"all", "en", "fr"}


def test_feeds_that_are_no_more_are_removed_and_nothing_else(newsroom: Newsroom, tmp_path: Path) -> None:
    # given
    others = ["index.html", "feeds/all/notes.json", "feeds/all/theme/asylum.txt", "feeds/own/deep/er/x.atom"]
    old = ["feeds/all/theme/retired.atom", "feeds/de/all.rss", "feeds/de/region/africa.json"]
    unfinished = "feeds/all/theme/.retired.atom.unfinished"
    for name in [*others, *old, unfinished]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    # when
    report = build_static(newsroom.app, tmp_path)
    # then
    assert sorted(report.removed) == sorted(old)
    assert not any((tmp_path / name).exists() for name in [*old, unfinished, "feeds/de"])
    assert all((tmp_path / name).read_text() == "mine" for name in others)


def test_a_feed_that_cannot_be_rendered_keeps_its_files(
    newsroom: Newsroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    newsroom.put(1)
    build_static(newsroom.app, tmp_path)
    newsroom.put(2, language="fr")
    good = (tmp_path / "feeds/fr/all.rss").read_bytes()

    def break_french(info: FeedInfo, *rest: object) -> object:
        if info.name == "feeds/fr/all":
            raise ValueError("broken")
        return make_feed(info, *rest)

    monkeypatch.setattr(feed_documents, "make_feed", break_french)
    # when
    report = build_static(newsroom.app, tmp_path)
    # then
    assert report.failed == ("Feed feeds/fr/all cannot be rendered: broken. See its items: publisher items",)
    assert (tmp_path / "feeds/fr/all.rss").read_bytes() == good
    assert b"line 2" in (tmp_path / "feeds/all/all.rss").read_bytes()


def test_a_build_that_is_killed_leaves_whole_files(newsroom: Newsroom, tmp_path: Path) -> None:
    # given
    tree = tmp_path / "www"
    newsroom.put(1)
    build_static(newsroom.app, tree)
    old = {name: (tree / name).read_bytes() for name in moments(tree)}
    newsroom.put(2)
    # when
    killed = build_and_die(newsroom, tree, passing=5)
    # then
    assert killed.returncode == 137, killed.stderr
    unfinished = list(tree.rglob("*.unfinished"))
    assert unfinished
    after = {name: (tree / name).read_bytes() for name in old}
    changed = [name for name in old if after[name] != old[name]]
    assert len(changed) == 4
    # and the next build ends as if nothing had happened
    build_static(newsroom.app, tree)
    assert not any(file.exists() for file in unfinished)
    assert all((tree / name).read_bytes() == after[name] for name in changed)
    assert b"line 2" in (tree / "feeds/en/all.atom").read_bytes()


def test_two_builds_do_not_write_one_directory(newsroom: Newsroom, tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    with (tmp_path / "feeds/.build.lock").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StateError, match="Another build"):
            build_static(newsroom.app, tmp_path)


def test_progress_is_told_feed_by_feed(newsroom: Newsroom, tmp_path: Path) -> None:
    # given
    steps: list[tuple[int, int]] = []
    # when
    build_static(newsroom.app, tmp_path, on_progress=lambda done, total: steps.append((done, total)))
    # then
    total = len(list(list_feeds(read_catalogue(newsroom.app))))
    assert steps == [(done, total) for done in range(1, total + 1)]


def test_every_listed_feed_has_a_path_without_a_query(newsroom: Newsroom) -> None:
    # when
    listed = list(list_feeds(read_catalogue(newsroom.app)))
    # then
    assert listed[0] == Criteria.of()
    assert not any("?" in path_of(criteria, "atom") for criteria in listed)


def moments(directory: Path) -> dict[str, int]:
    """When each file was written, in nanoseconds."""
    found = [path for path in directory.rglob("*") if path.is_file()]
    names = {path.relative_to(directory).as_posix(): path for path in found}
    return {
        name: path.stat().st_mtime_ns
        for name, path in names.items()
        if name.startswith(("feeds/", "static/")) and "/.build." not in name
    }


def build_and_die(newsroom: Newsroom, directory: Path, *, passing: int) -> subprocess.CompletedProcess[bytes]:
    """A build by another process, which ends at once when the file of that number stands beside its place."""
    code = (
        "import sys; from pathlib import Path; from publisher.app import open_app;"
        "from publisher.usecases.feed_tree import build_static;"
        "build_static(open_app(Path(sys.argv[1])), Path(sys.argv[2]))"
    )
    environment = {**os.environ, "PUBLISHER_FAILPOINT": f"feeds-before-replace:{passing}"}
    command = [sys.executable, "-c", code, newsroom.config_file, directory]
    return subprocess.run(command, env=environment, check=False, capture_output=True)
