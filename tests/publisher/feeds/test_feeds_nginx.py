"""The example of docs/nginx.conf: a real nginx gives out the tree of files as the service would."""

import gzip
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from feed_newsroom import NOON, Newsroom
from live_nginx import open_nginx
from live_web import open_web
from newsroom_app import with_hubs

from publisher.app import open_app
from publisher.usecases.feed_tree import build_static

ALL = "/feeds/all/all.atom"
HUB, SITE = "https://hub.example.org/hub", "https://harbour.example"


@dataclass(frozen=True)
class Both:
    """The same newsroom by nginx and by the service behind it."""

    newsroom: Newsroom
    nginx: httpx.Client
    service: httpx.Client
    root: Path


@pytest.fixture(scope="module")
def both(empty_newsroom: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    tmp_path = tmp_path_factory.mktemp("nginx")
    folder = shutil.copytree(empty_newsroom, tmp_path / "newsroom")
    app = with_hubs(open_app(folder / "publisher.toml", clock=lambda: NOON), HUB)
    newsroom = Newsroom(app, folder / "publisher.toml")
    newsroom.put(1)
    newsroom.put(2, language="fr")
    root = tmp_path / "www"
    build_static(newsroom.app, root)
    headers = {"Accept-Encoding": "identity"}
    with (
        open_web(newsroom.app) as service,
        open_nginx(tmp_path / "nginx", root, service=str(service.base_url), hub=(HUB, SITE)) as url,
        httpx.Client(base_url=url, headers=headers, trust_env=False) as nginx,
    ):
        service.headers.update(headers)
        yield Both(newsroom, nginx, service, root)
    newsroom.app.database.close()


SAME = ("content-type", "cache-control", "access-control-allow-origin", "x-content-type-options", "link")


@pytest.mark.parametrize(
    "path",
    [
        ALL,
        "/feeds/fr/all.rss",
        "/feeds/en/theme/asylum.json",
        "/feeds/all/region/africa.ics",
        "/feeds/fr/theme/asylum/region/africa.atom",
        "/feeds/en/theme/asylum/region/africa.html",
        "/feeds/index.opml",
        "/feeds/style.css",
    ],
)
def test_files_are_given_out_as_by_the_service(both: Both, path: str) -> None:
    # when
    found, wanted = both.nginx.get(path), both.service.get(path)
    # then
    assert found.status_code == 200
    assert found.content == wanted.content
    for name in SAME:
        assert found.headers.get_list(name) == wanted.headers.get_list(name), name
    for name in ("content-security-policy", "referrer-policy"):
        assert found.headers.get_list(name) == wanted.headers.get_list(name), name
    assert found.headers["etag"]
    assert found.headers["last-modified"]


@pytest.mark.parametrize("path", ["/feeds/", "/feeds/index.html", "/feeds/fr/", "/feeds/fr/index.html"])
def test_the_directory_has_its_form(both: Both, path: str) -> None:
    # when
    answer = both.nginx.get(path)
    # then
    assert "<form" in answer.text
    assert answer.content == both.service.get(path).content
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_feed_names_its_hub_and_itself_and_an_archive_does_not(both: Both) -> None:
    # given
    archive = both.root / "feeds/all/all/archive/1.atom"
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_text("<feed/>")
    # when
    found, of_archive = both.nginx.get(ALL), both.nginx.get("/feeds/all/all/archive/1.atom")
    # then
    assert found.headers["link"] == f'<{HUB}>; rel="hub", <{SITE}{ALL}>; rel="self"'
    assert of_archive.status_code == 200
    assert "link" not in of_archive.headers


@pytest.mark.parametrize("name", [".build.json", ".build.lock", ".htaccess", "fr/.all.atom.unfinished"])
def test_files_of_the_build_itself_are_not_given_out(both: Both, name: str) -> None:
    # given
    (both.root / "feeds" / name).touch()
    # when
    found = both.nginx.get(f"/feeds/{name}")
    # then
    assert found.status_code == 404
    assert "/feeds/" in found.text


SECRET = "a1b2c3d4e5f6g7h8"


@pytest.mark.parametrize(
    "path",
    [
        f"/feeds/personal/{SECRET}.atom",
        f"/feeds/personal/{SECRET}.html",
        f"/u/{SECRET}",
        f"/confirm/{SECRET}",
        f"/preferences/{SECRET}",
        f"/websub/{SECRET}",
        f"/x/%2e%2e/u/{SECRET}",
    ],
)
def test_no_log_has_an_address_that_acts_for_somebody(tmp_path: Path, path: str) -> None:
    # given a service that does not answer, which is written into the error log
    folder = tmp_path / "nginx"
    with open_nginx(folder, tmp_path) as url, httpx.Client(base_url=url, trust_env=False) as client:
        # when
        statuses = [client.get(one).status_code for one in (path, "/editions/")]
    # then
    logs = [(folder / name).read_text() for name in ("access.log", "error.log")]
    assert statuses == [502, 502]
    assert all("/editions/" in log for log in logs)
    assert not any(SECRET in log for log in logs)


def test_compressed_files_are_used(both: Both) -> None:
    # given
    plain = both.nginx.get(ALL)
    # when
    with both.nginx.stream("GET", ALL, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    # then
    assert raw == (both.root / "feeds/all/all.atom.gz").read_bytes()
    assert gzip.decompress(raw) == plain.content
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["etag"] != plain.headers["etag"]


def wait_for_change(both: Both, first: httpx.Response) -> None:
    """nginx looks after a file once a second."""
    deadline = time.monotonic() + 10
    headers = {"Accept-Encoding": first.request.headers["accept-encoding"]}
    while both.nginx.get(ALL, headers=headers).headers["etag"] == first.headers["etag"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
def test_an_unchanged_file_is_not_sent_twice(both: Both, accepted: str) -> None:
    # given
    newsroom = both.newsroom
    headers = {"Accept-Encoding": accepted}
    first = both.nginx.get(ALL, headers=headers)
    by_tag = {**headers, "If-None-Match": first.headers["etag"]}
    by_date = {**headers, "If-Modified-Since": first.headers["last-modified"]}
    # when
    build_static(newsroom.app, both.root)
    unchanged = [both.nginx.get(ALL, headers=asked) for asked in (by_tag, by_date)]
    newsroom.change(1, title=f"Ferry line {accepted} opens", updated_at=NOON)
    build_static(newsroom.app, both.root)
    wait_for_change(both, first)
    changed = [both.nginx.get(ALL, headers=asked) for asked in (by_tag, by_date)]
    # then
    assert [answer.status_code for answer in unchanged] == [304, 304]
    assert [answer.status_code for answer in changed] == [200, 200]
    assert unchanged[0].headers["etag"] == first.headers["etag"]
    assert unchanged[0].headers["cache-control"] == first.headers["cache-control"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/feeds/all/mix.atom?kind=call&region=africa", 200),
        ("/feeds/all/mix.atom?region=africa&kind=call", 301),
        ("/feeds/all/theme/nothing.atom", 404),
        ("/feeds/all/theme/nothing.html", 404),
        ("/robots.txt", 200),
        ("/", 200),
    ],
)
def test_what_is_no_file_is_answered_by_the_service(both: Both, path: str, status: int) -> None:
    # when
    found, wanted = both.nginx.get(path), both.service.get(path)
    # then
    assert found.status_code == wanted.status_code == status
    assert found.content == wanted.content
    assert found.headers.get("cache-control") == wanted.headers.get("cache-control")
