from dataclasses import replace

import httpx
import pytest
from feed_newsroom import Newsroom
from lxml import etree, html

from feeds.paths import FORMATS
from publisher.usecases.feed_directory import compile_directory
from publisher.usecases.feeds import list_feeds, read_catalogue


def test_the_page_links_to_every_feed_in_every_format(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    feeds = list(list_feeds(read_catalogue(newsroom.app)))
    # when
    page = html.fromstring(client.get("/feeds/").content, base_url="http://harbour.example/feeds/")
    # then
    links = page.xpath("//section//a/@href")
    assert len(links) == len(set(links)) == len(feeds) * len(FORMATS)
    for link in links[:: len(links) // 20]:
        assert client.get(f"/feeds/{link}").status_code == 200


def test_feed_readers_find_the_feeds_of_each_language(client: httpx.Client) -> None:
    # when
    page = html.fromstring(client.get("/feeds/").content)
    # then
    found = page.xpath("//head/link[@rel='alternate' and @type='application/atom+xml']/@href")
    assert found == ["all/all.atom", "en/all.atom", "fr/all.atom", "ru/all.atom"]


def test_names_stand_in_the_language_of_their_section(client: httpx.Client) -> None:
    # when
    page = html.fromstring(client.get("/feeds/").content)
    # then
    assert page.xpath("//section[@id='fr']//span[@lang='fr']/text()")[0] == "Asile et protection"
    assert page.xpath("//section[@id='ru']/h2[@lang='ru']/text()") == ["русский"]


def test_the_page_is_fit_for_screen_readers(client: httpx.Client) -> None:
    # when
    page = html.fromstring(client.get("/feeds/").content)
    # then
    assert page.get("lang") == "en"
    assert len(page.xpath("//h1")) == 1
    labels = page.xpath("//section//a/@aria-label")
    assert len(labels) == len(set(labels)) == len(page.xpath("//section//a"))
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert set(page.xpath("//@aria-labelledby")) <= set(ids)


def test_the_page_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    # when
    answer = client.get("/feeds/")
    # then
    page = html.fromstring(answer.content)
    assert page.xpath("//link[@rel='stylesheet']/@href") == ["../static/style.css", "style.css"]
    assert not page.xpath("//script | //img | //iframe")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert client.get("/feeds/style.css").headers["content-type"] == "text/css; charset=utf-8"


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
        "htmlUrl": "https://harbour.example/feeds/",
    }


@pytest.mark.parametrize("path", ["/feeds/", "/feeds/index.html", "/feeds/index.opml", "/feeds/style.css"])
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
