import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import feedparser
import httpx
import pytest
from lxml import html
from starlette.applications import Starlette
from starlette.routing import Mount

from feeds.articles import read_article
from feeds.listing import parse_listing
from feeds.sources import Source, parse_source
from feeds.syndication import parse_feed
from publisher.demo.content import load_newsroom, newsroom_toml
from publisher.demo.dates import ZONE
from publisher.demo.site import FEED_SIZE, site_app

START = datetime(2027, 2, 26, 9, tzinfo=UTC)
CORRECTED = "/news/cost-of-sending-money-to-the-gambia"


class HandClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def site(serve, clock: HandClock) -> httpx.Client:
    return serve(site_app(load_newsroom(), start=START, now=clock))


def _document(client: httpx.Client, path: str) -> html.HtmlElement:
    response = client.get(path)
    assert response.status_code == 200, path
    return html.fromstring(response.content)


def _listed(client: httpx.Client, path: str) -> Iterator[html.HtmlElement]:
    """The pages of a list, following its own links."""
    while path:
        document = _document(client, path)
        yield document
        older = document.cssselect("nav.pages a[rel=next]")
        path = urljoin(path, older[0].get("href")) if older else ""


def _text_of_list(client: httpx.Client, path: str) -> str:
    return " ".join(document.text_content() for document in _listed(client, path))


def test_every_link_of_every_page_answers(site: httpx.Client) -> None:
    seen, waiting = set(), ["/"]
    while waiting:
        path = waiting.pop()
        response = site.get(path)
        assert response.status_code == 200, path
        seen.add(path)
        if "html" in response.headers["Content-Type"]:
            links = html.fromstring(response.content).xpath("//@href")
            found = {urljoin(path, link).partition("#")[0] for link in links if not link.startswith("http")}
            waiting += [link for link in found - seen if link not in waiting]

    assert len(seen) > 40


def test_the_list_shows_each_story_once_over_its_pages(site: httpx.Client) -> None:
    documents = list(_listed(site, "/news/"))

    links = [link.get("href") for document in documents for link in document.cssselect(".story-title a")]
    assert len(documents) >= 3
    assert len(links) == len(set(links)) >= 27


def _sources(site: httpx.Client) -> dict[str, Source]:
    entries = tomllib.loads(newsroom_toml(str(site.base_url)))["sources"]
    return {entry["id"]: parse_source(entry) for entry in entries}


@pytest.mark.parametrize(("source_id", "least"), [("news", 27), ("press", 6)])
def test_the_listings_of_the_demo_are_read_whole(site: httpx.Client, source_id: str, least: int) -> None:
    source = _sources(site)[source_id]
    entries, url = [], source.url
    while url:
        page = parse_listing(site.get(url).text, source, url=url)
        entries += page.entries
        url = page.next_url

    assert len(entries) >= least
    assert all(entry.given and entry.summary for entry in entries)
    assert all(entry.title or source.follow for entry in entries)


@pytest.mark.parametrize(("source_id", "least"), [("actualites", 8), ("novosti", 7)])
def test_the_feeds_of_the_demo_are_read_whole(site: httpx.Client, source_id: str, least: int) -> None:
    source = _sources(site)[source_id]

    document = parse_feed(site.get(source.url).content, source, url=source.url)

    assert len(document.entries) >= least
    assert document.remarks == ()
    assert all(entry.given and entry.title and entry.summary for entry in document.entries)


def test_a_press_release_is_read_with_its_title_and_address(site: httpx.Client) -> None:
    url = f"{site.base_url}/news/voluntary-return-tunis-abidjan"

    entry = read_article(site.get(url).text, link=url, url=url, zone=ZONE)

    assert entry.title == "First group returns voluntarily from Tunisia to Côte d’Ivoire with new support"
    assert entry.canonical == url


def test_a_press_release_has_its_title_on_its_own_page(site: httpx.Client) -> None:
    links = [link.get("href") for page in _listed(site, "/press/") for link in page.cssselect("a.release-link")]

    titles = [_document(site, link).cssselect("h1")[0].text_content() for link in links]

    assert len(titles) == len(set(titles)) >= 5
    assert all(titles)


def test_a_story_appears_at_its_hour_and_not_before(site: httpx.Client, clock: HandClock) -> None:
    clock.moment = START + timedelta(hours=2, minutes=59)
    before = site.get("/news/host-towns-call")
    clock.moment = START + timedelta(hours=3)
    after = site.get("/news/host-towns-call")

    assert before.status_code == 404
    assert after.status_code == 200
    assert "/news/host-towns-call" in site.get("/news/").text


def test_the_wrong_figure_is_corrected_on_the_page_and_in_the_list(site: httpx.Client, clock: HandClock) -> None:
    before, list_before = site.get(CORRECTED), _text_of_list(site, "/news/")
    clock.moment = START + timedelta(hours=20)
    after, list_after = site.get(CORRECTED), _text_of_list(site, "/news/")

    assert "Correction" not in before.text
    assert "Correction" in after.text
    assert before.headers["ETag"] != after.headers["ETag"]
    for text in (before.text, list_before):
        assert "from 9 to 3 per cent" in text
    for text in (after.text, list_after):
        assert "from 9 to 6 per cent" in text
        assert "from 9 to 3 per cent" not in text


@pytest.mark.parametrize("path", ["/", "/news/", "/press/", CORRECTED, "/fr/rss.xml", "/ru/feed.json"])
def test_a_reader_that_has_the_page_is_told_so(site: httpx.Client, clock: HandClock, path: str) -> None:
    first = site.get(path)
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]

    assert site.get(path, headers={"If-None-Match": f'"other", W/{etag}'}).status_code == 304
    assert site.get(path, headers={"If-None-Match": "*"}).status_code == 304
    assert site.get(path, headers={"If-Modified-Since": modified}).status_code == 304
    assert site.get(path, headers={"If-Modified-Since": modified, "If-None-Match": '"other"'}).status_code == 200
    assert site.get(path, headers={"If-Modified-Since": "soon"}).status_code == 200
    assert parsedate_to_datetime(modified) <= clock.moment


def test_a_304_has_the_etag_and_no_body(site: httpx.Client) -> None:
    first = site.get("/news/")

    again = site.get("/news/", headers={"If-None-Match": first.headers["ETag"]})

    assert again.content == b""
    assert again.headers["ETag"] == first.headers["ETag"]


def test_a_new_story_ends_the_304(site: httpx.Client, clock: HandClock) -> None:
    first = site.get("/ru/feed.json")
    clock.moment = START + timedelta(hours=17)

    again = site.get(
        "/ru/feed.json",
        headers={"If-None-Match": first.headers["ETag"], "If-Modified-Since": first.headers["Last-Modified"]},
    )

    assert again.status_code == 200
    assert len(again.json()["items"]) == len(first.json()["items"]) + 1


def test_a_head_request_answers_like_a_get_without_its_body(site: httpx.Client) -> None:
    get, head = site.get("/news/"), site.head("/news/")

    assert head.content == b""
    assert head.headers["ETag"] == get.headers["ETag"]


def test_the_french_feed_is_rss_that_a_reader_understands(site: httpx.Client) -> None:
    response = site.get("/fr/rss.xml")

    feed = feedparser.parse(response.content, response_headers=dict(response.headers))

    assert feed.bozo is False
    assert feed.version == "rss20"
    assert 8 <= len(feed.entries) <= FEED_SIZE
    assert all(entry.link.startswith(str(site.base_url)) for entry in feed.entries)
    assert all(entry.published_parsed and entry.content[0].value.startswith("<p>") for entry in feed.entries)
    assert [entry.published_parsed for entry in feed.entries] == sorted(
        (entry.published_parsed for entry in feed.entries), reverse=True
    )


def test_the_russian_feed_is_a_json_feed_in_russian(site: httpx.Client) -> None:
    response = site.get("/ru/feed.json")

    feed = response.json()

    assert response.headers["Content-Type"].startswith("application/feed+json")
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["language"] == "ru"
    assert all(item["id"] and item["url"].startswith(str(site.base_url)) for item in feed["items"])
    assert all(datetime.fromisoformat(item["date_published"]).tzinfo for item in feed["items"])


@pytest.mark.parametrize(
    "path", ["/news/nothing", "/news/?page=0", "/news/?page=99", "/news/?page=%D9%A1", "/news/?page=-1", "/news/?page="]
)
def test_what_does_not_exist_is_a_404_for_people(site: httpx.Client, path: str) -> None:
    response = site.get(path)

    assert response.status_code == 404
    assert "There is no such page" in response.text


@pytest.mark.parametrize(
    ("path", "language"),
    [("/", "en"), ("/fr/", "fr"), ("/ru/", "ru"), ("/news/novyy-centr-priema-gyumri", "ru"), (CORRECTED, "en")],
)
def test_a_page_says_its_language_and_has_one_heading_of_the_first_level(
    site: httpx.Client, path: str, language: str
) -> None:
    document = _document(site, path)

    assert document.get("lang") == language
    assert len(document.cssselect("h1")) == 1
    assert len(document.cssselect("main")) == 1


def test_no_page_loads_anything_from_another_host_or_runs_a_script(site: httpx.Client) -> None:
    for path in ("/", "/news/", "/press/", CORRECTED):
        response = site.get(path)
        document = html.fromstring(response.content)
        assert not document.cssselect("script, img, iframe, style")
        assert all(link.get("href").startswith("/") for link in document.cssselect("link[rel=stylesheet]"))
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_the_site_can_stand_under_a_path(serve, clock: HandClock) -> None:
    app = site_app(load_newsroom(), start=START, now=clock)
    client = serve(Starlette(routes=[Mount("/newsroom", app)]))

    document = _document(client, "/newsroom/news/?page=2")

    links = document.xpath("//a/@href")
    assert all(link.startswith(("/newsroom/", "#")) for link in links)
    assert all(client.get(link).status_code == 200 for link in links if link.startswith("/"))
    assert "/newsroom/news/" in client.get("/newsroom/fr/rss.xml").text
