"""The short way of a feed from memory: what goes over the wire, byte by byte."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest
from feed_newsroom import Newsroom
from feed_site import Site
from live_web import open_web, with_base_url
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from publisher.web import quick
from publisher.web.server import make_web_app

ALL = "/feeds/all/all.atom"


@contextmanager
def connect(url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as sock:
        yield sock


def talk(url: str, request: str) -> str:
    """Everything that comes back until the server closes."""
    with connect(url) as sock:
        sock.sendall(request.encode("latin-1"))
        return b"".join(iter(lambda: sock.recv(65536), b"")).decode("latin-1")


def request(path: str, *lines: str, method: str = "GET", version: str = "1.1") -> str:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: harbour.example", *lines, "", ""])


def break_behind(site: Site) -> None:
    """From here on only what is in memory can be answered."""

    async def fail(scope: object, receive: object, send: object) -> None:
        raise AssertionError("the framework was asked")

    site.behind = fail  # type: ignore[assignment]


def test_what_is_in_memory_is_answered_ahead_of_the_framework(
    newsroom: Newsroom, client: httpx.Client, site: Site
) -> None:
    # given
    newsroom.put(1)
    first = client.get(ALL)
    break_behind(site)
    # when
    full, conditional = client.get(ALL), client.head(ALL, headers={"If-None-Match": first.headers["etag"]})
    # then
    assert full.content == first.content
    assert {**full.headers, "date": ""} == {**first.headers, "date": ""}
    assert conditional.status_code == 304


def test_pipelined_requests_are_answered_in_their_order(newsroom: Newsroom, client: httpx.Client, site: Site) -> None:
    # given one feed in memory and one that is not
    newsroom.put(1)
    client.get(ALL)
    # when
    requests = [
        request(ALL, method="HEAD"),
        request("/feeds/all/all.json"),
        request(ALL),
        request("/feeds/nothing"),
        request(ALL, "Connection: close", method="HEAD"),
    ]
    text = talk(site.url, "".join(requests))
    # then
    assert re.findall(r"HTTP/1\.1 (\d+)", text) == ["200", "200", "200", "404", "200"]
    kinds = [line.split()[1] for line in text.splitlines() if line.lower().startswith("content-type:")]
    assert kinds[0] == kinds[2] == kinds[4] == "application/atom+xml;"
    assert kinds[1] == "application/feed+json;"


@pytest.mark.parametrize(
    ("version", "lines"), [("1.0", []), ("1.1", ["Connection: close"]), ("1.0", ["Connection: keep-alive"])]
)
def test_a_connection_that_ends_says_so(
    newsroom: Newsroom, client: httpx.Client, site: Site, version: str, lines: list[str]
) -> None:
    # given
    body = client.get(ALL).text
    # when
    text = talk(site.url, request(ALL, *lines, version=version))
    # then
    head, _, received = text.partition("\r\n\r\n")
    assert "connection: close" in head
    assert received.encode("latin-1").decode() == body


def test_a_body_with_get_is_passed_over(newsroom: Newsroom, client: httpx.Client, site: Site) -> None:
    # given
    client.get(ALL)
    with_body = request(ALL, "Content-Length: 5", method="HEAD") + "hello"
    # when
    text = talk(site.url, with_body + request(ALL, "Connection: close", method="HEAD"))
    # then
    assert text.count("HTTP/1.1 200 OK") == 2


def test_headers_without_end_are_cut_off(site: Site) -> None:
    # given
    filler = b"X-Filler: " + b"x" * 1000 + b"\r\n"
    with connect(site.url) as sock:
        # when
        sock.sendall(b"GET /feeds/all/all.atom HTTP/1.1\r\nHost: x\r\n")
        with suppress(ConnectionError):
            sock.sendall(filler * 500)
        # then
        with suppress(ConnectionError):  # what was on its way when the server closed resets the connection
            assert sock.recv(100).startswith(b"HTTP/1.1 400 ")


def test_many_small_requests_are_no_endless_header(newsroom: Newsroom, client: httpx.Client, site: Site) -> None:
    # given
    client.get(ALL)
    one = request(ALL, "X-Filler: " + "x" * 1000, method="HEAD")
    # when
    text = talk(site.url, one * 100 + request(ALL, "Connection: close", method="HEAD"))
    # then
    assert text.count("HTTP/1.1 200 OK") == 101


def test_another_asgi_server_gives_out_the_same(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    web_app = make_web_app(newsroom.app)

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=web_app)
        async with httpx.AsyncClient(transport=transport, base_url="http://harbour.example") as client:
            first = await client.get(ALL)
            again = await client.get(ALL)
            head = await client.head(ALL)
            return [first, again, head, await client.get(ALL, headers={"If-None-Match": again.headers["etag"]})]

    # when
    made, kept, head, unchanged = asyncio.run(ask())
    # then
    assert made.content == kept.content
    assert made.headers == kept.headers == head.headers
    assert (head.content, unchanged.status_code, unchanged.content) == (b"", 304, b"")


def test_a_site_below_a_path_is_answered_with_and_without_it(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    with open_web(with_base_url(newsroom.app, "https://harbour.example/news")) as client:
        # when
        answers = [client.get(prefix + ALL) for prefix in ("/news", "", "/news", "")]
    # then
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["etag"] for answer in answers}) == 1


def test_hubs_stand_in_a_link_header(newsroom: Newsroom) -> None:
    # given
    web = newsroom.app.config.web.model_copy(update={"hubs": ("https://hub.example/", "https://other.example/hub")})
    app = replace(newsroom.app, config=newsroom.app.config.model_copy(update={"web": web}))
    with open_web(app) as client:
        # when
        made, kept = client.get("/feeds/all/region/africa.rss"), client.get("/feeds/all/region/africa.rss")
        unchanged = client.get("/feeds/all/region/africa.rss", headers={"If-None-Match": made.headers["etag"]})
        others = [client.get(path) for path in ("/feeds/all/mix.rss?kind=call", "/feeds/", "/feeds/all/all.pdf")]
    # then
    for answer in (made, kept, unchanged):
        assert answer.headers["link"] == (
            '<https://hub.example/>; rel="hub", <https://other.example/hub>; rel="hub", '
            '<https://harbour.example/feeds/all/region/africa.rss>; rel="self"'
        )
    assert all("link" not in answer.headers for answer in others), "hubs are not told of these"


@pytest.mark.parametrize(
    "begun",
    [
        "",
        "GET /feeds/all/all.atom HTTP/1.1\r\nHost: x\r\n",
        request("/u/nobody", "Content-Length: 9", method="POST") + "half",
        request(ALL) + "\r\n",
        request("/feeds/nothing") + "\r\n",
    ],
)
def test_who_does_not_send_what_was_begun_is_cut_off(
    client: httpx.Client, site: Site, monkeypatch: pytest.MonkeyPatch, begun: str
) -> None:
    # given
    client.get(ALL)
    monkeypatch.setattr(quick, "HEAD_WITHIN_S", 0.2)
    monkeypatch.setattr(quick, "BODY_WITHIN_S", 0.2)
    # when the client sends no more
    with suppress(ConnectionResetError):
        talk(site.url, begun)
    # then it did end, before the ten seconds that the client would wait


def test_a_request_that_takes_long_here_is_not_cut_off(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a page that takes longer than a client may
    monkeypatch.setattr(quick, "HEAD_WITHIN_S", 0.1)
    monkeypatch.setattr(quick, "BODY_WITHIN_S", 0.1)

    async def slow(_request: Request) -> PlainTextResponse:
        await asyncio.sleep(0.5)
        return PlainTextResponse("done")

    with open_web(newsroom.app, lambda app: make_web_app(app, [Route("/slow", slow)])) as client:
        # when
        text = talk(str(client.base_url), request("/slow") + request("/slow", "Connection: close"))
    # then
    assert text.count("done") == 2
