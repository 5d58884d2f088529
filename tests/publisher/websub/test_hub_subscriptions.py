"""Sources whose hub tells of changes: asked for, confirmed, renewed, believed only with a signature, ended."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import tomlkit
from hub import Hub, callback_path, open_hub, sign
from live_web import open_site
from newsroom_app import MONDAY, Newsroom, open_newsroom

from publisher.app import App
from publisher.store.schema import sources
from publisher.store.schema_hubs import hub_subscriptions
from publisher.usecases.collect import collect_due
from publisher.usecases.hub_subscriptions import BETWEEN_FETCHES, MOST_FAREWELLS, renew_subscriptions
from publisher.usecases.newsroom import apply

ITEM = "<item><title>Refugees land</title><link>/1</link></item>"


@dataclass
class Subscriber:
    """A newsroom with one source, whose pages are served."""

    newsroom: Newsroom
    hub: Hub
    client: httpx.Client
    app: App

    @property
    def row(self) -> dict[str, Any]:
        (row,) = self.newsroom.rows(hub_subscriptions)
        return row

    @property
    def topic(self) -> str:
        return self.hub.url.replace("/hub", "/news")

    @property
    def path(self) -> str:
        return f"/websub/{self.row['token']}"

    def set_up(self, **changes: Any) -> None:
        source = {"id": "news", "kind": "feed", "url": self.topic, "language": "en", "every": "1d", "internal": True}
        text = tomlkit.dumps({"sources": [source | {"websub": True} | changes]})
        apply(self.app, text, name="newsroom.toml")

    def collect(self) -> None:
        report = asyncio.run(collect_due(self.app, ["news"]))
        assert not report.has_failed, report

    def renew(self) -> int:
        return asyncio.run(renew_subscriptions(self.app))

    def subscribe(self) -> None:
        self.collect()
        self.renew()
        self.hub.wait_until(lambda: bool(self.hub.subscriptions))

    def due_at(self) -> Any:
        return self.newsroom.rows(sources)[0]["next_due_at"]

    def ask(self, **query: str) -> httpx.Response:
        return self.client.get(self.path, params={f"hub.{name}": value for name, value in query.items()})

    def notify(self, body: bytes, signature: str) -> httpx.Response:
        return self.client.post(self.path, content=body, headers={"X-Hub-Signature": signature})


def show(hub: Hub, *, body_links: str = "", **headers: str) -> None:
    channel = f"<channel><title>News</title>{body_links}{ITEM}</channel>"
    text = f'<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">{channel}</rss>'
    hub.pages["/news"] = (text, {"Content-Type": "application/rss+xml"} | headers)


def advertise(hub: Hub) -> None:
    show(hub, Link=f'<{hub.url}>; rel="hub", <{hub.url.replace("/hub", "/news")}>; rel="self"')


@contextmanager
def open_subscriber(newsroom: Newsroom, hub: Hub) -> Iterator[Subscriber]:
    with open_site(newsroom.app) as (app, client):
        yield Subscriber(newsroom, hub, client, app)


@pytest.fixture
def subscriber(tmp_path_factory: pytest.TempPathFactory, hub: Hub) -> Iterator[Subscriber]:
    advertise(hub)
    with (
        open_newsroom(tmp_path_factory.mktemp("subscriber")) as newsroom,
        open_subscriber(newsroom, hub) as subscriber,
    ):
        subscriber.set_up()
        yield subscriber


def test_a_source_that_names_a_hub_is_subscribed_to(subscriber: Subscriber, hub: Hub) -> None:
    # when
    subscriber.subscribe()
    # then
    (form,) = hub.requests
    assert form["hub.mode"] == "subscribe"
    assert form["hub.topic"] == subscriber.topic
    assert len(form["hub.secret"]) >= 32
    assert len(urlsplit(form["hub.callback"]).path.removeprefix("/websub/")) >= 22
    assert subscriber.row["lease_until"] == MONDAY + timedelta(seconds=hub.lease_s)
    assert subscriber.row["pending_until"] is None


@pytest.mark.parametrize(
    "links",
    [
        '<atom:link rel="hub" href="{hub}"/><atom:link rel="self" href="{topic}"/>',
        '<atom:link rel="hub" href="/hub"/>',
    ],
)
def test_a_hub_may_be_named_in_the_document(subscriber: Subscriber, hub: Hub, links: str) -> None:
    # given
    show(hub, body_links=links.format(hub=hub.url, topic=subscriber.topic))
    # when
    subscriber.subscribe()
    # then
    assert (subscriber.row["hub"], subscriber.row["topic"]) == (hub.url, subscriber.topic)


def test_a_hub_that_asks_back_before_it_answers_is_told_yes(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        open_hub(verifies_first=True) as hub,
        open_newsroom(tmp_path_factory.mktemp("eager")) as newsroom,
        open_subscriber(newsroom, hub) as subscriber,
    ):
        advertise(hub)
        subscriber.set_up()
        # when
        subscriber.collect()
        subscriber.renew()
        # then
        assert len(hub.subscriptions) == 1


@pytest.mark.parametrize("changes", [{"websub": False}, {"internal": False}])
def test_only_where_the_source_says_so_and_a_hub_could_call_back(
    subscriber: Subscriber, hub: Hub, changes: dict[str, bool]
) -> None:
    # given: a site at 127.0.0.1, where only internal hubs reach it
    subscriber.set_up(**changes)
    # when
    asyncio.run(collect_due(subscriber.app, ["news"]))
    # then
    assert subscriber.renew() == 0
    assert hub.requests == []


def test_what_is_told_with_the_right_signature_makes_the_source_due(subscriber: Subscriber, hub: Hub) -> None:
    # given
    subscriber.subscribe()
    assert subscriber.due_at() == MONDAY + timedelta(days=1)
    # when
    httpx.post(hub.url, data={"hub.mode": "publish", "hub.url": subscriber.topic})
    hub.wait_until(lambda: bool(hub.deliveries))
    # then
    assert hub.deliveries == [(subscriber.topic, 202)]
    assert subscriber.due_at() == MONDAY


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_each_method_of_signing_that_the_standard_names_is_understood(subscriber: Subscriber, method: str) -> None:
    # given
    subscriber.subscribe()
    # when
    answer = subscriber.notify(b"<rss/>", f"{method}={sign(subscriber.row['secret'], b'<rss/>', method)}")
    # then
    assert answer.status_code == 202
    assert subscriber.due_at() == MONDAY


def test_a_wrong_signature_is_answered_alike_and_changes_nothing(subscriber: Subscriber) -> None:
    # given
    subscriber.subscribe()
    secret, due_at = subscriber.row["secret"], subscriber.due_at()
    right = sign(secret, b"<rss/>")
    # when
    answers = [
        subscriber.notify(b"<rss/>", signature)
        for signature in (
            "",
            "sha256=",
            "sha256=" + "0" * 64,
            f"md5={right}",
            right,
            f"sha256={right[:-1]}",
            "=",
            "sha256",
        )
    ]
    answers.append(subscriber.notify(b"<rss></rss>", f"sha256={right}"))
    answers.append(subscriber.client.post(subscriber.path, content=b"<rss/>"))
    # then
    assert {answer.status_code for answer in answers} == {202}
    assert subscriber.due_at() == due_at


def test_a_notice_that_is_too_large_is_cut_off(subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    subscriber.subscribe()
    monkeypatch.setattr("publisher.web.websub.MAX_BODY_BYTES", 1_000)
    body = b" " * 1_001
    # when
    answer = subscriber.notify(body, f"sha256={sign(subscriber.row['secret'], body)}")
    # then
    assert answer.status_code == 413
    assert subscriber.due_at() == MONDAY + timedelta(days=1)


def test_a_hub_that_chatters_does_not_make_us_do_so(subscriber: Subscriber) -> None:
    # given
    subscriber.subscribe()
    signature = f"sha256={sign(subscriber.row['secret'], b'x')}"
    subscriber.notify(b"x", signature)
    subscriber.collect()
    # when
    subscriber.notify(b"x", signature)
    # then
    assert subscriber.due_at() == MONDAY + BETWEEN_FETCHES


def test_nobody_is_told_yes_who_was_not_asked(subscriber: Subscriber) -> None:
    # given
    subscriber.subscribe()
    good = {"mode": "subscribe", "topic": subscriber.topic, "challenge": "abc", "lease_seconds": "600"}
    # then
    assert subscriber.ask(**good).status_code == 404, "there is nothing open"
    # when
    subscriber.newsroom.clock.forward(hours=1)
    before = subscriber.row
    subscriber.hub.refusals = [202]
    subscriber.renew()
    # then
    for wrong in ({"topic": subscriber.topic + "x"}, {"mode": "unsubscribe"}, {"challenge": ""}, {"mode": "publish"}):
        assert subscriber.ask(**(good | wrong)).status_code == 404
    assert subscriber.row["lease_until"] == before["lease_until"]
    assert subscriber.client.head(subscriber.path, params={f"hub.{k}": v for k, v in good.items()}).status_code == 405
    # when
    answer = subscriber.ask(**good)
    # then
    assert (answer.status_code, answer.text) == (200, "abc")
    assert answer.headers["content-type"].startswith("text/plain")
    assert subscriber.row["lease_until"] == subscriber.newsroom.clock.now + timedelta(seconds=600)


def test_nobody_knows_a_callback_that_was_never_given_out(subscriber: Subscriber) -> None:
    query = {"hub.mode": "subscribe", "hub.topic": subscriber.topic, "hub.challenge": "abc"}

    assert subscriber.client.get("/websub/guess", params=query).status_code == 404
    assert subscriber.client.post("/websub/guess", content=b"x").status_code == 410


def test_an_intent_is_open_for_an_hour_only(subscriber: Subscriber, hub: Hub) -> None:
    # given
    hub.refusals = [202]
    subscriber.collect()
    subscriber.renew()
    # when
    subscriber.newsroom.clock.forward(hours=1, seconds=1)
    # then
    assert subscriber.ask(mode="subscribe", topic=subscriber.topic, challenge="abc").status_code == 404


def test_a_lease_is_renewed_before_it_ends(subscriber: Subscriber, hub: Hub) -> None:
    # given
    subscriber.subscribe()
    old = subscriber.row
    assert subscriber.renew() == 0
    # when
    subscriber.newsroom.clock.forward(seconds=hub.lease_s * 0.8)
    assert subscriber.renew() == 1
    hub.wait_until(lambda: subscriber.row["lease_until"] > old["lease_until"])
    # then
    assert len(hub.subscriptions) == 1
    assert (subscriber.row["token"], subscriber.row["secret"]) == (old["token"], old["secret"])


def test_a_hub_that_refuses_is_asked_again_later_each_time(subscriber: Subscriber, hub: Hub) -> None:
    # given
    hub.refusals = [503, 410]
    subscriber.collect()
    # when
    waits = []
    for _ in range(2):
        assert subscriber.renew() == 1
        waits.append(subscriber.row["next_attempt_at"] - subscriber.newsroom.clock.now)
        subscriber.newsroom.clock.now = subscriber.row["next_attempt_at"]
    # then
    assert waits == [timedelta(minutes=5), timedelta(minutes=10)]
    assert "answered 410" in subscriber.row["error"]
    # when
    subscriber.renew()
    hub.wait_until(lambda: bool(hub.subscriptions))
    # then
    assert subscriber.row["error"] is None


def test_a_hub_may_say_that_it_will_not(subscriber: Subscriber, hub: Hub) -> None:
    # given
    subscriber.subscribe()
    (callback,) = [form["hub.callback"] for form in hub.requests]
    # when
    status = asyncio.run(hub.deny(subscriber.topic, callback))
    # then
    assert status == 200
    assert subscriber.row["lease_until"] is None
    assert subscriber.row["next_attempt_at"] == MONDAY + timedelta(days=1)


@pytest.mark.parametrize("ended_by", ["pruning", "its settings", "another hub"])
def test_what_is_not_wanted_any_more_is_unsubscribed_from(subscriber: Subscriber, hub: Hub, ended_by: str) -> None:
    # given
    subscriber.subscribe()
    (callback,) = [form["hub.callback"] for form in hub.requests]
    # when
    if ended_by == "pruning":
        apply(subscriber.app, "sources = []", name="newsroom.toml", prunes=True)
    elif ended_by == "its settings":
        subscriber.set_up(websub=False)
    else:
        show(hub)
        subscriber.collect()
    subscriber.renew()
    # then
    hub.wait_until(lambda: not hub.subscriptions)
    assert hub.requests[-1]["hub.mode"] == "unsubscribe"
    hub.wait_until(lambda: not subscriber.newsroom.rows(hub_subscriptions))
    assert subscriber.client.post(callback_path(callback), content=b"x").status_code == 410


def test_a_hub_that_does_not_answer_a_farewell_is_left(subscriber: Subscriber, hub: Hub) -> None:
    # given
    hub.lease_s = 10**7
    subscriber.subscribe()
    subscriber.set_up(websub=False)
    hub.refusals = [500] * MOST_FAREWELLS
    # when
    for _ in range(MOST_FAREWELLS):
        assert subscriber.renew() == 1
        subscriber.newsroom.clock.forward(days=1)
    subscriber.renew()
    # then
    assert subscriber.newsroom.rows(hub_subscriptions) == []


def test_neither_token_nor_secret_is_logged(
    subscriber: Subscriber, hub: Hub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    caplog.set_level(logging.DEBUG)
    hub.refusals = [500]
    subscriber.collect()
    # when
    subscriber.renew()
    subscriber.newsroom.clock.forward(hours=1)
    subscriber.renew()
    hub.wait_until(lambda: bool(hub.subscriptions))
    subscriber.notify(b"x", f"sha256={sign(subscriber.row['secret'], b'x')}")
    # then
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]  # not of the hub
    logged = "".join([*ours, *capsys.readouterr()])
    assert "hub not asked" in logged
    assert subscriber.row["token"] not in logged
    assert subscriber.row["secret"] not in logged
