"""The public archive: what was sent, for everybody, with nothing personal on it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from judging import open_court
from live_web import open_web
from newsroom_app import MONDAY, Newsroom, open_newsroom

from feeds.criteria import Criteria
from publisher.store.columns import metadata
from publisher.store.schema import variants
from publisher.usecases.sending import send_edition


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_court(tmp_path) as court, open_newsroom(tmp_path, port=court.port) as newsroom:
        newsroom.add_person("ana")
        newsroom.add_person("ben", Criteria.of(["trafficking"]), language="fr")
        for theme in ("asylum", "trafficking"):
            newsroom.add_item(released_at=MONDAY - timedelta(hours=1), themes=[theme], title=f"About {theme} & more")
        yield newsroom


@pytest.fixture
def client(newsroom: Newsroom) -> Iterator[httpx.Client]:
    with open_web(newsroom.app) as client:
        yield client


def test_before_anything_is_sent_the_archive_says_so(newsroom: Newsroom, client: httpx.Client) -> None:
    name = newsroom.plan_edition()

    page = client.get("/editions/").text

    assert "No edition has been sent yet." in page
    assert name not in page


def test_every_link_of_the_archive_leads_to_a_page_with_all_items(newsroom: Newsroom, client: httpx.Client) -> None:
    send_edition(newsroom.app, newsroom.plan_edition())

    links = re.findall(r'href="(/editions/[^"]+)"', client.get("/editions/").text)
    assert links == ["/editions/weekly-2026-11-23"]
    for language in ("en", "fr", "ru"):
        answer = client.get(links[0], headers={"Accept-Language": language})
        page = client.get(answer.headers["location"].removeprefix("https://harbour.example"))
        assert page.status_code == 200
        assert f'lang="{language}"' in page.text
        assert "About asylum &amp; more" in page.text
        assert "About trafficking &amp; more" in page.text


def test_every_variant_has_its_page_and_no_personal_link_on_it(newsroom: Newsroom, client: httpx.Client) -> None:
    name = newsroom.plan_edition()
    send_edition(newsroom.app, name)

    for row in newsroom.rows(variants):
        page = client.get(f"/editions/{name}/{row['uid']}")
        assert page.status_code == 200
        assert "/u/" not in page.text
        assert "@example.org" not in page.text
        assert "Ana" not in page.text
        assert "<script" not in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_an_edition_that_nobody_got_is_not_offered(tmp_path: Path) -> None:
    with open_newsroom(tmp_path) as newsroom, open_web(newsroom.app) as client:
        newsroom.add_item(released_at=MONDAY - timedelta(hours=1))
        newsroom.plan_edition()

        for link in re.findall(r'href="(/editions/[^"]+)"', client.get("/editions/").text):
            location = client.get(link).headers["location"]
            assert client.get(location.removeprefix("https://harbour.example")).status_code == 200


@pytest.mark.parametrize("path", ["/editions/nothing", "/editions/weekly-2026-11-23/0000", "/editions/a/b/c"])
def test_what_is_not_there_is_not_found(newsroom: Newsroom, client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_caches_are_told_that_the_language_of_the_reader_decides(newsroom: Newsroom, client: httpx.Client) -> None:
    send_edition(newsroom.app, newsroom.plan_edition())

    for path in ("/", "/editions/", "/editions/weekly-2026-11-23"):
        assert client.get(path).headers["vary"] == "Accept-Language", path


def test_reading_the_archive_changes_nothing(newsroom: Newsroom, client: httpx.Client) -> None:
    name = newsroom.plan_edition()
    send_edition(newsroom.app, name)
    before = {table.name: newsroom.rows(table) for table in metadata.sorted_tables}

    for path in ("/editions/", f"/editions/{name}", "/", "/robots.txt", "/healthz"):
        client.get(path)
        client.head(path)
        client.post(path)

    assert {table.name: newsroom.rows(table) for table in metadata.sorted_tables} == before
