"""The gate: what a document says when it is read back must be what the feed holds, else nobody gets to see it.

XML is parsed by lxml, JSON checked against the schema of JSON Feed 1.1; then the id, title and link of every entry are
compared. feedparser and icalendar would take ten times as long as rendering did, so they read feeds in tests only.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import fastjsonschema
from lxml import etree

from feeds.paths import Format
from feeds.render.feed import Feed, tag_uri
from feeds.render.icalendar import list_entries, read_calendar
from feeds.render.json_feed_schema import JSON_FEED_SCHEMA

Entry = tuple[str | None, str | None, str | None]
"""Id, title and link."""

Reader = Callable[[bytes], list[Entry]]
"""What a document holds; ValueError where it is no document of its format."""

_ATOM = "{http://www.w3.org/2005/Atom}"


class GateError(ValueError):
    """A document is not what it should be; the text says in what."""


def check_document(document: bytes, feed: Feed, form: Format) -> None:
    """GateError unless the document can be read and holds exactly the items of the feed, in their order."""
    try:
        found = READERS[form](document)
    except ValueError as error:
        raise GateError(f"the {form} document cannot be read back: {error}") from error
    wanted = list_entries(feed) if form == "ics" else _list_items(feed)
    if found != wanted:
        raise GateError(_compare(found, wanted, form=form))


def _list_items(feed: Feed) -> list[Entry]:
    return [(tag_uri(feed.info.authority, item.uid), item.title, item.url) for item in feed.items]


def _compare(found: Sequence[Entry], wanted: Sequence[Entry], *, form: Format) -> str:
    if len(found) != len(wanted):
        return f"the {form} document holds {len(found)} items instead of {len(wanted)}"
    one, other = next(pair for pair in zip(found, wanted, strict=True) if pair[0] != pair[1])
    return f"the {form} document says {one} instead of {other}"


def _read_atom(document: bytes) -> list[Entry]:
    root = _parse(document, f"{_ATOM}feed")
    for name in ("id", "title", "updated"):
        if not root.findtext(_ATOM + name):
            raise ValueError(f"it has no {name}")
    return [_read_atom_entry(entry) for entry in root.iterchildren(f"{_ATOM}entry")]


def _read_atom_entry(entry: etree._Element) -> Entry:
    if not entry.findtext(f"{_ATOM}updated"):
        raise ValueError("an entry has no updated")
    link = entry.find(f"{_ATOM}link")
    href = None if link is None or link.get("rel") != "alternate" else link.get("href")
    return entry.findtext(f"{_ATOM}id"), entry.findtext(f"{_ATOM}title"), href


def _read_rss(document: bytes) -> list[Entry]:
    channel = _parse(document, "rss").find("channel")
    if channel is None:
        raise ValueError("it has no channel")
    for name in ("title", "link", "description"):
        if not channel.findtext(name):
            raise ValueError(f"its channel has no {name}")
    return [
        (item.findtext("guid"), item.findtext("title"), item.findtext("link")) for item in channel.iterchildren("item")
    ]


def _parse(document: bytes, root_name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"it is not well-formed ({error})") from error
    if root.tag != root_name:
        raise ValueError(f"its root is {root.tag}")
    return root


def _read_json(document: bytes) -> list[Entry]:
    value = json.loads(document)
    _json_validator()(value)  # its error is a ValueError
    return [(item["id"], item.get("title"), item.get("url")) for item in value["items"]]


@cache
def _json_validator() -> Callable[[object], object]:
    validator: Callable[[object], object] = fastjsonschema.compile(JSON_FEED_SCHEMA)
    return validator


READERS: Mapping[Format, Reader] = {"atom": _read_atom, "rss": _read_rss, "json": _read_json, "ics": read_calendar}
