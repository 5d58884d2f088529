"""The list of feeds goes through a reader and comes back."""

import shutil
import subprocess
from pathlib import Path

import pytest
from feed_newsroom import Newsroom
from lxml import etree

from publisher.usecases.feed_opml import render_opml
from publisher.usecases.feeds import list_feeds, read_catalogue
from publisher.usecases.newsroom import apply

FERRIES = '[[themes]]\nid = "ferries"\ntitle = { en = "Ferries & <ships>" }\n'


def test_what_newsboat_imports_it_exports(newsroom: Newsroom, tmp_path: Path) -> None:
    # given
    if shutil.which("newsboat") is None:
        pytest.skip("newsboat (Debian package) is not installed")
    apply(newsroom.app, FERRIES, name="newsroom.toml")
    given = tmp_path / "index.opml"
    given.write_bytes(render(newsroom))
    # when
    exported = run_newsboat(tmp_path, given)
    # then
    urls = [outline.get("xmlUrl") for outline in etree.fromstring(given.read_bytes()).iter("outline")]
    assert [outline.get("xmlUrl") for outline in exported.iter("outline") if outline.get("xmlUrl")] == list(
        filter(None, urls)
    )


def test_a_feed_that_has_ended_is_not_offered(newsroom: Newsroom) -> None:
    # given
    apply(newsroom.app, FERRIES, name="newsroom.toml")
    assert b"theme/ferries.atom" in render(newsroom)
    # when
    apply(newsroom.app, FERRIES + "ended = true", name="newsroom.toml")
    # then
    catalogue = read_catalogue(newsroom.app)
    assert b"theme/ferries.atom" not in render(newsroom)
    assert len([one for one in list_feeds(catalogue) if catalogue.has_ended(one)]) == 8 * 4


def render(newsroom: Newsroom) -> bytes:
    return render_opml(newsroom.app.config.site, read_catalogue(newsroom.app))


def run_newsboat(folder: Path, opml: Path) -> etree._Element:
    """What newsboat exports after it imported that file into an empty list."""
    (folder / "urls").touch()
    (folder / "config").touch()
    files = ["-u", str(folder / "urls"), "-c", str(folder / "cache.db"), "-C", str(folder / "config")]
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "dumb"}

    def run(*arguments: str) -> bytes:
        command = ["newsboat", *files, *arguments]
        return subprocess.run(command, check=True, capture_output=True, env=environment, timeout=30).stdout

    run("-i", str(opml))
    return etree.fromstring(run("-e"))
