from collections.abc import Callable

import feedparser
from lxml import etree

from feeds.model import Item
from feeds.render import FeedInfo, make_feed, render

NS = {"a": "http://www.w3.org/2005/Atom", "xml": "http://www.w3.org/XML/1998/namespace"}


def test_the_head_says_what_the_feed_is(info: FeedInfo, make_item: Callable[..., Item]) -> None:
    # when
    root = parse(info, [make_item()])
    # then
    assert root.findtext("a:id", namespaces=NS) == "tag:harbour.example,2026:feeds/en/all"
    assert root.findtext("a:title", namespaces=NS) == "Harbour News"
    assert root.findtext("a:updated", namespaces=NS) == "2026-11-20T12:00:00+00:00"
    assert root.findtext("a:author/a:name", namespaces=NS) == "Harbour News"
    assert root.findtext("a:rights", namespaces=NS) == "© Harbour News"
    assert root.findtext("a:generator", namespaces=NS) == "Publisher"
    assert root.get(f"{{{NS['xml']}}}lang") == "en"


def test_the_head_links_to_itself_other_formats_other_languages_and_the_page(info: FeedInfo) -> None:
    # when
    links = [dict(link.attrib) for link in parse(info, []).findall("a:link", NS)]
    # then
    base = "https://harbour.example/feeds"
    assert links == [
        {"href": f"{base}/en/all.atom", "rel": "self", "type": "application/atom+xml"},
        {"href": f"{base}/en/all.rss", "rel": "alternate", "type": "application/rss+xml"},
        {"href": f"{base}/en/all.json", "rel": "alternate", "type": "application/feed+json"},
        {"href": f"{base}/en/all.ics", "rel": "alternate", "type": "text/calendar"},
        {"href": f"{base}/fr/all.atom", "rel": "alternate", "type": "application/atom+xml", "hreflang": "fr"},
        {"href": f"{base}/en/all.html", "rel": "alternate", "type": "text/html"},
    ]


def test_an_entry_holds_all_that_is_known_of_the_item(info: FeedInfo, make_item: Callable[..., Item]) -> None:
    # when
    entry = parse(info, [make_item()]).find("a:entry", NS)
    # then
    assert entry is not None
    assert entry.findtext("a:id", namespaces=NS) == "tag:harbour.example,2026:uid01"
    assert entry.findtext("a:published", namespaces=NS) == "2026-11-19T12:00:00+00:00"
    assert entry.findtext("a:updated", namespaces=NS) == "2026-11-20T11:00:00+00:00"
    assert entry.findtext("a:author/a:name", namespaces=NS) == "Ada Marin"
    assert entry.findtext("a:summary", namespaces=NS) == "The council & the port open line 1."
    assert [dict(category.attrib) for category in entry.findall("a:category", NS)] == [
        {"term": "labour", "scheme": "tag:harbour.example,2026:theme", "label": "Work"},
        {"term": "europe", "scheme": "tag:harbour.example,2026:region", "label": "Europe"},
        {"term": "call", "scheme": "tag:harbour.example,2026:kind", "label": "Open call"},
    ]


def test_an_id_outlives_url_title_and_dates(info: FeedInfo, make_item: Callable[..., Item]) -> None:
    # given
    before, after = make_item(1), make_item(2, uid="uid01", title="Renamed", language="fr")
    # when
    ids = [parse(info, [item]).findtext("a:entry/a:id", namespaces=NS) for item in (before, after)]
    # then
    assert ids[0] == ids[1]


def test_links_of_content_are_absolute_and_scripts_are_gone(info: FeedInfo, make_item: Callable[..., Item]) -> None:
    # given
    hostile = '<p><a href="../map">Map</a><a href="javascript:x()">x</a><script>x()</script><img src=x onerror=x()></p>'
    # when
    content = parse(info, [make_item(content_html=hostile)]).findtext("a:entry/a:content", namespaces=NS)
    # then
    assert content is not None
    assert 'href="https://harbour.example/map"' in content
    assert "x()" not in content


def test_feedparser_reads_what_was_written(info: FeedInfo, make_item: Callable[..., Item]) -> None:
    # given
    items = [make_item(1, title="<b>Bold</b> & 5 < 6"), make_item(2, language="ru", title="Паром")]
    # when
    parsed = feedparser.parse(render(make_feed(info, items), "atom"))
    # then
    assert not parsed.bozo
    assert [entry.link for entry in parsed.entries] == [item.url for item in items]
    assert parsed.entries[1].title == "Паром"
    assert parsed.entries[0].title_detail.type == "text/plain"


def parse(info: FeedInfo, items: list[Item]) -> etree._Element:
    return etree.fromstring(render(make_feed(info, items), "atom"))
