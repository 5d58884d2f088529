"""What compiled feeds depend on, and which items have changed since."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, func, select, type_coerce

from feeds.model import Item
from publisher.store.database import write_order
from publisher.store.items import read_items
from publisher.store.schema import item_versions, items, regions, themes

_IN_DETAIL = 500
"""Of more changes than this nobody gains by looking at each."""


@dataclass(frozen=True, slots=True)
class Version:
    """A state of everything that feeds show. Another state is another value, also where a clock was set back."""

    newest_item: int
    versions_kept: int
    """Place of the newest kept version in the order of writing."""
    changed_at: datetime | None
    """Newest change of any item; None where there is none."""
    labels: str
    """Digest of the themes and regions."""

    def may_precede(self, other: "Version") -> bool:
        """False where rows have gone, as after a restored copy: nobody can tell then what has changed."""
        return (
            self.labels == other.labels
            and self.newest_item <= other.newest_item
            and self.versions_kept <= other.versions_kept
        )


def read_version(tx: Connection) -> Version:
    """The state as of now; a few look-ups, whatever the number of items."""
    newest_item = tx.execute(select(func.max(items.c.id))).scalar_one()
    kept = tx.execute(select(func.max(write_order(item_versions))).select_from(item_versions)).scalar_one()
    changed_at = tx.execute(select(func.max(items.c.updated_at))).scalar_one()
    return Version(newest_item or 0, kept or 0, changed_at, _digest_labels(tx))


def read_changes(tx: Connection, since: Version) -> list[Item] | None:
    """Items that came or changed since, as they are and as they were; None where that is too much or cannot be told."""
    now = read_version(tx)
    if not since.may_precede(now):
        return None
    newer = items.c.id > since.newest_item
    if since.changed_at:
        newer |= items.c.updated_at > since.changed_at
    new_ids = tx.execute(select(items.c.id).where(newer).limit(_IN_DETAIL + 1)).scalars().all()
    kept = select(item_versions.c.item_id, item_versions.c.content)
    kept = kept.where(write_order(item_versions) > since.versions_kept).limit(_IN_DETAIL + 1)
    past = [(row.item_id, row.content) for row in tx.execute(kept)]
    if len(new_ids) + len(past) > _IN_DETAIL:
        return None
    ids = {*new_ids, *(item_id for item_id, _ in past)}
    # Without their texts: nobody asks about them, and some changes are kept for a while.
    present = {item.id: replace(item, title="", summary="", content_html="") for item in read_items(tx, ids)}
    return [*present.values(), *_as_they_were(past, present)]


def _as_they_were(past: list[tuple[int, Any]], present: Mapping[int, Item]) -> Iterator[Item]:
    """Of the past only what criteria ask about; contents are JSON, hence ``Any``."""
    for item_id, content in past:
        item = present[item_id]
        labels = content.get("classification", {})
        classification = replace(
            item.classification,
            themes=tuple(labels.get("themes", ())),
            regions=tuple(labels.get("regions", ())),
            kind=labels.get("kind", item.classification.kind),
        )
        yield replace(item, language=content.get("language", item.language), classification=classification)


def _digest_labels(tx: Connection) -> str:
    digest = hashlib.sha256()
    for table in (themes, regions):
        query = select(table.c.id, type_coerce(table.c.rule, Text)).order_by(table.c.position)
        digest.update(repr(tx.execute(query).all()).encode())
    return digest.hexdigest()
