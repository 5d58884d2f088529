from dataclasses import replace
from urllib.parse import urljoin

import httpx
import pytest
from feed_newsroom import Newsroom
from lxml import etree, html

from feeds.model import Classification
from feeds.paths import page_path_of
from publisher.usecases.feed_directory import compile_directory
from publisher.usecases.feeds import list_feeds, read_catalogue


def test_every_feed_is_reached_from_the_directory_by_links(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    wanted = {page_path_of(criteria) for criteria in list_feeds(read_catalogue(newsroom.app))}
    # when
    seen, waiting = set(), ["/feeds/"]
    while waiting and not wanted <= seen:
        path = waiting.pop()
        page = html.fromstring(client.get(path).raise_for_status().content)
        found = {urljoin(path, link) for link in page.xpath("//main//a/@href") if "mix.html" not in link}
        new = {link for link in found if link.startswith("/feeds/") and link.endswith(("/", ".html"))} - seen
        seen |= new
        waiting += new
    # then
    assert wanted <= seen


@pytest.mark.parametrize("path", ["/feeds/", "/feeds/en/", "/feeds/fr/", "/feeds/ru/"])
def test_a_page_of_the_directory_is_small_and_its_links_answer(client: httpx.Client, path: str) -> None:
    # when
    answer = client.get(path)
    # then
    assert len(answer.content) < 20_000
    links = html.fromstring(answer.content).xpath("//main//a/@href")
    assert len(links) == 4 + 1 + 7 + 7 + 7 + 1  # languages, everything, themes, regions, kinds, OPML
    for link in links:
        assert client.get(urljoin(path, link)).status_code == 200, link


@pytest.mark.parametrize(
    ("path", "found"), [("/feeds/", "all/all"), ("/feeds/fr/", "fr/all"), ("/feeds/en/index.html", "en/all")]
)
def test_feed_readers_find_the_feed_of_everything(client: httpx.Client, path: str, found: str) -> None:
    # when
    page = html.fromstring(client.get(path).content)
    # then
    links = page.xpath("//head/link[@rel='alternate' and @type]")
    urls = {link.get("type"): link.get("href") for link in links}
    assert urls["application/atom+xml"] == f"https://harbour.example/feeds/{found}.atom"
    assert {"application/rss+xml", "application/feed+json", "text/x-opml"} <= set(urls)
    assert page.xpath("//link[@rel='canonical']/@href") == ["https://harbour.example" + path.removesuffix("index.html")]


def test_the_directory_of_a_language_speaks_it(client: httpx.Client) -> None:
    # when
    page = html.fromstring(client.get("/feeds/ru/").content)
    # then
    assert page.get("lang") == "ru"
    assert page.xpath("//h1/text()") == ["Ленты"]
    assert "Убежище и защита" in page.xpath("//main//li/a//text()")
    assert page.xpath("//nav//a[@aria-current='page']/text()") == ["русский"]


def test_a_feed_says_how_much_it_gets(newsroom: Newsroom, client: httpx.Client) -> None:
    # given a newsroom of four weeks
    for number in range(1, 25):
        newsroom.put(number)
    newsroom.put(28, classification=Classification(("trafficking",), "trafficking", regions=("global",)))
    newsroom.put(300, classification=Classification(("trafficking",), "trafficking", regions=("global",)))
    # when
    page = html.fromstring(client.get("/feeds/en/").content)
    # then
    rates = {
        link.text_content(): link.getnext().text_content()
        for link in page.xpath("//section//li/a[following-sibling::*]")
    }
    assert rates["Asylum and protection"] == "about 2 items a week"
    assert rates["Sub-Saharan Africa"] == "about 2 items a week"
    assert rates["Trafficking in human beings"] == rates["Silk Routes"] == "less than one item a week"
    assert rates["Migration and development"] == "nothing new lately"
    assert rates["Open call"] == "about 2 items a week"


def test_the_pages_load_nothing_from_elsewhere(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1)
    for path in ("/feeds/", "/feeds/fr/", "/feeds/en/theme/asylum/region/africa.html", "/feeds/find?theme=asylum"):
        # when
        answer = client.get(path)
        # then
        page = html.fromstring(answer.content)
        for address in page.xpath("//link[@rel='stylesheet']/@href | //script/@src"):
            assert client.get(urljoin(path, address)).status_code == 200 or address.endswith("static/style.css")
            assert "//" not in address
        assert not page.xpath("//img | //iframe | //style | //script[not(@src)] | //@style | //@onclick")
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert policy.endswith("; script-src 'self'")
    assert client.get("/feeds/style.css").headers["content-type"] == "text/css; charset=utf-8"
    assert client.get("/feeds/copy.js").headers["content-type"] == "text/javascript; charset=utf-8"


def test_opml_names_every_feed_once(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    feeds = list(list_feeds(read_catalogue(newsroom.app)))
    # when
    answer = client.get("/feeds/index.opml")
    # then
    root = etree.fromstring(answer.content)
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert root.findtext("head/title") == "Harbour News: feeds"
    outlines = root.findall("body/outline/outline")
    urls = [outline.get("xmlUrl") for outline in outlines]
    assert len(urls) == len(set(urls)) == len(feeds)
    names = [outline.get("text") for outline in outlines]
    assert len(names) == len(set(names))
    assert dict(outlines[0].attrib) == {
        "type": "rss",
        "text": "Harbour News: Everything (All languages)",
        "title": "Harbour News: Everything (All languages)",
        "xmlUrl": "https://harbour.example/feeds/all/all.atom",
        "htmlUrl": "https://harbour.example/feeds/all/all.html",
    }


@pytest.mark.parametrize(
    "path", ["/feeds/", "/feeds/fr/", "/feeds/index.html", "/feeds/index.opml", "/feeds/style.css", "/feeds/copy.js"]
)
def test_the_directory_is_not_sent_twice(client: httpx.Client, path: str) -> None:
    # given
    first = client.get(path)
    # when
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    # then
    assert (first.status_code, again.status_code) == (200, 304)


def test_a_new_theme_of_the_organisation_appears(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    before = client.get("/feeds/").text
    # when
    newsroom.add_theme("ferries", title="Ferries <&> boats")
    # then
    after = client.get("/feeds/").text
    assert "Ferries" not in before
    assert "Ferries &lt;&amp;&gt; boats" in after
    assert client.get("/feeds/all/theme/ferries.atom").status_code == 200
    assert etree.fromstring(client.get("/feeds/index.opml").content) is not None


def test_a_hostile_site_name_breaks_neither_page_nor_opml(newsroom: Newsroom) -> None:
    # given
    config = newsroom.app.config
    site = config.site.model_copy(update={"name": "<script>\x1b\ud800</script>"})
    app = replace(newsroom.app, config=config.model_copy(update={"site": site}))
    # when
    documents = compile_directory(app, read_catalogue(app))
    # then
    assert b"<script>" not in documents["index.html"].plain.body
    assert etree.fromstring(documents["index.opml"].plain.body) is not None
