import gzip
import hashlib
from datetime import timedelta

import brotli
import feedparser
import httpx
import pytest
import zstandard
from feed_newsroom import NOON, Newsroom
from live_web import open_web, with_base_url
from lxml import etree, html

from feeds.model import Classification

ALL = "/feeds/all/all.atom"


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        ("atom", "application/atom+xml; charset=utf-8"),
        ("rss", "application/rss+xml; charset=utf-8"),
        ("json", "application/feed+json; charset=utf-8"),
    ],
)
def test_a_feed_is_served_with_all_its_headers(
    newsroom: Newsroom, client: httpx.Client, suffix: str, media_type: str
) -> None:
    # given
    newsroom.put(1)
    # when
    answer = client.get(f"/feeds/all/all.{suffix}")
    # then
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "public, max-age=300, stale-if-error=86400"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["last-modified"] == "Fri, 20 Nov 2026 11:00:00 GMT"
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    assert b"Ferry line 1 opens" in answer.content


def test_a_feed_holds_the_newest_fifty_items_newest_first(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    for number in range(60, 0, -1):
        newsroom.put(number)
    # when
    entries = feedparser.parse(client.get(ALL).content).entries
    # then
    assert [entry.id for entry in entries] == [f"tag:harbour.example,2026:uid{number:02}" for number in range(1, 51)]


@pytest.mark.parametrize(
    ("path", "numbers"),
    [
        ("/feeds/all/all.json", [1, 2, 3, 4]),
        ("/feeds/fr/all.json", [2]),
        ("/feeds/en/all.json", [1, 3, 4]),
        ("/feeds/all/theme/asylum.json", [1, 2]),
        ("/feeds/all/theme/general.json", [4]),
        ("/feeds/all/region/africa.json", [1, 3]),
        ("/feeds/all/region/global.json", [3]),
        ("/feeds/all/theme/trafficking/region/africa.json", [3]),
        ("/feeds/fr/theme/asylum/region/africa.json", []),
        ("/feeds/all/mix.json?kind=call", [1]),
        ("/feeds/all/mix.json?theme=asylum&theme=trafficking", [1, 2, 3]),
        ("/feeds/en/mix.json?kind=call&kind=news&region=africa", [1, 3]),
    ],
)
def test_a_feed_holds_what_its_criteria_ask_for(
    newsroom: Newsroom, client: httpx.Client, path: str, numbers: list[int]
) -> None:
    # given
    newsroom.put(1)
    newsroom.put(2, language="fr", classification=Classification(("asylum",), "asylum", regions=("silk-routes",)))
    newsroom.put(3, classification=Classification(("trafficking",), "trafficking", regions=("global",)))
    newsroom.put(4, classification=Classification())
    # when
    found = client.get(path).raise_for_status().json()["items"]
    # then
    assert [item["id"] for item in found] == [f"tag:harbour.example,2026:uid{number:02}" for number in numbers]


def test_a_feed_in_french_names_themes_and_regions_in_french(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1, language="fr")
    # when
    feed = client.get("/feeds/fr/theme/asylum/region/africa.json").json()
    # then
    assert feed["language"] == "fr"
    assert feed["title"] == "Harbour News: Asile et protection · Afrique subsaharienne"
    assert feed["items"][0]["tags"] == ["Asile et protection", "Afrique subsaharienne", "Appel ouvert"]


def test_the_newest_change_not_the_newest_item_dates_a_feed(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1)
    newsroom.put(2)
    newsroom.change(2, updated_at=newsroom.app.clock())
    # when
    answer = client.get("/feeds/all/all.rss")
    # then
    assert answer.headers["last-modified"] == "Fri, 20 Nov 2026 12:00:00 GMT"
    root = etree.fromstring(answer.content)
    assert root.findtext("channel/lastBuildDate") == "Fri, 20 Nov 2026 12:00:00 +0000"


def test_a_change_shows_at_the_next_request(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1)
    first = client.get(ALL)
    # when
    newsroom.put(2)
    second = client.get(ALL, headers={"If-None-Match": first.headers["etag"]})
    # then
    assert second.status_code == 200
    assert b"Ferry line 2 opens" in second.content


def test_asked_twice_a_feed_has_the_same_bytes(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1)
    # when
    answers = [client.get(ALL) for _ in range(2)]
    # then
    assert answers[0].content == answers[1].content
    assert answers[0].headers["etag"] == answers[1].headers["etag"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"If-None-Match": "{etag}"}, 304),
        ({"If-None-Match": "W/{etag}"}, 304),
        ({"If-None-Match": '"other", {etag}'}, 304),
        ({"If-None-Match": '"other" , W/{etag},'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": ""}, 200),
        ({"If-None-Match": "garbage"}, 200),
        ({"If-Modified-Since": "Fri, 20 Nov 2026 11:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Sat, 21 Nov 2026 11:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Fri, 20 Nov 2026 10:59:59 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": "Mon, 01 Jan 99999999999 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "Fri, 20 Nov 2026 11:00:00 +9999999999"}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": "Sat, 21 Nov 2026 11:00:00 GMT"}, 200),
        ({"If-None-Match": "{etag}", "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 304),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_conditional_request_is_answered_by_the_standard(
    newsroom: Newsroom, client: httpx.Client, headers: dict[str, str], status: int, method: str
) -> None:
    # given
    newsroom.put(1)
    full = client.get(ALL)
    asked = {name: value.replace("{etag}", full.headers["etag"]) for name, value in headers.items()}
    # when
    answer = client.request(method, ALL, headers=asked)
    # then
    assert answer.status_code == status
    for name in ("etag", "cache-control", "vary", "last-modified", "access-control-allow-origin"):
        assert answer.headers[name] == full.headers[name]
    if status == 304:
        assert answer.content == b""
        assert "content-type" not in answer.headers


def test_head_says_what_get_says_without_the_body(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1)
    # when
    get, head = client.get(ALL), client.head(ALL)
    # then
    assert head.content == b""
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


DECODERS = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstandard.decompress, None: bytes}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("GZIP, deflate", "gzip"),
        ("x-gzip", "gzip"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, zstd", "zstd"),
        ("br, GZIP;q=0.5", "br"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br; q=0, gzip ;q=0.001", "gzip"),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.1, gzip;q=0.5", "gzip"),
        ("*", "gzip"),
        ("*, br;q=0.5", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0, *", None),
        ("gzip;q=nonsense", None),
        ("gzip;q=nan", None),
        ("gzip;q=7", None),
        ("gzip;x=1", None),
        ("deflate, compress", None),
        ("", None),
    ],
)
def test_a_feed_is_coded_as_its_reader_prefers(
    newsroom: Newsroom, client: httpx.Client, accepted: str, coding: str | None
) -> None:
    # given
    newsroom.put(1)
    plain = client.get(ALL)
    # when
    with client.stream("GET", ALL, headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    # then
    assert answer.headers.get("content-encoding") == coding
    assert DECODERS[coding](raw) == plain.content
    assert answer.headers["etag"] == f'"{hashlib.sha256(raw).hexdigest()[:32]}"'
    assert answer.headers["vary"] == "Accept-Encoding"
    again = client.get(ALL, headers={"Accept-Encoding": accepted, "If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["etag"] == answer.headers["etag"]


def test_another_spelling_of_a_mix_is_redirected(client: httpx.Client) -> None:
    # when
    answer = client.get("/feeds/all/mix.atom?theme=trafficking&theme=asylum")
    # then
    assert answer.status_code == 301
    assert answer.headers["location"] == "/feeds/all/mix.atom?theme=asylum&theme=trafficking"
    assert client.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize("path", ["/feeds/all/theme/nothing.atom", "/feeds/xx/all.atom", "/feeds/x", "/feeds/%00.atom"])
def test_an_unknown_feed_is_a_page_that_leads_to_the_directory(client: httpx.Client, path: str) -> None:
    # when
    answer = client.get(path)
    # then
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert html.fromstring(answer.content).xpath("//main//a/@href") == ["/feeds/"]


def test_that_page_speaks_the_language_of_the_address(client: httpx.Client) -> None:
    assert html.fromstring(client.get("/feeds/fr/theme/nothing.atom").content).get("lang") == "fr"
    assert html.fromstring(client.get("/feeds/xx/all.atom").content).get("lang") == "en"


def test_posting_to_a_feed_is_refused(client: httpx.Client) -> None:
    assert client.post(ALL).status_code == 405


def test_last_modified_goes_forward_when_the_newest_item_leaves_a_feed(
    newsroom: Newsroom, client: httpx.Client
) -> None:
    # given two items, the newer of which is then corrected out
    newsroom.put(1)
    newsroom.put(2)
    path = "/feeds/all/theme/asylum.atom"
    first = client.get(path)
    # when
    newsroom.relabel(1, theme="trafficking", updated_at=NOON)
    second = client.get(path, headers={"If-Modified-Since": first.headers["last-modified"]})
    # then
    assert second.status_code == 200
    assert b"Ferry line 1 opens" not in second.content
    assert second.headers["last-modified"] == "Fri, 20 Nov 2026 12:00:00 GMT"


def test_a_newsroom_without_items_has_no_last_modified(client: httpx.Client) -> None:
    assert "last-modified" not in client.get(ALL).headers


def test_the_directory_has_the_headers_of_pages(client: httpx.Client) -> None:
    # when
    headers = client.get("/feeds/").headers
    # then
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "public, max-age=300, stale-if-error=86400"


def test_what_one_run_collects_in_several_commits_is_not_taken_for_unchanged(
    newsroom: Newsroom, client: httpx.Client
) -> None:
    # given
    newsroom.put(1, updated_at=NOON - timedelta(minutes=1))
    first = client.get(ALL)
    # when
    newsroom.put(2, updated_at=NOON - timedelta(minutes=1))
    second = client.get(ALL, headers={"If-Modified-Since": first.headers["last-modified"]})
    again = client.get(ALL, headers={"If-Modified-Since": second.headers["last-modified"]})
    # then
    assert second.status_code == 200
    assert b"Ferry line 2 opens" in second.content
    assert second.headers["last-modified"] == "Fri, 20 Nov 2026 11:59:01 GMT"
    assert again.status_code == 304


def test_no_date_to_come_is_told(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1, updated_at=NOON)
    first = client.get(ALL)
    # when
    newsroom.put(2, updated_at=NOON)
    second = client.get(ALL, headers={"If-Modified-Since": first.headers["last-modified"]})
    # then
    assert second.status_code == 200
    assert "last-modified" not in second.headers


def test_a_feed_that_ends_is_modified_when_it_ends(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1, updated_at=NOON - timedelta(days=9))
    newsroom.add_theme("ferries", title="Ferries")
    path = "/feeds/all/theme/ferries.atom"
    first = client.get(path)
    # when
    newsroom.retire_theme("ferries", now=NOON - timedelta(days=1))
    second = client.get(path, headers={"If-Modified-Since": first.headers["last-modified"]})
    # then
    assert second.status_code == 200
    assert b"This feed has ended" in second.content
    assert second.headers["last-modified"] == "Thu, 19 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/feeds/all/%61ll.atom", "/feeds/all/all.atom"),
        ("/feeds/all/theme%2Fasylum.html", "/feeds/all/theme/asylum.html"),
        ("/feeds/all/mi%78.atom?kind=call", "/feeds/all/mix.atom?kind=call"),
        ("/feeds", "/feeds/"),
        ("/feeds/fr", "/feeds/fr/"),
    ],
)
def test_another_spelling_of_a_path_is_redirected_within_the_site(
    newsroom: Newsroom, client: httpx.Client, path: str, location: str
) -> None:
    # when
    answer = client.get(path, headers={"Host": "elsewhere.example"})
    below = httpx_below(newsroom, path)
    # then
    assert (answer.status_code, answer.headers["location"]) == (301, location)
    assert client.get(location).status_code == 200
    assert [one.headers["location"] for one in below] == ["/news" + location] * 2


def httpx_below(newsroom: Newsroom, path: str) -> list[httpx.Response]:
    """Asked of a site below a path, whose proxy passes that path on or does not."""
    with open_web(with_base_url(newsroom.app, "https://harbour.example/news")) as client:
        return [client.get(prefix + path) for prefix in ("/news", "")]
