"""Apache httpd gives feeds out as the .htaccess says that is built beside them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from feed_newsroom import NOON, Newsroom
from live_apache import open_apache
from newsroom_app import with_hubs

from publisher.app import open_app
from publisher.usecases.feed_tree import build_static

HUBS = ("https://hub.example.org/", "https://hub.example.net/a%20b?c=%d")


@pytest.fixture(scope="module")
def tree_of_apache(empty_newsroom: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(empty_newsroom, tmp_path_factory.mktemp("apache") / "newsroom")
    app = with_hubs(open_app(folder / "publisher.toml", clock=lambda: NOON), *HUBS)
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


@pytest.mark.parametrize("accepted", ["br", "gzip", "identity"])
@pytest.mark.parametrize("path", ["/feeds/en/all.atom", "/feeds/en/theme/asylum/region/africa.ics"])
def test_apache_names_the_hubs_and_the_feed_itself(apache: httpx.Client, path: str, accepted: str) -> None:
    # when
    answer = apache.get(path, headers={"Accept-Encoding": accepted})
    # then
    hubs = [f'<{hub}>; rel="hub"' for hub in HUBS]
    assert answer.headers["link"] == ", ".join([*hubs, f'<https://harbour.example{path}>; rel="self"'])


@pytest.mark.parametrize("path", ["/feeds/en/all.html", "/feeds/index.opml", "/feeds/en/all/archive/1.atom"])
def test_apache_names_no_hub_where_it_is_told_of_nothing(apache: httpx.Client, path: str) -> None:
    # given
    archive = Path(apache.headers["X-Root"]) / "feeds/en/all/archive/1.atom"
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_text("<feed/>")
    # when
    answer = apache.get(path)
    # then
    assert answer.status_code == 200
    assert "link" not in answer.headers


@pytest.mark.parametrize("name", [".build.json", ".build.lock", ".htaccess", "fr/.all.atom.unfinished"])
def test_apache_gives_no_file_of_the_build_itself_out(apache: httpx.Client, name: str) -> None:
    # given
    (Path(apache.headers["X-Root"]) / "feeds" / name).touch()
    # then
    assert apache.get(f"/feeds/{name}").status_code == 403


def test_what_the_next_build_goes_by_is_for_its_owner_only(tree_of_apache: Path) -> None:
    assert (tree_of_apache / "feeds/.build.json").stat().st_mode & 0o077 == 0
    assert not (tree_of_apache / ".build.json").exists()
