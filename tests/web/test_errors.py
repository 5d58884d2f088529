"""What cannot be shown or done: a page with the right status, and nothing that is not the reader's business."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from live_web import open_web, with_base_url
from newsroom_app import Newsroom, open_newsroom
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publisher.app import App
from publisher.errors import RenderError
from publisher.web.server import make_web_app


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        yield newsroom


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/feeds/all/all.atom", {"GET", "HEAD"}),
        ("POST", "/", {"GET", "HEAD"}),
        ("DELETE", "/editions/", {"GET", "HEAD"}),
        ("PUT", "/u/token", {"GET", "HEAD", "POST"}),
    ],
)
def test_a_method_that_is_refused_is_told_which_are_not(
    newsroom: Newsroom, method: str, path: str, allowed: set[str]
) -> None:
    with open_web(newsroom.app) as client:
        answer = client.request(method, path)

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == allowed
    assert answer.headers["content-type"].startswith("text/html")


def failing(app: App, error: Exception) -> Starlette:
    def fail(_request: Request) -> Response:
        raise error

    return make_web_app(app, [Route("/fails", fail)])


def test_what_cannot_be_rendered_asks_to_come_back(newsroom: Newsroom) -> None:
    with open_web(newsroom.app, lambda app: failing(app, RenderError("the inner detail"))) as client:
        answer = client.get("/fails")

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["cache-control"] == "no-store"
    assert "cannot be rendered at the moment" in answer.text
    assert "inner detail" not in answer.text


def test_a_fault_that_nobody_foresaw_shows_our_page_without_details(newsroom: Newsroom) -> None:
    with open_web(newsroom.app, lambda app: failing(app, LookupError("the inner detail"))) as client:
        answer = client.get("/fails", headers={"Accept-Language": "fr"})

    assert answer.status_code == 500
    assert '<html lang="fr"' in answer.text
    assert "inner detail" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_site_with_a_path_is_found_with_and_without_it(newsroom: Newsroom) -> None:
    with open_web(with_base_url(newsroom.app, "https://harbour.example/news")) as client:
        for path in ("/", "/feeds/", "/editions/", "/feeds/all/all.atom", "/static/style.css"):
            assert client.get(path).content == client.get(f"/news{path}").content
        assert client.get("/news/").status_code == 200
        assert httpx.URL(client.get("/feeds/fr/theme/asylum.atom?x=1").headers["location"]).path.startswith("/news/")
