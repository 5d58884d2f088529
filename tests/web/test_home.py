"""The front page and what machines ask for."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from live_web import open_web
from newsroom_app import open_newsroom

from publisher.errors import ConfigError
from publisher.web.server import bind


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with open_newsroom(tmp_path) as newsroom, open_web(newsroom.app) as client:
        newsroom.put_digest({"id": "weekly", "title": {"en": "<b>Week</b>", "fr": "Semaine"}, "cadence": "weekly"})
        yield client


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("fr", "fr"), ("de, ru;q=0.5", "ru"), ("de", "en"), ("", "en"), (";=," * 50, "en"), ("FR-be", "fr")],
)
def test_the_front_page_speaks_the_readers_language(client: httpx.Client, accepted: str, language: str) -> None:
    answer = client.get("/", headers={"Accept-Language": accepted})

    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text


def test_titles_are_text_and_every_link_of_the_page_answers(client: httpx.Client) -> None:
    page = client.get("/").text

    assert "<b>Week</b>" not in page
    for link in re.findall(r'href="(/[^"#]*)"', page):
        assert client.get(link, follow_redirects=True).status_code == 200, link


def test_robots_stay_away_from_personal_and_staff_pages(client: httpx.Client) -> None:
    lines = client.get("/robots.txt").text.splitlines()

    assert "Disallow: /u/" in lines
    assert "Disallow: /staff/" in lines


def test_health_is_never_cached(client: httpx.Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.text, answer.headers["cache-control"]) == (200, "ok\n", "no-store")


@pytest.mark.parametrize("path", ["/nothing", "/%00", "/" + "a" * 3000, "/static/../publisher.toml"])
def test_a_page_that_is_not_there_is_404_with_the_headers_of_all_pages(client: httpx.Client, path: str) -> None:
    answer = client.get(path, follow_redirects=True)

    assert answer.status_code == 404
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_server_names_itself(client: httpx.Client) -> None:
    assert "server" not in client.get("/").headers


def test_an_address_that_is_taken_is_named_with_a_remedy() -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}.*web\.port"):
            bind("127.0.0.1", port)
