"""Unsubscribe pages over real HTTP: looking changes nothing, acting works every time."""

import asyncio
import base64
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from sqlalchemy import select
from starlette.applications import Starlette

from publisher.app import App, build_app
from publisher.config import Config
from publisher.sections import Mail, Site
from publisher.store import schema
from publisher.store.newsroom import put_entry
from publisher.usecases.subscribers import import_subscribers, show_subscriber
from publisher.web import static, unsubscribe
from publisher.web.pages import exception_handlers
from subscribers.tokens import make_bounce_local, make_unsubscribe_token

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
HEADER = "email,name,language,cadence,themes,regions,timezone,status,consent_source,consent_at\n"
PEOPLE = [
    "ana@example.org,Ana,en,weekly,*,*,UTC,confirmed,form,2026-01-10T09:00:00Z\n",
    "ana@example.org,Ana,en,daily,*,*,UTC,confirmed,form,2026-01-10T09:00:00Z\n",
    "ben@example.org,Benoît,fr,weekly,*,*,UTC,confirmed,form,2026-01-10T09:00:00Z\n",
    "chyngyz@example.org,Чыңгыз,ru,weekly,*,*,UTC,confirmed,form,2026-01-10T09:00:00Z\n",
]
TITLE = {"en": "The Week <b>& more</b>", "fr": "La semaine", "ru": "Неделя"}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    site = Site(name="Harbour News", base_url="https://news.example.org", postal_address="1 Quay Street")
    mail = Mail(sender="Harbour News <news@example.org>", bounce_domain="bounces.example.org")
    app = build_app(Config(site=site, mail=mail, folder=tmp_path), clock=lambda: NOON)
    with app.database.write() as tx:
        put_entry(tx, "digests", {"id": "weekly", "title": TITLE, "cadence": "weekly"}, position=0)
        put_entry(tx, "digests", {"id": "daily", "title": {"en": "The Day"}, "cadence": "daily"}, position=1)
    import_subscribers(app, [line.encode() for line in (HEADER, *PEOPLE)], actor="import")
    yield app
    app.database.close()


@pytest.fixture
def client(app: App) -> Iterator[httpx.Client]:
    routes = [*unsubscribe.routes(app), *static.routes(app)]
    web_app = Starlette(routes=routes, exception_handlers=dict(exception_handlers(app)))
    server = uvicorn.Server(uvicorn.Config(web_app, access_log=False, log_level="warning", lifespan="off"))
    sock = socket.socket(proto=socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    sock.listen()  # who comes before the server is ready waits
    thread = threading.Thread(target=server.run, args=([sock],))
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{sock.getsockname()[1]}", timeout=60) as client:
        yield client
    server.should_exit = True
    thread.join()


def link_of(app: App, address: str, *, digest_number: int = 1) -> str:
    subscriber_id = show_subscriber(app, address).subscriber.id
    return "/u/" + make_unsubscribe_token(app.secret, subscriber_id=subscriber_id, digest_number=digest_number)


def active_cadences(app: App, address: str) -> list[str]:
    return [one.cadence for one in show_subscriber(app, address).subscriptions if one.is_active]


def dump(app: App) -> list[list[tuple[object, ...]]]:
    tables = (schema.subscribers, schema.subscriptions, schema.consents, schema.suppressions)
    with app.database.read() as tx:
        return [[tuple(row) for row in tx.execute(select(table))] for table in tables]


def test_looking_at_the_page_changes_nothing(app: App, client: httpx.Client) -> None:
    link, before = link_of(app, "ana@example.org"), dump(app)

    for _ in range(100):
        assert client.get(link).status_code == 200
        assert client.head(link).content == b""

    assert dump(app) == before


def test_the_page_offers_both_ways_out_and_escapes_the_title(app: App, client: httpx.Client) -> None:
    page = client.get(link_of(app, "ana@example.org")).text

    assert "Unsubscribe from “<bdi>The Week &lt;b&gt;&amp; more&lt;/b&gt;</bdi>”" in page
    assert '<button name="scope" value="digest">' in page
    assert '<button name="scope" value="all" class="quiet">' in page
    assert "ana@example.org" not in page


@pytest.mark.parametrize(
    ("address", "language", "words"),
    [
        ("ana@example.org", "en", "Unsubscribe from everything"),
        ("ben@example.org", "fr", "Se désabonner de tout"),
        ("chyngyz@example.org", "ru", "Отписаться от всего"),
    ],
)
def test_the_page_speaks_the_subscribers_language(
    app: App, client: httpx.Client, address: str, language: str, words: str
) -> None:
    answer = client.get(link_of(app, address), headers={"Accept-Language": "de"})

    assert f'<html lang="{language}" dir="ltr">' in answer.text
    assert answer.headers["content-language"] == language
    assert words in answer.text
    assert TITLE[language] in answer.text or language == "en"


@pytest.mark.parametrize(
    "body",
    [
        {"data": ONE_CLICK},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"data": {"scope": "digest"}},
        {"content": b""},
        {"content": b"\xff\x00", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"junk", "headers": {"Content-Type": "multipart/form-data"}},
    ],
)
def test_one_click_in_any_form_ends_the_digest_and_answers_200_twice_the_same(
    app: App, client: httpx.Client, body: dict[str, object]
) -> None:
    link = link_of(app, "ana@example.org")

    first, second = (client.post(link, **body) for _ in range(2))  # type: ignore[arg-type]

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    assert active_cadences(app, "ana@example.org") == ["daily"]
    assert "set-cookie" not in first.headers


def test_the_second_button_ends_everything(app: App, client: httpx.Client) -> None:
    answer = client.post(link_of(app, "ana@example.org"), data={"scope": "all"})

    assert "No more digests will come to you" in answer.text
    assert "<form" not in answer.text
    assert show_subscriber(app, "ana@example.org").subscriber.status == "unsubscribed"


def test_after_leaving_a_digest_the_others_can_be_left_too(app: App, client: httpx.Client) -> None:
    link = link_of(app, "ana@example.org")
    client.post(link, data=ONE_CLICK)

    page = client.get(link).text

    assert "no longer comes to you" in page
    assert 'value="all"' in page
    assert 'value="digest"' not in page


def test_a_hundred_posts_at_once_are_all_answered_and_recorded_once(app: App, client: httpx.Client) -> None:
    link = link_of(app, "ana@example.org")

    async def post_all() -> list[int]:
        async with httpx.AsyncClient(base_url=client.base_url, timeout=60) as many:
            answers = await asyncio.gather(*(many.post(link, data=ONE_CLICK) for _ in range(100)))
            return [answer.status_code for answer in answers]

    statuses = asyncio.run(post_all())

    assert statuses == [200] * 100
    events = [event.what for event in show_subscriber(app, "ana@example.org").consents]
    assert events.count("unsubscribed") == 1


def forgeries(app: App) -> Iterator[str]:
    token = link_of(app, "ana@example.org").removeprefix("/u/")
    data = int.from_bytes(base64.urlsafe_b64decode(token + "="))
    for bit in (0, 80, 100, 130, 150, 159):  # MAC, subscriber, digest, key id
        yield base64.urlsafe_b64encode((data ^ 1 << bit).to_bytes(20))[:27].decode()
    yield make_bounce_local(app.secret, 1)
    yield make_unsubscribe_token(b"x" * 32, subscriber_id=1, digest_number=1)
    yield make_unsubscribe_token(app.secret, subscriber_id=4711, digest_number=1)
    yield from (token + "=", token[:-1], token + "A", "%00", "é", "a" * 5000)


def test_whatever_is_no_token_is_answered_like_a_page_that_does_not_exist(app: App, client: httpx.Client) -> None:
    before = dump(app)
    nowhere = client.get("/nowhere")

    for token in forgeries(app):
        for answer in (client.get(f"/u/{token}"), client.post(f"/u/{token}", data={"scope": "all"})):
            assert (answer.status_code, answer.content) == (404, nowhere.content)
            assert answer.headers["cache-control"] == nowhere.headers["cache-control"]

    assert dump(app) == before


def test_every_answer_keeps_the_link_secret_and_lets_nothing_else_in(app: App, client: httpx.Client) -> None:
    link = link_of(app, "ana@example.org")

    for answer in (client.get(link), client.post(link, data=ONE_CLICK), client.get("/u/nothing")):
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
        assert link.removeprefix("/u/") not in answer.text
        assert "http" not in answer.text.replace("http-equiv", "")


def test_a_body_that_is_too_large_is_refused_and_does_nothing(app: App, client: httpx.Client) -> None:
    before = dump(app)

    answer = client.post(link_of(app, "ana@example.org"), data={"scope": "x" * 20_000})

    assert answer.status_code == 413
    assert dump(app) == before


def test_no_log_names_a_token(app: App, client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    link = link_of(app, "ana@example.org")

    with caplog.at_level(logging.DEBUG):
        client.post(link, data=ONE_CLICK)
        client.post(link + "x", data=ONE_CLICK)

    ours = [record for record in caplog.records if not record.name.startswith("http")]  # not the client's own
    assert not [record for record in ours if link.removeprefix("/u/") in record.getMessage()]


def test_the_stylesheet_is_served_with_a_tag_and_loads_nothing(client: httpx.Client) -> None:
    answer = client.get("/static/style.css")
    again = client.get("/static/style.css", headers={"If-None-Match": answer.headers["etag"]})

    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert again.status_code == 304
    assert "url(" not in answer.text
    assert "@import" not in answer.text


@pytest.mark.parametrize("named", ["*", '"other", {etag}', "W/{etag}"])
def test_the_stylesheet_is_not_sent_again_to_who_has_it(client: httpx.Client, named: str) -> None:
    etag = client.get("/static/style.css").headers["etag"]

    answer = client.get("/static/style.css", headers={"If-None-Match": named.replace("{etag}", etag)})

    assert (answer.status_code, answer.headers["cache-control"]) == (304, "public, max-age=3600")
