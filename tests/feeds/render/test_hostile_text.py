import json
from collections.abc import Callable

import feedparser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds.model import Item
from feeds.paths import FORMATS
from feeds.render import FeedInfo, make_feed, render
from feeds.text import LONGEST_TITLE, clean_text

ANY_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.sampled_from(
        [
            "]]>",
            "<![CDATA[",
            "&#0;",
            "<b>bold</b>",
            "\u202eevil",
            "👩‍👩‍👧 family",
            "مرحبا بالعالم",
            "a\r\nb",
            "\ud800",
            "&amp;",
        ]
    ),
)
ANY_HTML = st.lists(
    st.one_of(
        ANY_TEXT, st.sampled_from(["<p>", "</p>", "<script>", "<svg onload=x>", "<!--", "<a href='//x/y'>", "<p"])
    )
).map("".join)

same_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


HOSTILE_FIELDS = st.fixed_dictionaries(
    {"title": ANY_TEXT, "summary": ANY_TEXT, "content_html": ANY_HTML, "authors": st.tuples(ANY_TEXT)}
)


@given(HOSTILE_FIELDS)
@same_fixtures
def test_any_text_gives_well_formed_feeds_that_keep_title_and_link(
    info: FeedInfo, make_item: Callable[..., Item], fields: dict[str, str]
) -> None:
    # given
    item = make_item(**fields)
    # when
    documents = {form: render(make_feed(info, [item]), form) for form in FORMATS}
    # then
    expected = (clean_text(item.title, LONGEST_TITLE) or item.url, item.url)
    assert read_atom(documents["atom"]) == expected
    assert read_rss(documents["rss"]) == expected
    assert read_json(documents["json"]) == expected
    assert not feedparser.parse(documents["atom"]).bozo


@given(HOSTILE_FIELDS)
@same_fixtures
def test_the_same_items_give_the_same_bytes(
    info: FeedInfo, make_item: Callable[..., Item], fields: dict[str, str]
) -> None:
    for form in FORMATS:
        first, second = (render(make_feed(info, [make_item(**fields)]), form) for _ in range(2))
        assert first == second


def read_atom(document: bytes) -> tuple[str | None, str | None]:
    names = {"a": "http://www.w3.org/2005/Atom"}
    entry = etree.fromstring(document).find("a:entry", names)
    assert entry is not None
    link = entry.find("a:link", names)
    assert link is not None
    return entry.findtext("a:title", namespaces=names), link.get("href")


def read_rss(document: bytes) -> tuple[str | None, str | None]:
    item = etree.fromstring(document).find("channel/item")
    assert item is not None
    return item.findtext("title"), item.findtext("link")


def read_json(document: bytes) -> tuple[str, str]:
    (item,) = json.loads(document)["items"]
    return item["title"], item["url"]
