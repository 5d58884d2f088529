"""Building again: only feeds that something changed in are compiled, and whatever was damaged is mended."""

import gzip
import json
from datetime import timedelta
from pathlib import Path

import brotli
import httpx
import pytest
import zstandard
from feed_newsroom import NOON, Newsroom

from feeds.paths import name_of
from publisher.usecases import feed_tree
from publisher.usecases.feed_archives import close_archives
from publisher.usecases.feed_tree import build_static


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the feeds that are compiled from here on."""
    names: list[str] = []
    real = feed_tree.compile_formats

    def compile_formats(*given: object, criteria: object, **more: object) -> object:
        names.append(name_of(criteria))  # type: ignore[arg-type]
        return real(*given, criteria=criteria, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(feed_tree, "compile_formats", compile_formats)
    return names


@pytest.fixture
def tree(newsroom: Newsroom, tmp_path: Path) -> Path:
    newsroom.put(1)
    build_static(newsroom.app, tmp_path / "www")
    return tmp_path / "www"


def test_only_feeds_of_the_new_item_are_compiled(newsroom: Newsroom, tree: Path, compiled: list[str]) -> None:
    # given
    newsroom.put(2, language="fr")
    # when
    build_static(newsroom.app, tree)
    # then
    of_item = ["all", "theme/asylum", "region/africa", "theme/asylum/region/africa"]
    assert sorted(compiled) == sorted(f"feeds/{language}/{feed}" for language in ("all", "fr") for feed in of_item)


def test_an_item_that_leaves_a_feed_is_gone_from_its_file(newsroom: Newsroom, tree: Path, compiled: list[str]) -> None:
    # given
    newsroom.relabel(1, theme="trafficking", updated_at=NOON)
    # when
    build_static(newsroom.app, tree)
    # then
    assert b"Ferry line 1" not in (tree / "feeds/en/theme/asylum.atom").read_bytes()
    assert b"Ferry line 1" in (tree / "feeds/en/theme/trafficking.atom").read_bytes()
    assert len(compiled) == 12


def test_beside_each_file_stand_its_compressed_forms(tree: Path) -> None:
    plain = (tree / "feeds/en/all.json").read_bytes()
    assert gzip.decompress((tree / "feeds/en/all.json.gz").read_bytes()) == plain
    assert brotli.decompress((tree / "feeds/en/all.json.br").read_bytes()) == plain
    assert zstandard.decompress((tree / "feeds/en/all.json.zst").read_bytes()) == plain


@pytest.mark.parametrize("damage", ["gone", "cut", "sibling gone", "manifest gone", "manifest broken", "other program"])
def test_what_was_damaged_is_mended(newsroom: Newsroom, tree: Path, damage: str) -> None:
    # given
    file, sibling, manifest = tree / "feeds/en/all.rss", tree / "feeds/en/all.rss.br", tree / "feeds/.build.json"
    good = {one: one.read_bytes() for one in (file, sibling, manifest)}
    match damage:
        case "gone":
            file.unlink()
        case "cut":
            file.write_bytes(good[file][:100])
        case "sibling gone":
            sibling.unlink()
        case "manifest gone":
            manifest.unlink()
        case "manifest broken":
            manifest.write_text('{"made_by": 1, "version": [], "stamps": {"a": 1}}')
        case "other program":
            manifest.write_text(json.dumps({**json.loads(good[manifest]), "made_by": "another"}))
            file.write_bytes(b"as another program wrote it")
    # when
    report = build_static(newsroom.app, tree)
    # then
    assert (file.read_bytes(), sibling.read_bytes()) == (good[file], good[sibling])
    assert set(report.written) <= {"feeds/en/all.rss"}


def test_archives_are_files_and_are_written_once(newsroom: Newsroom, tmp_path: Path, client: httpx.Client) -> None:
    # given
    for number in range(1, 61):
        newsroom.put(number)
    close_archives(newsroom.app)
    build_static(newsroom.app, tmp_path)
    archive = tmp_path / "feeds/en/all/archive/1.atom"
    before = (archive.read_bytes(), archive.stat().st_mtime_ns)
    # when
    newsroom.put(61)
    build_static(newsroom.app, tmp_path)
    # then
    assert before[0] == client.get("/feeds/en/all/archive/1.atom").content
    assert (archive.read_bytes(), archive.stat().st_mtime_ns) == before


def test_files_for_web_servers_that_somebody_has_changed_are_left_alone(newsroom: Newsroom, tree: Path) -> None:
    # given
    assert "/feeds/*.atom\n  Content-Type: application/atom+xml; charset=utf-8\n" in (tree / "_headers").read_text()
    (tree / "_headers").write_text("/*\n  X-Own: yes\n")
    # when
    build_static(newsroom.app, tree)
    # then
    assert (tree / "_headers").read_text() == "/*\n  X-Own: yes\n"


@pytest.mark.parametrize(("title", "days"), [("Ferries", 5), ("Ships", 0)])
def test_a_theme_that_came_and_ended_again_between_two_builds_is_written_anew(
    newsroom: Newsroom, tmp_path: Path, title: str, days: int
) -> None:
    # given a theme that has ended
    newsroom.add_theme("ferries", title="Ferries")
    newsroom.retire_theme("ferries", now=NOON)
    build_static(newsroom.app, tmp_path / "www")
    # when
    newsroom.revive_theme("ferries", title=title)
    newsroom.retire_theme("ferries", now=NOON + timedelta(days=days))
    build_static(newsroom.app, tmp_path / "www")
    build_static(newsroom.app, tmp_path / "anew")
    # then
    path = "feeds/all/theme/ferries.atom"
    assert (tmp_path / "www" / path).read_bytes() == (tmp_path / "anew" / path).read_bytes()
