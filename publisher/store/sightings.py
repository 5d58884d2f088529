"""What each source says of each item, and the keys by which items are recognised."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, insert, select

from feeds.content import content_of
from feeds.entries import entry_from_json, entry_to_json
from feeds.merge import Known, Sighting
from publisher.store.batches import in_batches
from publisher.store.item_changes import read_corrections
from publisher.store.items import read_items
from publisher.store.schema import item_keys, sightings, sources


def read_owners(tx: Connection, keys: Iterable[str]) -> dict[str, int]:
    """The items that these keys belong to; keys of none are left out."""
    found: dict[str, int] = {}
    for batch in in_batches(sorted(set(keys))):
        query = select(item_keys.c.key, item_keys.c.item_id).where(item_keys.c.key.in_(batch))
        found |= dict(tx.execute(query).all())
    return found


def read_seen_keys(tx: Connection, source_id: str, keys: Iterable[str]) -> set[str]:
    """Those of the keys that belong to items which this source has shown before."""
    found: set[str] = set()
    query = select(item_keys.c.key).join(sightings, sightings.c.item_id == item_keys.c.item_id)
    for batch in in_batches(sorted(set(keys))):
        found.update(tx.scalars(query.where(sightings.c.source_id == source_id, item_keys.c.key.in_(batch))))
    return found


def read_known(tx: Connection, ids: Sequence[int]) -> dict[int, Known]:
    """These items as they stand."""
    sightings_of = _read_sightings(tx, ids)
    corrections_of = read_corrections(tx, ids)
    return {
        item.id: Known(content_of(item), tuple(sightings_of[item.id]), corrections_of[item.id])
        for item in read_items(tx, ids)
    }


def put_sightings(tx: Connection, seen: Sequence[tuple[int, str, Sighting]]) -> None:
    """Keep what a source says: item, its first key in the source, sighting. What it said before goes."""
    rows = [
        {
            "item_id": item_id,
            "entry_key": key,
            "source_id": sighting.source_id,
            "entry": entry_to_json(sighting.entry),
            "first_seen_at": sighting.first_seen_at,
            "is_backlog": sighting.is_backlog,
        }
        for item_id, key, sighting in seen
    ]
    for batch in in_batches(rows):
        ids = [row["item_id"] for row in batch]
        source_ids = {row["source_id"] for row in batch}
        tx.execute(delete(sightings).where(sightings.c.source_id.in_(source_ids), sightings.c.item_id.in_(ids)))
        tx.execute(insert(sightings), batch)


def add_keys(tx: Connection, keys: Sequence[tuple[str, int]]) -> None:
    """Give the keys, which belong to no item yet, to these items."""
    if keys:
        tx.execute(insert(item_keys), [{"key": key, "item_id": item_id} for key, item_id in keys])


def _read_sightings(tx: Connection, ids: Sequence[int]) -> dict[int, list[Sighting]]:
    found: dict[int, list[Sighting]] = defaultdict(list)
    query = select(sightings, sources.c.position).join(sources)
    for batch in in_batches(ids):
        for row in tx.execute(query.where(sightings.c.item_id.in_(batch))):
            entry = entry_from_json(row.entry)
            found[row.item_id].append(Sighting(row.source_id, row.position, entry, row.first_seen_at, row.is_backlog))
    return found
