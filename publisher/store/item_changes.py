"""Items as rows: writing what was decided about them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from feeds.content import Content
from feeds.model import Classification, Item
from publisher.store.batches import in_batches
from publisher.store.item_history import put_version, stamp_change
from publisher.store.items import AXES, read_item
from publisher.store.schema import corrections, item_labels, items
from publisher.store.translations import put_alternates


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item that is not there yet."""

    identity: str
    """The first key it is known by; unique."""
    content: Content
    classification: Classification


@dataclass(frozen=True, slots=True)
class Correction:
    """The word of staff about a field of an item."""

    field: str
    value: Any
    """A JSON value, see ``feeds.corrections``."""
    actor: str


def insert_items(tx: Connection, new: Sequence[NewItem], *, now: datetime) -> list[int]:
    """Add the items, not to be mailed yet; their ids in the order given."""
    at = stamp_change(tx, now)
    rows = [
        {
            **_row(item.content, item.classification, _FormerDates()),
            "uid": uuid.uuid4().hex,
            "identity": item.identity,
            "first_seen_at": now,
            "updated_at": at,
            "version": 1,
        }
        for item in new
    ]
    if not rows:
        return []
    tx.execute(insert(items), rows)
    ids = _find_ids(tx, [item.identity for item in new])
    _insert_labels(tx, {ids[item.identity]: item.classification for item in new})
    put_alternates(tx, {ids[item.identity]: item.content.alternates for item in new if item.content.alternates})
    return [ids[item.identity] for item in new]


def change_item(
    tx: Connection, item_id: int, *, content: Content, classification: Classification, now: datetime
) -> None:
    """Write what the item shows from now on, and keep what it showed as a version."""
    old = read_item(tx, item_id)
    put_version(tx, old, _row(content, classification, _former_dates(old, classification)), now=now)
    tx.execute(delete(item_labels).where(item_labels.c.item_id == item_id))
    _insert_labels(tx, {item_id: classification})
    put_alternates(tx, {item_id: content.alternates})


def withdraw_item(tx: Connection, item_id: int, *, reason: str, now: datetime) -> None:
    """From now on the publisher does not stand by the item.

    An item withdrawn before keeps its moment, and its reason where none is given.
    """
    old = read_item(tx, item_id)
    said = reason or old.withdrawn_reason
    if old.withdrawn_at is None or old.withdrawn_reason != said:
        put_version(tx, old, {"withdrawn_at": old.withdrawn_at or now, "withdrawn_reason": said}, now=now)


def reinstate_item(tx: Connection, item_id: int, *, now: datetime) -> None:
    """Take the withdrawal back."""
    old = read_item(tx, item_id)
    if old.withdrawn_at:
        put_version(tx, old, {"withdrawn_at": None, "withdrawn_reason": ""}, now=now)


def release_items(tx: Connection, ids: Sequence[int], *, now: datetime) -> None:
    """From now on these items may be mailed; those that already could stay as they are."""
    for batch in in_batches(ids):
        tx.execute(update(items).where(items.c.id.in_(batch), items.c.released_at.is_(None)).values(released_at=now))


def put_correction(tx: Connection, item_id: int, correction: Correction, *, now: datetime) -> None:
    """Keep the word of staff about a field; a later one replaces it."""
    key = {"item_id": item_id, "field": correction.field}
    tx.execute(delete(corrections).filter_by(**key))
    tx.execute(insert(corrections).values(**key, value=correction.value, at=now, actor=correction.actor))


def read_corrections(tx: Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The corrections of these items: field to value."""
    found: dict[int, dict[str, Any]] = {item_id: {} for item_id in ids}
    for batch in in_batches(ids):
        for row in tx.execute(select(corrections).where(corrections.c.item_id.in_(batch))):
            found[row.item_id][row.field] = row.value
    return found


@dataclass(frozen=True, slots=True)
class _FormerDates:
    """What an item gave once and gives no more."""

    deadline: date | None = None
    event_dates: tuple[date, date] | None = None


def _former_dates(old: Item, new: Classification) -> _FormerDates:
    was = old.classification
    return _FormerDates(
        None if new.deadline else was.deadline or old.former_deadline,
        None if new.event_dates else was.event_dates or old.former_event_dates,
    )


def _row(content: Content, classification: Classification, former: _FormerDates) -> dict[str, Any]:
    start, end = classification.event_dates or (None, None)
    former_start, former_end = former.event_dates or (None, None)
    days = (classification.deadline, end, former.deadline, former_end)
    return asdict(content) | {
        "primary_theme": classification.primary_theme,
        "kind": classification.kind,
        "deadline": classification.deadline,
        "event_start": start,
        "event_end": end,
        "former_deadline": former.deadline,
        "former_event_start": former_start,
        "former_event_end": former_end,
        "last_day": max(filter(None, days), default=None),
        "matches": [asdict(match) for match in classification.matches],
    }


def _find_ids(tx: Connection, identities: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in in_batches(identities):
        query = select(items.c.identity, items.c.id).where(items.c.identity.in_(batch))
        found |= dict(tx.execute(query).all())
    return found


def _insert_labels(tx: Connection, classifications: Mapping[int, Classification]) -> None:
    rows = [
        {"item_id": item_id, "axis": axis, "label": label, "position": position}
        for item_id, classification in classifications.items()
        for axis, field in AXES.items()
        for position, label in enumerate(dict.fromkeys(getattr(classification, field)))
    ]
    if rows:
        tx.execute(insert(item_labels), rows)
