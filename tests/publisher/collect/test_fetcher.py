"""The fetcher, against a real server: limits, redirects and addresses."""

import asyncio
import gzip
import socket
import threading
import time
import zlib
from collections.abc import Iterable
from typing import BinaryIO

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from local_web import Reply, Web, serve

from publisher.errors import FetchError
from publisher.fetch.addresses import Address
from publisher.fetch.fetcher import Fetcher, Limits, Origin, Response

AGENT = "publisher/0 (+https://harbour.example; desk@harbour.example)"


def get(web: Web, path: str = "/", limits: Limits | None = None, **validators: str) -> Response:
    """Fetch as an internal source of that server would."""
    return fetch(Fetcher(AGENT, limits), web.url + path, Origin.of(web.url, internal=True), **validators)


def fetch(fetcher: Fetcher, url: str, origin: Origin, **validators: str) -> Response:
    async def run() -> Response:
        async with fetcher:
            return await fetcher.get(url, origin, **validators)

    return asyncio.run(run())


class Names(AbstractResolver):
    """A name service of the test's own: each name has a list of answers, given one after the other."""

    def __init__(self, **answers: Iterable[str]) -> None:
        self.answers = {name.replace("_", "."): iter(addresses) for name, addresses in answers.items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = next(self.answers[host]).split()
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


def allow_second_loopback(address: Address, internal: bool) -> bool:  # noqa: FBT001 — the fetcher's own form
    """Stands in for the internet: 127.0.0.2 is public here, 127.0.0.1 is not."""
    return str(address) == "127.0.0.2" or internal


# What is fetched


def test_a_page_comes_with_its_address_headers_and_charset(web: Web) -> None:
    web.put("/", "Новости", Content_Type="text/html; charset=utf-8", ETag='"1"')

    response = get(web)

    assert (response.status, response.url, response.body.decode()) == (200, f"{web.url}/", "Новости")
    assert (response.charset, response.headers["etag"]) == ("utf-8", '"1"')


def test_we_say_who_we_are_and_keep_no_cookies(web: Web) -> None:
    web.put("/", Set_Cookie="session=1")
    origin = Origin.of(web.url, internal=True)

    async def twice() -> None:
        async with Fetcher(AGENT) as fetcher:
            await fetcher.get(web.url, origin)
            await fetcher.get(web.url, origin)

    asyncio.run(twice())

    headers = web.requests[1][1]
    assert headers["User-Agent"] == AGENT
    assert "Cookie" not in headers


def test_validators_go_out_exactly_as_they_came(web: Web) -> None:
    web.put("/", status=304)

    response = get(web, etag='W/"odd, one"', last_modified="yesterday")

    assert response.status == 304
    assert web.requests[0][1]["If-None-Match"] == 'W/"odd, one"'
    assert web.requests[0][1]["If-Modified-Since"] == "yesterday"


def test_a_proxy_of_the_environment_is_not_used(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    web.put("/", "direct")

    assert get(web).body == b"direct"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_bodies_are_decompressed(web: Web, encoding: str) -> None:
    packed = gzip.compress(b"packed") if encoding == "gzip" else zlib.compress(b"packed")
    web.put("/", packed, Content_Encoding=encoding)

    assert get(web).body == b"packed"


def test_a_body_of_several_gzip_members_is_one_body(web: Web) -> None:
    web.put("/", gzip.compress(b"one ") + gzip.compress(b"two"), Content_Encoding="gzip")

    assert get(web).body == b"one two"


# Limits


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(gzip.compress(b"\0" * 9_000_000), headers={"Content-Encoding": "gzip"}), "more than 100 times"),
        (Reply(gzip.compress(b"x" * 50_000)[:30], headers={"Content-Encoding": "gzip"}), "breaks off"),
        (Reply(b"plain", headers={"Content-Encoding": "gzip"}), "not compressed as it says"),
        (Reply(b"x", headers={"Content-Encoding": "br"}), "content encoding 'br'"),
        (Reply(b"x" * 100_001), "larger than 100000 bytes"),
        (Reply(headers={"Content-Length": "100"}, write=lambda wire: wire.write(b"short")), "payload"),
        (Reply(headers={"Bad Header": "x"}), "Invalid"),
    ],
)
def test_a_body_beyond_the_limits_or_broken_is_an_error(web: Web, reply: Reply, problem: str) -> None:
    web.replies["/"] = reply

    with pytest.raises(FetchError, match=problem) as error:
        get(web, limits=Limits(max_bytes=10_000_000 if "times" in problem else 100_000))

    assert web.url in str(error.value)


def test_an_endless_body_is_cut_at_the_cap(web: Web) -> None:
    def flow(wire: BinaryIO) -> None:
        while True:
            wire.write(b"x" * 65_536)

    web.replies["/"] = Reply(write=flow)

    with pytest.raises(FetchError, match="larger than"):
        get(web)


def test_a_slow_reader_is_cut_when_its_time_is_over(web: Web) -> None:
    has_ended = threading.Event()

    def drip(wire: BinaryIO) -> None:
        while not has_ended.wait(0.02):
            wire.write(b"x")

    web.replies["/"] = Reply(write=drip)
    began = time.monotonic()

    with pytest.raises(FetchError, match=r"no complete answer within 0\.2 seconds"):
        get(web, limits=Limits(total_s=0.2))

    has_ended.set()
    assert time.monotonic() - began < 5


def test_a_host_is_asked_for_two_things_at_a_time(web: Web) -> None:
    open_now, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=5)

    def count(wire: BinaryIO) -> None:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        both.wait()
        with lock:
            open_now -= 1
        wire.write(b"x")

    for number in range(6):
        web.replies[f"/{number}"] = Reply(write=count)

    async def run() -> None:
        origin = Origin.of(web.url, internal=True)
        async with Fetcher(AGENT) as fetcher:
            await asyncio.gather(*(fetcher.get(f"{web.url}/{number}", origin) for number in range(6)))

    asyncio.run(run())

    assert most == 2


# Redirects


def test_a_chain_of_redirects_ends_where_it_ends(web: Web) -> None:
    web.put("/", status=302, Location="/a")
    web.put("/a", status=307, Location="b")
    web.put("/b", "here")

    response = get(web)

    assert (response.url, response.body, response.permanent_url) == (f"{web.url}/b", b"here", None)


@pytest.mark.parametrize(
    ("statuses", "moved_to"), [((301, 308), "/b"), ((301, 302), "/a"), ((302, 301), None), ((200,), None)]
)
def test_only_what_moved_for_good_has_a_new_address(web: Web, statuses: tuple[int, ...], moved_to: str | None) -> None:
    for path, status, target in zip(("/", "/a"), statuses, ("/a", "/b"), strict=False):
        web.put(path, status=status, Location=target)
    web.put("/b", "here")

    assert get(web).permanent_url == (web.url + moved_to if moved_to else None)


def test_a_sixth_redirect_is_not_followed(web: Web) -> None:
    web.put("/", status=302, Location="/")

    with pytest.raises(FetchError, match="more than 5 redirects"):
        get(web)

    assert len(web.requests) == 6


@pytest.mark.parametrize(
    "target",
    ["ftp://127.0.0.1/x", "file:///etc/hostname", "http://user:word@127.0.0.1/", "http://", "javascript:x", "http://["],
)
def test_a_redirect_that_leads_off_the_web_is_refused(web: Web, target: str) -> None:
    web.put("/", status=302, Location=target)

    with pytest.raises(FetchError):
        get(web)


def test_a_redirect_to_a_port_that_is_not_the_source_s_is_refused(web: Web) -> None:
    web.put("/", status=302, Location="http://127.0.0.1:22/")

    with pytest.raises(FetchError, match="port 22 is refused"):
        get(web)


# Addresses


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0.0.0.0"])
def test_a_source_that_is_not_internal_cannot_be_on_this_machine(web: Web, host: str) -> None:
    web.put("/", "secret")
    url = web.url.replace("127.0.0.1", host)

    with pytest.raises(FetchError, match=r"not a (public|canonical IPv4) address"):
        fetch(Fetcher(AGENT), url, Origin.of(url, internal=False))

    assert web.requests == []


def test_a_redirect_from_the_web_to_this_machine_is_refused(web: Web) -> None:
    with serve("127.0.0.2") as public:
        public.put("/", status=302, Location=f"http://127.0.0.1:{port_of(public)}/")
        fetcher = Fetcher(AGENT, check=allow_second_loopback)

        with pytest.raises(FetchError, match=r"127\.0\.0\.1 is not a public address"):
            fetch(fetcher, public.url, Origin.of(public.url, internal=False))

    assert public.paths == ["/"]


def test_an_internal_source_may_lead_to_no_other_private_host() -> None:
    with serve("127.0.0.2") as other, serve() as own:
        own.put("/", status=302, Location=f"http://127.0.0.2:{port_of(own)}/")

        with pytest.raises(FetchError, match=r"127\.0\.0\.2 is not a public address"):
            get(own)

    assert other.requests == []


def test_a_name_with_one_private_address_among_others_is_refused(web: Web) -> None:
    names = Names(news_example=["127.0.0.2 127.0.0.1"])
    url = f"http://news.example:{port_of(web)}/"

    with pytest.raises(FetchError, match="not a public address"):
        fetch(Fetcher(AGENT, resolver=names, check=allow_second_loopback), url, Origin.of(url, internal=False))


def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """DNS rebinding: the name has a public address when asked first, and a private one ever after."""
    with serve("127.0.0.2") as public:
        public.put("/", "public")
        names = Names(news_example=["127.0.0.2", "127.0.0.1", "127.0.0.1"])
        fetcher = Fetcher(AGENT, resolver=names, check=allow_second_loopback)
        url = f"http://news.example:{port_of(public)}/"

        response = fetch(fetcher, url, Origin.of(url, internal=False))

    assert response.body == b"public"


def test_a_rebound_name_is_refused_when_it_is_asked_for_again() -> None:
    with serve("127.0.0.2") as public:
        public.put("/", status=302, Location="/again", Connection="close")
        names = Names(news_example=["127.0.0.2", "127.0.0.1"])
        fetcher = Fetcher(AGENT, resolver=names, check=allow_second_loopback)
        url = f"http://news.example:{port_of(public)}/"

        with pytest.raises(FetchError, match="not a public address"):
            fetch(fetcher, url, Origin.of(url, internal=False))


@pytest.mark.parametrize(
    "url", ["news", "ftp://harbour.example/", "http://", "https://a:b@harbour.example/", "http://["]
)
def test_what_is_no_web_address_is_not_fetched(url: str) -> None:
    with pytest.raises(FetchError):
        fetch(Fetcher(AGENT), url, Origin("harbour.example", 443, internal=False))


def test_a_server_that_is_down_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"

    with pytest.raises(FetchError, match=f"127.0.0.1:{port}"):
        fetch(Fetcher(AGENT), url, Origin.of(url, internal=True))


def port_of(web: Web) -> int:
    return int(web.url.rpartition(":")[2])
