"""Which items are translations of which, kept as the original of each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from feeds.model import Item, Translation
from feeds.translations import Claim, find_originals
from feeds.urls import make_url_key
from publisher.store.batches import in_batches
from publisher.store.item_history import put_version
from publisher.store.items import read_items
from publisher.store.schema import item_alternates, item_keys, items

MOST_MEMBERS = 500
"""Of the groups that are looked at together; more is no piece in many languages, but a site that links at random."""


def put_alternates(tx: Connection, alternates: Mapping[int, Iterable[Translation]]) -> None:
    """Keep the keys of the addresses where these items stand in other languages, in place of what was known."""
    for batch in in_batches(list(alternates)):
        tx.execute(delete(item_alternates).where(item_alternates.c.item_id.in_(batch)))
    keys = {(item_id, make_url_key(one.url)) for item_id, found in alternates.items() for one in found}
    if keys:
        tx.execute(insert(item_alternates), [{"item_id": item_id, "key": key} for item_id, key in sorted(keys)])


def link_translations(tx: Connection, ids: Collection[int], *, written: Collection[int], now: datetime) -> None:
    """Find the originals of these items, and of all that are one piece with them, anew.

    For whoever shows something else by that, it is a change; those ``written`` in this transaction have it already.
    """
    members = _find_group(tx, ids)
    if len(members) <= len(ids) and not _are_linked(tx, members):
        return
    claims, before = [], {}
    for row in _read(tx, members):
        claims.append(Claim(row.id, row.url, row.language, row.published_at, _alternates(row)))
        before[row.id] = row.original_id
    originals = find_originals(claims, _read_owners(tx, claims))
    moved = {item_id: original for item_id, original in originals.items() if original != before[item_id]}
    if moved:
        others = read_items(tx, members - set(written))
        statement = update(items).where(items.c.id == bindparam("member")).values(original_id=bindparam("original"))
        tx.execute(statement, [{"member": item_id, "original": original} for item_id, original in moved.items()])
        _keep_changed(tx, others, moved, now=now)


def find_relatives(tx: Connection, ids: Collection[int]) -> set[int]:
    """The items that are one piece with these, and these themselves: each shows the addresses of the others."""
    found: set[int] = set()
    for batch in in_batches(sorted(ids)):
        originals = select(func.coalesce(items.c.original_id, items.c.id)).where(items.c.id.in_(batch))
        is_relative = items.c.id.in_(originals) | items.c.original_id.in_(originals)
        found.update(tx.scalars(select(items.c.id).where(is_relative)))
    return found


def _keep_changed(tx: Connection, before: Sequence[Item], moved: Collection[int], *, now: datetime) -> None:
    """Keep what items showed whose original, or whose translations, are others now."""
    after = {item.id: item.translations for item in read_items(tx, [item.id for item in before])}
    for old in before:
        if old.id in moved or old.translations != after[old.id]:
            put_version(tx, old, {}, now=now)


def _find_group(tx: Connection, ids: Collection[int]) -> set[int]:
    """The items, and those that lead to them or are led to, directly or by way of others."""
    found, fresh = set(ids), set(ids)
    while fresh and len(found) <= max(MOST_MEMBERS, len(ids)):
        fresh = _find_neighbours(tx, fresh) - found
        found |= fresh
    return found


def _find_neighbours(tx: Connection, ids: Collection[int]) -> set[int]:
    led_to = select(item_keys.c.item_id).join(item_alternates, item_keys.c.key == "url:" + item_alternates.c.key)
    leading = select(item_alternates.c.item_id).join(item_keys, item_keys.c.key == "url:" + item_alternates.c.key)
    found: set[int] = set()
    for batch in in_batches(sorted(ids)):
        found.update(tx.scalars(led_to.where(item_alternates.c.item_id.in_(batch))))
        found.update(tx.scalars(leading.where(item_keys.c.item_id.in_(batch))))
        related = select(items.c.id, items.c.original_id).where(
            or_(items.c.original_id.in_(batch), items.c.id.in_(batch))
        )
        found.update(one for one in chain.from_iterable(tx.execute(related)) if one is not None)
    return found


def _are_linked(tx: Connection, ids: Collection[int]) -> bool:
    """Whether any of them says that it is a translation, or is known for one."""
    return any(row.original_id or row.alternates for row in _read(tx, ids))


def _read(tx: Connection, ids: Collection[int]) -> Iterable[Any]:  # Any: rows
    columns = (items.c.id, items.c.url, items.c.language, items.c.published_at, items.c.alternates, items.c.original_id)
    for batch in in_batches(sorted(ids)):
        yield from tx.execute(select(*columns).where(items.c.id.in_(batch)))


def _alternates(row: Any) -> tuple[Translation, ...]:  # Any: a row
    return tuple(Translation(**one) for one in row.alternates)


def _read_owners(tx: Connection, claims: Iterable[Claim]) -> dict[str, int]:
    keys = sorted({f"url:{make_url_key(one.url)}" for claim in claims for one in claim.alternates})
    found: dict[str, int] = {}
    for batch in in_batches(keys):
        query = select(item_keys.c.key, item_keys.c.item_id).where(item_keys.c.key.in_(batch))
        found |= {key.removeprefix("url:"): item_id for key, item_id in tx.execute(query)}
    return found
