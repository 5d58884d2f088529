"""Source settings: what is accepted, and what a refusal says."""

from typing import Any

import pytest

from feeds.sources import Select, Source, parse_source

LISTING: dict[str, Any] = {
    "id": "press",
    "kind": "listing",
    "url": "https://harbour.example/press/",
    "language": "en",
    "every": "2h",
    "select": {"item": "li.release"},
}
FEED: dict[str, Any] = {
    "id": "rss",
    "kind": "feed",
    "url": "https://harbour.example/rss",
    "language": "fr",
    "every": "1d",
}


def test_a_short_entry_has_cautious_defaults() -> None:
    source = parse_source(FEED)

    assert source == Source("rss", "feed", "https://harbour.example/rss", "fr", 86_400)
    assert not source.internal
    assert source.backlog == "feeds"


def test_every_key_of_a_listing_is_understood() -> None:
    select = {
        "item": "li.release",
        "title": "h2",
        "link": "a.more",
        "date": "time",
        "date_format": ["%d %B %Y", "%d.%m.%Y"],
        "date_pattern": r"\|\s*(.+)$",
        "summary": "p",
        "category": ".label",
        "next": "a[rel=next]",
        "drop": ".advert",
    }
    entry = LISTING | {"select": select, "follow": True, "internal": True, "backlog": "digest", "timezone": "Asia/Baku"}

    source = parse_source(entry)

    assert source.select == Select(
        item="li.release",
        title="h2",
        link="a.more",
        date="time",
        date_formats=("%d %B %Y", "%d.%m.%Y"),
        date_pattern=r"\|\s*(.+)$",
        summary="p",
        category=".label",
        next="a[rel=next]",
        drop=".advert",
    )
    assert (source.follow, source.internal, source.backlog) == (True, True, "digest")
    assert source.every_s == 7_200
    assert source.zone.key == "Asia/Baku"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "Press Room"}, "id 'Press Room' does not fit"),
        ({"colour": "red"}, "sources.press.colour: unknown key"),
        ({"kind": "sitemap"}, "sources.press.kind: 'sitemap' is not supported yet"),
        ({"kind": "folder"}, "sources.press.kind: 'folder' is not supported yet"),
        ({"kind": "stream"}, "sources.press.kind: 'stream' is unknown. Use one of: listing, feed"),
        ({"kind": 1}, "sources.press.kind"),
        ({"url": "harbour.example"}, "sources.press.url: .* is not an http or https URL"),
        ({"url": "ftp://harbour.example/"}, "sources.press.url"),
        ({"url": "https://me:secret@harbour.example/"}, "sources.press.url: .* user name"),
        ({"url": "https://harbour.example/a b"}, "sources.press.url: .* spaces"),
        ({"url": "https://harbour.example:port/"}, "sources.press.url: .* is not a URL"),
        ({"url": ["https://harbour.example/"]}, "sources.press.url"),
        ({"language": "sl-rozaj-biske-1994"}, "sources.press.language: .* does not fit"),
        ({"language": "English"}, 'sources.press.language: .* Use a code like "en"'),
        ({"every": "soon"}, "sources.press.every: 'soon' does not fit"),
        ({"every": "0m"}, "sources.press.every"),
        ({"every": 30}, "sources.press.every"),
        ({"every": "400d"}, "sources.press.every: .* longer than 31 days"),
        ({"internal": "yes"}, "sources.press.internal: 'yes' is neither true nor false"),
        ({"backlog": "all"}, "sources.press.backlog: 'all' is unknown"),
        ({"timezone": "Vienna"}, "sources.press.timezone: 'Vienna' is not a time zone"),
        ({"timezone": "../etc/passwd"}, "sources.press.timezone"),
        ({"select": None}, "sources.press.select: is missing"),
        ({"select": {}}, "sources.press.select.item: is missing"),
        ({"select": {"item": "li["}}, r"sources.press.select.item: 'li\[' is not a CSS selector"),
        ({"select": {"item": ""}}, "sources.press.select.item"),
        ({"select": {"item": "li", "colour": "red"}}, "sources.press.select.colour: unknown key"),
        ({"select": {"item": "li", "title": 5}}, "sources.press.select.title"),
        ({"select": {"item": "li", "date_format": "%d %B"}}, "sources.press.select.date_format: .* names no year"),
        ({"select": {"item": "li", "date_format": 7}}, "sources.press.select.date_format: 7 is no date format"),
        ({"select": {"item": "li", "date_pattern": "("}}, "sources.press.select.date_pattern: .* regular expression"),
        ({"kind": "feed"}, "sources.press.select: is for listings"),
    ],
)
def test_a_refusal_names_the_key_and_the_problem(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_source(LISTING | change)


@pytest.mark.parametrize("key", ["id", "kind", "url", "language", "every", "select"])
def test_what_a_source_cannot_do_without_is_asked_for(key: str) -> None:
    entry = {name: value for name, value in LISTING.items() if name != key}

    with pytest.raises(ValueError, match=key):
        parse_source(entry)
