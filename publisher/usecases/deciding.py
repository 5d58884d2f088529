"""Deciding about what a source shows, and writing it down: new, changed or unchanged items."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from feeds.corrections import Corrections
from feeds.entries import Document, entry_keys
from feeds.grouping import group_entries
from feeds.merge import Decision, Group, Reading, decide
from feeds.model import Classification
from publisher.store.item_changes import NewItem, change_item, insert_items, release_items
from publisher.store.sightings import add_keys, put_sightings, read_known, read_owners
from publisher.store.translations import link_translations
from publisher.usecases.classifying import Classify, classify_content


@dataclass(frozen=True, slots=True)
class Decided:
    """A group of entries, what was decided about it, and what is known of its item."""

    group: Group
    decision: Decision
    unclaimed: tuple[str, ...]
    """Its keys that no item has yet."""
    corrections: Corrections
    is_seen: bool
    """Whether the source said exactly this before."""


def decide_document(tx: Connection, document: Document, reading: Reading) -> list[Decided]:
    """What is to be done about each item that the document shows; one without a title is not to be written."""
    source_id = reading.source.id
    owners = read_owners(tx, (key for entry in document.entries for key in entry_keys(entry, source_id)))
    known = read_known(tx, sorted(set(owners.values())))
    groups = group_entries(document.entries, owners, known=known, source_id=source_id)
    decided = []
    for group in groups:
        item = None if group.item_id is None else known[group.item_id]
        decision = decide(group, item, reading)
        unclaimed = tuple(key for key in group.keys if key not in owners)
        is_seen = item is not None and decision.sighting in item.sightings
        decided.append(Decided(group, decision, unclaimed, item.corrections if item else {}, is_seen))
    return decided


def classify_decided(decided: Sequence[Decided], classify: Classify) -> dict[int, Classification]:
    """The classification of what is new or changed, by place in the list."""
    return {
        place: classify_content(one.decision.content, one.corrections, classify)
        for place, one in enumerate(decided)
        if one.decision.status != "unchanged"
    }


def write_decided(
    tx: Connection, decided: Sequence[Decided], classified: dict[int, Classification], *, now: datetime
) -> None:
    """Write items, versions, keys, sightings and releases."""
    ids = _write_new(tx, decided, classified, now=now)
    for place, one in enumerate(decided):
        if one.group.item_id is not None:
            ids[place] = one.group.item_id
        if one.decision.status == "changed":
            change_item(tx, ids[place], content=one.decision.content, classification=classified[place], now=now)
    add_keys(tx, [(key, ids[place]) for place, one in enumerate(decided) for key in one.unclaimed])
    put_sightings(
        tx,
        [
            (ids[place], one.group.keys[0], one.decision.sighting)
            for place, one in enumerate(decided)
            if not one.is_seen
        ],
    )
    written = [ids[place] for place, one in enumerate(decided) if one.decision.status != "unchanged"]
    related = [ids[place] for place, one in enumerate(decided) if _may_be_translated(one)]
    link_translations(tx, related, written=written, now=now)
    release_items(tx, [ids[place] for place, one in enumerate(decided) if one.decision.is_mailable], now=now)


def _may_be_translated(one: Decided) -> bool:
    """Whether another item can be its translation now that was not before: it is new, changed or has a new address."""
    return one.decision.status != "unchanged" or bool(one.unclaimed)


def _write_new(
    tx: Connection, decided: Sequence[Decided], classified: dict[int, Classification], *, now: datetime
) -> dict[int, int]:
    places = [place for place, one in enumerate(decided) if one.decision.status == "new"]
    rows = [
        NewItem(decided[place].group.keys[0], decided[place].decision.content, classified[place]) for place in places
    ]
    return dict(zip(places, insert_items(tx, rows, now=now), strict=True))
