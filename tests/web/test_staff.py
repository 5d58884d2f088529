"""Staff pages: for this machine only, looking changes nothing, approving does."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from live_web import open_web, with_base_url
from newsroom_app import MONDAY, Newsroom, open_newsroom

from publisher.store.columns import metadata
from publisher.usecases.editions import cancel
from publisher.usecases.opening import open_edition
from publisher.web.server import make_staff_app

EDITION = "/staff/editions/weekly-2026-11-23"
PAGES = ["/staff/", EDITION, f"{EDITION}/en.html", f"{EDITION}/fr.html", f"{EDITION}/ru.txt"]


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        newsroom.add_person("ana")
        newsroom.add_item(
            released_at=MONDAY - timedelta(hours=1), title='<script>alert(1)</script>"><img src=x onerror=alert(2)>'
        )
        open_edition(newsroom.app, "weekly")
        yield newsroom


@pytest.fixture
def client(newsroom: Newsroom) -> Iterator[httpx.Client]:
    with open_web(newsroom.app, make_staff_app) as client:
        yield client


def dump(newsroom: Newsroom) -> dict[str, list[dict[str, object]]]:
    return {table.name: newsroom.rows(table) for table in metadata.sorted_tables}


def origin(client: httpx.Client) -> dict[str, str]:
    return {"Origin": str(client.base_url).rstrip("/")}


def test_looking_at_a_page_changes_nothing(newsroom: Newsroom, client: httpx.Client) -> None:
    before = dump(newsroom)

    for path in PAGES:
        assert client.get(path).status_code == 200
        assert client.head(path).content == b""

    assert dump(newsroom) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "harbour.example"},
        {"Host": "localhost.harbour.example"},
        {"Host": "192.0.2.1"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "harbour.example"},
        {"X-Real-IP": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"Via": "1.1 proxy"},
    ],
)
def test_whoever_is_not_on_this_machine_is_refused(
    newsroom: Newsroom, client: httpx.Client, headers: dict[str, str]
) -> None:
    before = dump(newsroom)
    wanted = [("GET", path) for path in PAGES] + [("POST", f"{EDITION}/approve")]

    answers = [client.request(method, path, headers=headers | origin(client)) for method, path in wanted]

    assert {answer.status_code for answer in answers} == {403}
    assert "weekly-2026" not in "".join(answer.text for answer in answers)
    assert dump(newsroom) == before


def test_a_form_of_another_site_approves_nothing(newsroom: Newsroom, client: httpx.Client) -> None:
    before = dump(newsroom)

    for headers in ({}, {"Origin": "null"}, {"Origin": "https://evil.example"}, {"Origin": "http://127.0.0.1:1"}):
        assert client.post(f"{EDITION}/approve", headers=headers).status_code == 403

    assert dump(newsroom) == before


def test_approving_changes_the_edition_and_leads_back_to_its_page(newsroom: Newsroom, client: httpx.Client) -> None:
    answer = client.post(f"{EDITION}/approve", headers=origin(client))

    assert (answer.status_code, answer.headers["location"]) == (303, EDITION)
    page = client.get(EDITION).text
    assert "approved" in page
    assert "staff on this machine" in page
    assert "<form" not in page


def test_looking_at_the_address_of_approval_approves_nothing(newsroom: Newsroom, client: httpx.Client) -> None:
    before = dump(newsroom)

    assert client.get(f"{EDITION}/approve").status_code in (404, 405)
    assert dump(newsroom) == before


def test_approving_what_is_cancelled_is_refused_with_words(newsroom: Newsroom, client: httpx.Client) -> None:
    cancel(newsroom.app, "weekly-2026-11-23", actor="ada")

    answer = client.post(f"{EDITION}/approve", headers=origin(client))

    assert answer.status_code == 409
    assert "only an open edition can be approved" in answer.text


def test_the_preview_stands_in_a_sandboxed_frame_without_scripts(client: httpx.Client) -> None:
    page, preview = client.get(EDITION), client.get(f"{EDITION}/en.html")

    frames = re.findall(r"<iframe[^>]*>", page.text)
    assert len(frames) == 3
    assert all(re.search(r"\ssandbox(=\"\")?\s", frame) for frame in frames)
    policy = preview.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("; sandbox")
    assert "frame-ancestors 'self'" in policy
    assert "script-src" not in policy
    assert "frame-src 'self'" in page.headers["content-security-policy"]


def test_what_comes_from_outside_is_text_on_every_page(client: httpx.Client) -> None:
    for path in PAGES[:4]:
        text = client.get(path).text
        assert "<script" not in text
        assert "<img src=x" not in text


def test_no_page_is_cached_framed_by_others_or_tells_where_one_came_from(client: httpx.Client) -> None:
    for path in PAGES:
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors" in headers["content-security-policy"]


def test_text_parts_are_served_as_text(client: httpx.Client) -> None:
    assert client.get(f"{EDITION}/ru.txt").headers["content-type"] == "text/plain; charset=utf-8"


def test_what_is_not_there_is_not_found(client: httpx.Client) -> None:
    missing = [f"{EDITION}/xx.html", f"{EDITION}/en.pdf", f"{EDITION}/en", "/staff/editions/no", "/staff/editions/%00"]

    assert {client.get(path).status_code for path in missing} == {404}


def test_where_the_site_is_open_to_others_its_listener_has_no_staff_pages(newsroom: Newsroom) -> None:
    before = dump(newsroom)

    with open_web(newsroom.app) as client:  # as a proxy on this machine asks: from loopback, for loopback
        answers = [client.get(path) for path in PAGES]
        answers.append(client.post(f"{EDITION}/approve", headers=origin(client)))

    assert {answer.status_code for answer in answers} == {403}
    assert "weekly-2026" not in "".join(answer.text for answer in answers)
    assert dump(newsroom) == before


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000"])
def test_where_the_site_is_on_loopback_one_listener_has_all_pages(newsroom: Newsroom, base_url: str) -> None:
    with open_web(with_base_url(newsroom.app, base_url)) as client:
        assert client.get(EDITION).status_code == 200
        assert client.get("/").status_code == 200


def test_the_staffs_listener_leads_to_their_pages_and_has_no_others(client: httpx.Client) -> None:
    assert client.get("/").headers["location"] == "/staff/"
    assert client.get("/feeds/").status_code == 404
    assert client.get("/editions/").status_code == 404


@pytest.mark.parametrize("base_url", ["https://harbour.example/news", "http://127.0.0.1:8000/news"])
def test_staff_approve_where_the_site_has_a_path(newsroom: Newsroom, base_url: str) -> None:
    with open_web(with_base_url(newsroom.app, base_url), make_staff_app) as client:
        page = client.get(EDITION).text
        for link in re.findall(r'(?:href|src)="(/[^"#]*)"', page):
            assert client.get(link).status_code == 200, link
        (action,) = re.findall(r'action="([^"]+)"', page)
        answer = client.post(action, headers=origin(client))

        assert answer.status_code == 303
        assert "staff on this machine" in client.get(answer.headers["location"]).text


def test_links_of_a_preview_to_what_is_not_made_yet_lead_to_staff_pages(client: httpx.Client) -> None:
    html, text = client.get(f"{EDITION}/en.html").text, client.get(f"{EDITION}/en.txt").text

    for shown, preview in ((html, f"{EDITION}/en.html"), (text, f"{EDITION}/en.txt")):
        assert "https://harbour.example/editions/weekly" not in shown
        assert "https://harbour.example/u/" not in shown
        assert preview in shown
        assert f"{EDITION}/unsubscribe" in shown
    for link in re.findall(r'href="(/[^"]+)"', html):
        assert client.get(link).status_code == 200, link
