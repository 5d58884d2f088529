"""Apache httpd gives feeds out as the .htaccess says that is built beside them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from feed_newsroom import NOON, Newsroom
from live_apache import open_apache

from publisher.app import open_app
from publisher.usecases.feed_tree import build_static


@pytest.fixture(scope="module")
def tree_of_apache(empty_newsroom: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(empty_newsroom, tmp_path_factory.mktemp("apache") / "newsroom")
    app = open_app(folder / "publisher.toml", clock=lambda: NOON)
    Newsroom(app, folder / "publisher.toml").put(1)
    build_static(app, folder / "www")
    app.database.close()
    return folder / "www"


@pytest.fixture(scope="module")
def apache(tree_of_apache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        open_apache(tmp_path_factory.mktemp("httpd"), tree_of_apache) as url,
        httpx.Client(base_url=url, headers={"X-Root": str(tree_of_apache)}, trust_env=False) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/feeds/en/all.atom", "application/atom+xml"),
        ("/feeds/en/all.json", "application/feed+json"),
        ("/feeds/en/all.ics", "text/calendar"),
        ("/feeds/index.opml", "text/x-opml"),
        ("/feeds/", "text/html"),
    ],
)
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("br, gzip", "br"), ("zstd", "zstd"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("", None)],
)
def test_apache_gives_feeds_out_by_the_file_for_it(
    apache: httpx.Client, path: str, media_type: str, accepted: str, coding: str | None
) -> None:
    # given
    root = Path(apache.headers["X-Root"])
    # when
    with apache.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    # then
    name = path if not path.endswith("/") else f"{path}index.html"
    suffix = {"br": ".br", "zstd": ".zst", "gzip": ".gz", None: ""}[coding]
    assert raw == (root / f"{name.lstrip('/')}{suffix}").read_bytes()
    assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=300, stale-if-error=86400"
    assert answer.headers["vary"].split(",")[0].strip() == "Accept-Encoding"
    again = apache.get(path, headers={"Accept-Encoding": accepted, "If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
