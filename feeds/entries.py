"""Entries: what one source says of one item, before it is decided whether the item is new."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from feeds.dates import GivenDate
from feeds.model import Image, Translation
from feeds.urls import drop_origin, is_site_root, make_url_key

LONGEST_GUID = 500
MOST_ENTRIES = 10_000
"""Of one document; what stands beyond is not read."""


class ParseError(ValueError):
    """A document is not what its source says it is; the text says what it is instead."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a source, cleaned: plain text, ``content_html`` sanitised. Empty means: the source does not say."""

    link: str
    """Clean and absolute."""
    guid: str = ""
    title: str = ""
    summary: str = ""
    content_html: str = ""
    authors: tuple[str, ...] = ()
    category: str = ""
    language: str = ""
    given: GivenDate | None = None
    date_text: str = ""
    """The date as printed, also where it could not be read."""
    is_dated_by_update: bool = False
    """Whether the date is only that of the last change (Atom ``updated``)."""
    images: tuple[Image, ...] = ()
    alternates: tuple[Translation, ...] = ()
    """The same in other languages, by its source's word."""
    canonical: str = ""
    """The address that the item's own page gives itself."""
    is_link_shared: bool = False
    """Whether other entries of the document, of other GUIDs and titles, lead to the same address."""
    is_guid_path_shared: bool = False
    """Whether other GUIDs of the document differ from this one by their origin only."""


@dataclass(frozen=True, slots=True)
class Document:
    """What was read from a source."""

    entries: tuple[Entry, ...]
    remarks: tuple[str, ...] = ()
    """For people: what is odd about it."""
    omissions: tuple[str, ...] = ()
    """What was left out because it could not be read, and is tried again next time."""
    links: tuple[tuple[str, str], ...] = ()
    """(relation, address) of the links of a feed to itself and to its hubs, as written."""


def entry_keys(entry: Entry, source_id: str) -> tuple[str, ...]:
    """The keys by which the item is recognised, strongest first; never empty.

    The GUID counts within its source only, with and without the origin; addresses count everywhere. All but the GUID
    itself are hints: what else they ask for is in ``feeds.grouping``.
    """
    keys = []
    if entry.guid:
        keys.append(f"guid:{source_id}:{entry.guid}")
        path = drop_origin(entry.guid)
        if path not in {"", "/"} and not entry.is_guid_path_shared:
            keys.append(f"path:{source_id}:{path}")
    if not (keys and (entry.is_link_shared or is_site_root(entry.link))):
        keys.extend(f"url:{make_url_key(url)}" for url in (entry.canonical, entry.link) if url)
    return tuple(dict.fromkeys(keys))


def mark_ambiguous(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries, without what fails to tell one from the other within the document.

    A GUID that stands for several addresses goes, and so does a canonical address that several pages give themselves.
    What several GUIDs share is marked: an address, or all but the origin.
    """
    entries = tuple(entries)
    pages: dict[str, set[str]] = defaultdict(set)
    addresses: dict[str, set[str]] = defaultdict(set)
    names: dict[str, set[tuple[str, str]]] = defaultdict(set)
    guids: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        addresses[entry.guid].add(make_url_key(entry.link))
        names[make_url_key(entry.link)].add((entry.guid, entry.title))
        pages[entry.canonical].add(entry.title)
        guids[drop_origin(entry.guid)].add(entry.guid)
    return tuple(
        replace(
            entry,
            guid=entry.guid if len(addresses[entry.guid]) == 1 else "",
            canonical=entry.canonical if len(pages[entry.canonical]) == 1 else "",
            is_link_shared=_is_shared(names[make_url_key(entry.link)]),
            is_guid_path_shared=bool(drop_origin(entry.guid)) and len(guids[drop_origin(entry.guid)]) > 1,
        )
        for entry in entries
    )


def fill_entry(entry: Entry, other: Entry) -> Entry:
    """The entry, with what it does not say taken from the other."""
    filled = {name: getattr(entry, name) or getattr(other, name) for name in _FILLED}
    return fill_date(replace(entry, **filled), other)


def fill_date(entry: Entry, other: Entry) -> Entry:
    """The entry, with the date of the other where it has none."""
    if entry.given or not other.given:
        return entry
    return replace(entry, given=other.given, date_text=other.date_text, is_dated_by_update=other.is_dated_by_update)


def entry_to_json(entry: Entry) -> dict[str, Any]:
    """The entry as a JSON value."""
    value = asdict(entry)
    value["given"] = entry.given and {
        "day": entry.given.day.isoformat(),
        "moment": entry.given.moment and entry.given.moment.isoformat(),
    }
    return value


def entry_from_json(value: dict[str, Any]) -> Entry:
    """The entry of ``entry_to_json``."""
    given = value["given"]
    read: dict[str, Any] = {
        "given": given and _given_from_json(given),
        "authors": tuple(value.get("authors", ())),
        "images": tuple(Image(**image) for image in value.get("images", ())),
        "alternates": tuple(Translation(**one) for one in value.get("alternates", ())),
    }
    return Entry(**{**value, **read})


_FILLED = (
    *("guid", "title", "summary", "content_html", "authors", "category", "language", "canonical"),
    *("images", "alternates"),
)


def _is_shared(names: set[tuple[str, str]]) -> bool:
    guids = {guid for guid, _ in names if guid}
    titles = {title for _, title in names}
    return len(guids) > 1 and len(titles) > 1


def _given_from_json(value: dict[str, str]) -> GivenDate:
    moment = value["moment"]
    return GivenDate(date.fromisoformat(value["day"]), datetime.fromisoformat(moment) if moment else None)
