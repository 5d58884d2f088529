"""The decider: what the sources say of an item → what the item shows. Pure, and the same in any order of reading."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from feeds.content import Content
from feeds.corrections import Corrections, correct_content
from feeds.dates import is_plausible
from feeds.entries import Entry, fill_date, fill_entry
from feeds.sources import Source

Status = Literal["new", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one source says of one item."""

    source_id: str
    position: int
    """Of the source: where two disagree, the earlier one's word counts."""
    entry: Entry
    first_seen_at: datetime
    is_backlog: bool
    """Whether it stood there when its source was first collected."""


@dataclass(frozen=True, slots=True)
class Group:
    """The entries of one document that are one item, made one."""

    item_id: int | None
    """None: not known yet."""
    entry: Entry
    keys: tuple[str, ...]
    """Those that are the item's; a key that belongs to another item stays there."""
    also: tuple[int, ...] = ()
    """Other items that its keys lead to: they may be one with this item, and stay apart."""


@dataclass(frozen=True, slots=True)
class Known:
    """An item as it stands."""

    content: Content
    """With the corrections of staff."""
    sightings: tuple[Sighting, ...]
    corrections: Corrections


@dataclass(frozen=True, slots=True)
class Reading:
    """The circumstances in which a source was read."""

    source: Source
    position: int
    is_first: bool
    """Whether the source was never collected before: what it shows now is its backlog."""
    now: datetime
    zone: ZoneInfo
    """Of the site: the day of an item without a date is the day it was first seen there."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about a group."""

    status: Status
    content: Content
    sighting: Sighting
    is_mailable: bool
    """Whether this sighting releases the item, where nothing released it before."""


def decide(group: Group, known: Known | None, reading: Reading) -> Decision:
    """What reading this entry makes of the item as it stands (None: there is none yet)."""
    sightings = known.sightings if known else ()
    source = reading.source
    old = next((sighting for sighting in sightings if sighting.source_id == source.id), None)
    sighting = Sighting(
        source.id,
        reading.position,
        _settle(group.entry, old, reading),
        old.first_seen_at if old else reading.now,
        old.is_backlog if old else reading.is_first,
    )
    content = merge_sightings([*(other for other in sightings if other is not old), sighting], zone=reading.zone)
    if known:
        content = correct_content(content, known.corrections)
    is_mailable = not sighting.is_backlog or source.backlog == "digest"
    return Decision(_compare(known, content), content, sighting, is_mailable)


def merge_sightings(sightings: Iterable[Sighting], *, zone: ZoneInfo) -> Content:
    """What the item shows: of each thing the word of the first source that has one, in the order of the sources."""
    ordered = sorted(sightings, key=lambda sighting: (sighting.position, sighting.source_id))
    said = ordered[0].entry
    for sighting in ordered[1:]:
        said = fill_entry(said, sighting.entry)
    day, date_source, published_at = _merge_date(ordered, zone)
    return Content(
        url=said.canonical or said.link,
        title=said.title,
        summary=said.summary,
        content_html=said.content_html,
        authors=said.authors,
        category=said.category,
        language=said.language,
        day=day,
        date_source=date_source,
        published_at=published_at,
        images=said.images,
        alternates=said.alternates,
    )


def _compare(known: Known | None, content: Content) -> Status:
    if known is None:
        return "new"
    return "unchanged" if known.content == content else "changed"


def _settle(entry: Entry, old: Sighting | None, reading: Reading) -> Entry:
    """The entry as it is kept: with a believable date or none, a language, and what its source said before.

    An article page is read once, so what it gave stays. A date stays where none is given now, and the date of a
    change (Atom ``updated``) never replaces one.
    """
    source = reading.source
    is_believed = entry.given is not None and is_plausible(entry.given, reading.now)
    entry = replace(entry, given=entry.given if is_believed else None, language=entry.language or source.language)
    if old is None:
        return entry
    if old.entry.given and entry.is_dated_by_update:
        entry = replace(entry, given=None)
    return fill_entry(entry, old.entry) if source.follow else fill_date(entry, old.entry)


def _merge_date(ordered: Sequence[Sighting], zone: ZoneInfo) -> tuple[date, str, datetime]:
    """Day, where it is from, and moment: of the first source that gives a date; that of a change is a last resort."""
    by_worth = sorted(ordered, key=lambda sighting: sighting.entry.is_dated_by_update)
    given = next((sighting.entry.given for sighting in by_worth if sighting.entry.given), None)
    if given is None:
        seen_at = min(sighting.first_seen_at for sighting in ordered)
        return seen_at.astimezone(zone).date(), "first-seen", seen_at
    return given.day, "source", given.moment or datetime.combine(given.day, time(), UTC)
