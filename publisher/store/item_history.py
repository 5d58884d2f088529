"""What items showed before, and the order in which they came to show something else."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from feeds.model import Item
from publisher.store.schema import item_versions, items

_STEP = timedelta(microseconds=1)
"""The least that two stored moments differ by."""


def stamp_change(tx: Connection, now: datetime) -> datetime:
    """The moment of a change that is written now: later than that of any change written before.

    Archives of feeds and whoever asks what is new go by these moments, so they follow the order of commits, also where
    ``now`` was read long before the commit, or a clock was set back.
    """
    newest: datetime | None = tx.execute(select(func.max(items.c.updated_at))).scalar_one()
    return now if newest is None else max(now, newest + _STEP)


def put_version(tx: Connection, old: Item, values: Mapping[str, Any], *, now: datetime) -> None:
    """Write the values, and keep the item as it was as a version."""
    at = stamp_change(tx, now)
    kept = {"item_id": old.id, "version": old.version, "until": at, "content": _to_json(asdict(old))}
    tx.execute(insert(item_versions).values(kept))
    changed = {**values, "version": old.version + 1, "updated_at": at}
    tx.execute(update(items).where(items.c.id == old.id).values(**changed))


def as_it_was(item: Item, content: Mapping[str, Any]) -> Item:
    """The item with what a version of it held, as far as criteria ask about it; contents are JSON, hence ``Any``."""
    labels = content.get("classification", {})
    classification = replace(
        item.classification,
        themes=tuple(labels.get("themes", ())),
        regions=tuple(labels.get("regions", ())),
        kind=labels.get("kind", item.classification.kind),
    )
    return replace(item, language=content.get("language", item.language), classification=classification)


def _to_json(values: dict[str, Any]) -> Any:
    """The values with days and moments as ISO texts."""
    return json.loads(json.dumps(values, default=lambda value: value.isoformat()))
