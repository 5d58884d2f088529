"""Readers who take too many feeds are refused; those whose copy is still good never are."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network

import httpx
import pytest
from feed_newsroom import Newsroom
from live_web import open_web

from publisher.web.conditional import Asked, choose_coding, is_fresh
from publisher.web.readers import BURST, Allowance

ALL = "/feeds/all/all.atom"
PROXY = "127.0.0.1"
TRUSTED = (ip_network("127.0.0.0/8"), ip_network("2001:db8:1::/48"))


@pytest.fixture
def client(newsroom: Newsroom) -> Iterator[httpx.Client]:
    newsroom.put(1)
    web = newsroom.app.config.web.model_copy(update={"feeds_per_minute": 1.0})
    app = replace(newsroom.app, config=newsroom.app.config.model_copy(update={"web": web}))
    with open_web(app) as client:
        yield client


def exhaust(client: httpx.Client, reader: str) -> None:
    for _ in range(BURST):
        assert client.get(ALL, headers={"X-Forwarded-For": reader}).status_code == 200


def test_a_reader_who_takes_too_many_is_refused_for_a_while(client: httpx.Client) -> None:
    # given
    exhaust(client, "203.0.113.9")
    # when
    refused = client.get(ALL, headers={"X-Forwarded-For": "203.0.113.9"})
    made_anew = client.get("/feeds/all/all.rss", headers={"X-Forwarded-For": "203.0.113.9"})
    other = client.get(ALL, headers={"X-Forwarded-For": "203.0.113.10"})
    # then
    for answer in (refused, made_anew):
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert answer.headers["cache-control"] == "no-store"
        assert "If-None-Match" in answer.text
    assert other.status_code == 200


def test_whoever_has_a_good_copy_is_never_refused(client: httpx.Client) -> None:
    # given
    exhaust(client, "203.0.113.9")
    etag = client.get(ALL).headers["etag"]
    # when
    asked = [
        {"If-None-Match": etag},
        {"If-None-Match": '"old"'},
        {"If-Modified-Since": "Sat, 21 Nov 2026 11:00:00 GMT"},
    ]
    answers = [client.get(ALL, headers={"X-Forwarded-For": "203.0.113.9", **headers}) for headers in asked]
    elsewhere = client.get("/feeds/en/all.json", headers={"X-Forwarded-For": "203.0.113.9", "If-None-Match": '"old"'})
    # then
    assert [answer.status_code for answer in answers] == [304, 429, 304]
    assert elsewhere.status_code == 429


def test_unchanged_feeds_cost_nothing(client: httpx.Client) -> None:
    # given
    headers = {"X-Forwarded-For": "203.0.113.9"}
    etag = client.get(ALL, headers=headers).headers["etag"]
    # when
    for _ in range(BURST * 2):
        client.get(ALL, headers={**headers, "If-None-Match": etag})
    # then
    assert client.get(ALL, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "same_as"),
    [
        (PROXY, "203.0.113.9", "203.0.113.9"),
        (PROXY, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (PROXY, "203.0.113.9, 127.0.0.3 , ", "203.0.113.9"),
        ("2001:db8:1::7", "203.0.113.9", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("::ffff:203.0.113.9", "", "203.0.113.9"),
        (PROXY, "::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:2:3:4::1", "", "2001:db8:2:3:9::9"),
        (PROXY, "unknown", None),
    ],
)
def test_readers_are_told_apart_by_what_trusted_proxies_say(peer: str, forwarded_for: str, same_as: str | None) -> None:
    # given somebody who has had all
    allowance = Allowance(60, TRUSTED, burst=2)
    taken = [allowance.take(peer, forwarded_for.encode(), now_s=0) for _ in range(2)]
    # when
    same = allowance.take(same_as or peer, b"" if same_as else forwarded_for.encode(), now_s=0)
    other = allowance.take("203.0.113.8", b"", now_s=0)
    # then
    assert (taken, same, other) == ([0, 0], 1, 0)


@pytest.mark.parametrize("forwarded_for", ["", "127.0.0.1", " , "])
def test_whom_a_trusted_proxy_does_not_name_nobody_can_refuse(forwarded_for: str) -> None:
    allowance = Allowance(60, TRUSTED, burst=2)
    assert [allowance.take(PROXY, forwarded_for.encode(), now_s=0) for _ in range(9)] == [0] * 9


def test_a_bucket_fills_again_by_and_by() -> None:
    # given
    allowance = Allowance(30, (), burst=2)
    # when asked at these seconds
    waits = [allowance.take("203.0.113.9", b"", now_s=now_s) for now_s in (10, 10, 10, 11, 12, 12, 100, 100, 100)]
    # then one may be had every two seconds
    assert waits == [0, 0, 2, 1, 0, 2, 0, 0, 2]


def test_whoever_names_tags_that_never_were_pays_for_what_it_gets(client: httpx.Client) -> None:
    # given
    headers = {"X-Forwarded-For": "203.0.113.9"}
    # when
    for _ in range(BURST):
        assert client.get(ALL, headers={**headers, "If-None-Match": '"x"'}).status_code == 200
    # then
    assert client.get(ALL, headers=headers).status_code == 429


def test_without_a_limit_nobody_is_refused() -> None:
    allowance = Allowance(0, ())
    assert {allowance.take("203.0.113.9", b"", now_s=0) for _ in range(BURST * 2)} == {0}


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/all/mix.atom?kind=call",
        "/feeds/find?theme=asylum",
        "/feeds/",
        "/feeds/index.opml",
        "/feeds/personal/nobody.atom",
    ],
)
@pytest.mark.parametrize("condition", [{}, {"If-None-Match": '"x"'}])
def test_whatever_makes_work_is_refused_too(client: httpx.Client, path: str, condition: dict[str, str]) -> None:
    # given
    reader = {"X-Forwarded-For": "203.0.113.9"}
    exhaust(client, "203.0.113.9")
    # when
    answers = [client.get(path, headers={**condition, **reader}) for _ in range(2)]
    other = client.get(path, headers={**condition, "X-Forwarded-For": "203.0.113.10"})
    # then
    assert 429 in {answer.status_code for answer in answers}
    assert other.status_code in {200, 404}


def test_the_directory_costs_nothing_where_the_copy_is_still_good(client: httpx.Client) -> None:
    # given
    etag = client.get("/feeds/").headers["etag"]
    exhaust(client, "203.0.113.9")
    # when
    answer = client.get("/feeds/", headers={"X-Forwarded-For": "203.0.113.9", "If-None-Match": etag})
    # then
    assert answer.status_code == 304


@pytest.mark.parametrize("peer", ["203.0.113.9", PROXY])
def test_what_strangers_write_into_headers_takes_no_memory(peer: str) -> None:
    # given
    allowance = Allowance(60, TRUSTED)
    tracemalloc.start()
    # when
    for number in range(200):
        filler = b"%d" % number + b"x" * 60_000
        allowance.take(peer, filler, now_s=0)
        choose_coding(filler)
        is_fresh(Asked(if_modified_since=filler), etag="", changed_at=None)
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # then
    assert kept_bytes < 1_000_000


def test_however_long_the_list_of_proxies_is_the_reader_is_found() -> None:
    # given
    allowance = Allowance(60, TRUSTED, burst=1)
    long_list = b"198.51.100.1, " * 1000 + b"203.0.113.9"
    # when
    waits = [allowance.take(PROXY, long_list, now_s=0), allowance.take("203.0.113.9", b"", now_s=0)]
    # then
    assert waits == [0, 1]
