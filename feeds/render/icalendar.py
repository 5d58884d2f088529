"""iCalendar (RFC 5545, with the calendar properties of RFC 7986): the events and deadlines of a feed's items.

The lines are written here: there are two dozen of them, and the ``icalendar`` library takes ten times as long, folds
by looking at each character, and takes the ``\\N`` of ``C:\\News`` for the end of a line. It reads them in the tests.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from feeds.model import Item
from feeds.render.feed import GENERATOR, Feed, FeedInfo, list_categories

PRODUCT = f"-//{GENERATOR}//{GENERATOR}//EN"
"""Without a version: an upgrade changes no bytes."""
Entry = tuple[str | None, str | None, str | None]

REFRESH = "PT1H"
"""How often a program should ask, as an RFC 5545 duration."""

_LONGEST_LINE = 75
"""Octets, without the end of the line (RFC 5545 §3.1)."""
_DAY = timedelta(days=1)
_DEMANDED = ("UID", "DTSTAMP", "DTSTART")
"""Of each event (RFC 5545 §3.6.1, of a calendar with METHOD)."""
_ESCAPED = re.compile(r"\\(.)")
_UNIVERSAL_TIME = (
    "BEGIN:VTIMEZONE",
    "TZID:Etc/UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
)
"""What an empty calendar holds: the grammar asks for a component (RFC 5545 §3.6)."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Days of an item: its event, or its deadline."""

    name: str
    """Empty for the event; otherwise a suffix of its UID and the key of its label."""
    first: date
    last: date
    is_cancelled: bool


def list_occasions(item: Item) -> Iterator[Occasion]:
    """The event, then the deadline; cancelled where the item is withdrawn, or gives these days no more."""
    found, is_withdrawn = item.classification, item.withdrawn_at is not None
    event = found.event_dates or item.former_event_dates
    if event:
        yield Occasion("", min(event), max(event), is_cancelled=is_withdrawn or not found.event_dates)
    deadline = found.deadline or item.former_deadline
    if deadline:
        yield Occasion("deadline", deadline, deadline, is_cancelled=is_withdrawn or not found.deadline)


def render_calendar(feed: Feed) -> bytes:
    """The feed as a calendar; items without dates are not in it."""
    occasions = [(item, occasion) for item in feed.items for occasion in list_occasions(item)]
    events = [line for item, occasion in occasions for line in _event(occasion, item, info=feed.info)]
    changed_at = max((item.updated_at for item, _ in occasions), default=None)
    lines = ["BEGIN:VCALENDAR", *_head(feed.info, changed_at), *(events or _UNIVERSAL_TIME), "END:VCALENDAR"]
    return b"".join(_fold(line) for line in lines)


def list_entries(feed: Feed) -> list[Entry]:
    """UID, summary and address of everything that the calendar of this feed holds."""
    return [
        (_uid(occasion, item, info=feed.info), _summary(occasion, item, info=feed.info), item.url)
        for item in feed.items
        for occasion in list_occasions(item)
    ]


def read_calendar(document: bytes) -> list[Entry]:
    """The same of a document; ValueError where it is no calendar."""
    lines = document.decode().replace("\r\n ", "").split("\r\n")
    if lines[0] != "BEGIN:VCALENDAR" or lines[-2:] != ["END:VCALENDAR", ""]:
        raise ValueError("it does not begin and end as a calendar")
    entries: list[Entry] = []
    values: dict[str, str] = {}
    for line in lines:
        name, value = _read_line(line)
        if line == "END:VEVENT":
            lacking = [name for name in _DEMANDED if not values.get(name)]
            if lacking:
                raise ValueError(f"an event has no {lacking[0]}")
            entries.append((values.get("UID"), values.get("SUMMARY"), values.get("URL")))
        values = {} if name in {"BEGIN", "END"} else values | {name: value}
    return entries


def _read_line(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    name = name.partition(";")[0]
    return name, value if name == "URL" else _ESCAPED.sub(lambda found: found[1].replace("n", "\n"), value)


def _head(info: FeedInfo, changed_at: datetime | None) -> Iterator[str]:
    title, about = _text(info.title), _text(info.subtitle or info.title)
    language = _language(info.language)
    yield "VERSION:2.0"
    yield f"PRODID:{PRODUCT}"
    yield "CALSCALE:GREGORIAN"
    yield "METHOD:PUBLISH"
    yield f"NAME{language}:{title}"
    yield f"X-WR-CALNAME:{title}"
    yield f"DESCRIPTION{language}:{about}"
    yield f"X-WR-CALDESC:{about}"
    yield f"URL;VALUE=URI:{info.page_url}"
    yield f"SOURCE;VALUE=URI:{info.urls['ics']}"
    yield f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}"
    yield f"X-PUBLISHED-TTL:{REFRESH}"
    if changed_at:
        yield f"LAST-MODIFIED:{_moment(changed_at)}"


def _event(occasion: Occasion, item: Item, *, info: FeedInfo) -> Iterator[str]:
    changed_at = _moment(item.updated_at)
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(occasion, item, info=info)}"
    yield f"DTSTAMP:{changed_at}"
    yield f"LAST-MODIFIED:{changed_at}"
    yield f"SEQUENCE:{item.version - 1}"
    yield f"STATUS:{'CANCELLED' if occasion.is_cancelled else 'CONFIRMED'}"
    yield "TRANSP:TRANSPARENT"  # it is to be known; it does not take the reader's time
    yield f"DTSTART;VALUE=DATE:{_day(occasion.first)}"
    if occasion.last < date.max:  # the end is the day after; without one the event lasts its first day
        yield f"DTEND;VALUE=DATE:{_day(occasion.last + _DAY)}"
    yield from _texts(occasion, item, info=info)
    yield f"URL;VALUE=URI:{item.url}"
    yield "END:VEVENT"


def _texts(occasion: Occasion, item: Item, *, info: FeedInfo) -> Iterator[str]:
    language = _language(item.language)
    yield f"SUMMARY{language}:{_text(_summary(occasion, item, info=info))}"
    if item.summary:
        yield f"DESCRIPTION{language}:{_text(item.summary)}"
    labels = dict.fromkeys(category.label for category in list_categories(item, info))
    yield f"CATEGORIES{_language(info.language)}:{_list(labels)}"


def _uid(occasion: Occasion, item: Item, *, info: FeedInfo) -> str:
    suffix = f"-{occasion.name}" if occasion.name else ""
    return f"{item.uid}{suffix}@{info.authority.partition(',')[0]}"


def _summary(occasion: Occasion, item: Item, *, info: FeedInfo) -> str:
    name = occasion.name and (info.labels.get(occasion.name) or occasion.name.capitalize())
    return " · ".join(filter(None, (name, item.title)))


def _language(language: str | None) -> str:
    return f";LANGUAGE={language}" if language else ""


def _list(texts: Iterable[str]) -> str:
    return ",".join(map(_text, texts))


def _text(text: str) -> str:
    """Escaped (RFC 5545 §3.3.11); of controls only the end of a line is left by ``make_feed``, if at all."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\n", "\\n")


def _day(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"


def _moment(moment: datetime) -> str:
    return f"{_day(moment.date())}T{moment:%H%M%S}Z"


def _fold(line: str) -> bytes:
    """The line with its end, in parts of 75 octets at most, no character split."""
    octets, parts, limit = line.encode(), [], _LONGEST_LINE
    while len(octets) > limit:
        cut = limit
        while octets[cut] & 0xC0 == 0x80:  # within a character
            cut -= 1
        parts.append(octets[:cut])
        octets, limit = octets[cut:], _LONGEST_LINE - 1  # after the blank that continues the line
    return b"\r\n ".join([*parts, octets]) + b"\r\n"
