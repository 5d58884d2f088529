from collections.abc import Callable
from dataclasses import replace

import feedparser
from lxml import etree

from feeds.model import Item
from feeds.render import FeedInfo, make_feed, render

NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
}


def test_the_channel_says_what_the_feed_is(info: FeedInfo) -> None:
    # when
    channel = parse(info, [])
    # then
    assert channel.findtext("title") == "Harbour News"
    assert channel.findtext("description") == "All the news of the harbour"
    assert channel.findtext("link") == "https://harbour.example/feeds/en/all.html"
    assert channel.findtext("language") == "en"
    assert channel.findtext("copyright") == "© Harbour News"
    assert channel.findtext("lastBuildDate") == "Fri, 20 Nov 2026 12:00:00 +0000"
    assert channel.findtext("ttl") == "5"
    link = channel.find("atom:link", NS)
    assert link is not None
    assert dict(link.attrib) == {
        "href": "https://harbour.example/feeds/en/all.rss",
        "rel": "self",
        "type": "application/rss+xml",
    }


def test_an_item_holds_all_that_is_known_of_it(info: FeedInfo, make_item: Callable[..., Item]) -> None:
    # when
    item = parse(info, [make_item(language="fr")]).find("item")
    # then
    assert item is not None
    guid = item.find("guid")
    assert guid is not None
    assert (guid.text, guid.get("isPermaLink")) == ("tag:harbour.example,2026:uid01", "false")
    assert item.findtext("link") == "https://harbour.example/news/1"
    assert item.findtext("pubDate") == "Thu, 19 Nov 2026 12:00:00 +0000"
    assert item.findtext("dc:creator", namespaces=NS) == "Ada Marin"
    assert item.findtext("dc:language", namespaces=NS) == "fr"
    assert "the lines" in (item.findtext("content:encoded", namespaces=NS) or "")
    assert [(category.text, category.get("domain")) for category in item.findall("category")] == [
        ("Work", "tag:harbour.example,2026:theme"),
        ("Europe", "tag:harbour.example,2026:region"),
        ("Open call", "tag:harbour.example,2026:kind"),
    ]


def test_a_summary_with_markup_characters_is_read_as_text(info: FeedInfo, make_item: Callable[..., Item]) -> None:
    # given
    item = make_item(summary="if a<b & c>d", content_html="")
    # when
    parsed = feedparser.parse(render(make_feed(info, [item]), "rss"))
    # then
    assert not parsed.bozo
    assert parsed.entries[0].summary == "if a&lt;b &amp; c&gt;d"


def test_a_feed_of_several_languages_names_none(info: FeedInfo, make_item: Callable[..., Item]) -> None:
    # given
    mixed = replace(info, language=None, rights="")
    # when
    channel = parse(mixed, [make_item(1), make_item(2, language="ru", authors=())])
    # then
    assert channel.find("language") is None
    assert channel.find("copyright") is None
    assert [item.findtext("dc:language", namespaces=NS) for item in channel.findall("item")] == ["en", "ru"]


def parse(info: FeedInfo, items: list[Item]) -> etree._Element:
    channel = etree.fromstring(render(make_feed(info, items), "rss")).find("channel")
    assert channel is not None
    return channel
