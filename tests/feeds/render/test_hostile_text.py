import json
from collections.abc import Callable

import feedparser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds.model import Image, Item
from feeds.paths import FORMATS
from feeds.render import Feed, FeedInfo, Tombstone, check_document, make_feed, render
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

# Titles of 100 KB take their time where others use the machine too.
same_fixtures = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=60
)


LONG_TEXT = ANY_TEXT.map(lambda text: (text or "x") * (100_000 // max(len(text), 1)))
PLAIN_FIELDS = {"title": ANY_TEXT, "summary": ANY_TEXT, "content_html": ANY_HTML, "authors": st.tuples(ANY_TEXT)}
FIELDS = st.one_of(
    st.fixed_dictionaries(PLAIN_FIELDS),
    st.fixed_dictionaries(PLAIN_FIELDS | {"title": LONG_TEXT}),
    st.fixed_dictionaries(
        PLAIN_FIELDS | {"images": st.just((Image("https://h.example/i.png", "image/png", 9),)), "title": ANY_HTML}
    ),
)
HOSTILE = st.tuples(st.lists(FIELDS, max_size=3), ANY_TEXT)
"""Fields of items, and the comment of a tombstone."""


@given(HOSTILE)
@same_fixtures
def test_any_text_gives_well_formed_feeds_that_keep_title_and_link(
    info: FeedInfo, make_item: Callable[..., Item], hostile: tuple[list[dict[str, object]], str]
) -> None:
    # given
    feed, items = make_hostile_feed(info, make_item, hostile)
    # when
    documents = {form: render(feed, form) for form in FORMATS}
    # then
    expected = [(clean_text(item.title, LONGEST_TITLE) or item.url, item.url) for item in items]
    assert read_atom(documents["atom"]) == expected
    assert read_rss(documents["rss"]) == expected
    assert read_json(documents["json"]) == expected
    for form, document in documents.items():
        check_document(document, feed, form)
    assert not feedparser.parse(documents["atom"]).bozo
    assert not feedparser.parse(documents["rss"]).bozo


@given(HOSTILE)
@same_fixtures
def test_the_same_items_give_the_same_bytes(
    info: FeedInfo, make_item: Callable[..., Item], hostile: tuple[list[dict[str, object]], str]
) -> None:
    first, second = (make_hostile_feed(info, make_item, hostile)[0] for _ in range(2))
    for form in FORMATS:
        assert render(first, form) == render(second, form)


def make_hostile_feed(
    info: FeedInfo, make_item: Callable[..., Item], hostile: tuple[list[dict[str, object]], str]
) -> tuple[Feed, list[Item]]:
    fields, comment = hostile
    items = [make_item(number, **values) for number, values in enumerate(fields, start=1)]
    return make_feed(info, items, [Tombstone("uid99", info.updated, comment)]), items


def read_atom(document: bytes) -> list[tuple[str | None, str | None]]:
    names = {"a": "http://www.w3.org/2005/Atom"}
    entries = etree.fromstring(document).findall("a:entry", names)
    return [(entry.findtext("a:title", namespaces=names), entry.find("a:link", names).get("href")) for entry in entries]


def read_rss(document: bytes) -> list[tuple[str | None, str | None]]:
    return [(item.findtext("title"), item.findtext("link")) for item in etree.fromstring(document).iter("item")]


def read_json(document: bytes) -> list[tuple[str, str]]:
    return [(item["title"], item["url"]) for item in json.loads(document)["items"]]
