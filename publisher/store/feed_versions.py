"""States of what feeds show, and what has changed between two of them."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Text, func, select, type_coerce

from feeds.model import Item
from publisher.store.database import write_order
from publisher.store.item_history import as_it_was
from publisher.store.items import read_items
from publisher.store.schema import feed_archives, item_versions, items, regions, retired_labels, themes
from publisher.store.translations import find_relatives

_IN_DETAIL = 500
"""Of more changes than this nobody gains by looking at each."""

_Past = tuple[int, Any]
"""An item and what a version of it held: JSON, hence ``Any``."""


@dataclass(frozen=True, slots=True)
class Version:
    """A state of everything that feeds show. Another state is another value, also where a clock was set back."""

    newest_item: int
    versions_kept: int
    """Place of the newest kept version in the order of writing."""
    archives_closed: int
    """Likewise of the newest archive."""
    changed_at: datetime | None
    """Newest change of any item; None where there is none."""
    first_at: datetime | None
    """When the oldest item was published; None where there is none."""
    labels: str
    """Digest of the themes and regions, of those too that are no more."""

    def counts_alike(self, other: "Version") -> bool:
        """Whether items a week are counted over the same weeks: from the first item to the last change."""
        return self.first_at == other.first_at and _day(self.changed_at) == _day(other.changed_at)

    def may_precede(self, other: "Version") -> bool:
        """False where rows have gone, as after a restored copy: nobody can tell then what has changed."""
        return (
            self.labels == other.labels
            and self.newest_item <= other.newest_item
            and self.versions_kept <= other.versions_kept
            and self.archives_closed <= other.archives_closed
        )


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """What came between two states."""

    items: Sequence[Item]
    """That came or changed, as they are and as they were, and those that show them as translations; without texts."""
    archived: Collection[str]
    """Names of the feeds of which an archive was closed."""
    is_recounted: bool = False
    """Whether items a week are counted over other weeks."""


def read_version(tx: Connection) -> Version:
    """The state as of now; a few look-ups, whatever the number of items."""
    newest_item = tx.execute(select(func.max(items.c.id))).scalar_one()
    kept = tx.execute(select(func.max(write_order(item_versions))).select_from(item_versions)).scalar_one()
    closed = tx.execute(select(func.max(write_order(feed_archives))).select_from(feed_archives)).scalar_one()
    changed_at = tx.execute(select(func.max(items.c.updated_at))).scalar_one()
    first_at = tx.execute(select(func.min(items.c.published_at))).scalar_one()
    return Version(newest_item or 0, kept or 0, closed or 0, changed_at, first_at, _digest_labels(tx))


def read_changes(tx: Connection, since: Version) -> ChangedRows | None:
    """What has changed since; None where that is too much to look at, or cannot be told."""
    now = read_version(tx)
    if not since.may_precede(now):
        return None
    new_ids, past = _read_new(tx, since), _read_past(tx, since)
    if len(new_ids) + len(past) > _IN_DETAIL:
        return None
    changed = {*new_ids, *(item_id for item_id, _ in past)}
    ids = find_relatives(tx, changed)
    # Without their texts: nobody asks about them, and some changes are kept for a while.
    present = {item.id: replace(item, title="", summary="", content_html="") for item in read_items(tx, ids)}
    before = [as_it_was(present[item_id], content) for item_id, content in past]
    closed = select(feed_archives.c.feed).where(write_order(feed_archives) > since.archives_closed)
    return ChangedRows([*present.values(), *before], set(tx.scalars(closed)), not since.counts_alike(now))


def _read_new(tx: Connection, since: Version) -> Sequence[int]:
    """Items that came, or that changed at a later moment than any before."""
    newer = items.c.id > since.newest_item
    if since.changed_at:
        newer |= items.c.updated_at > since.changed_at
    return tx.scalars(select(items.c.id).where(newer).limit(_IN_DETAIL + 1)).all()


def _read_past(tx: Connection, since: Version) -> list[_Past]:
    """What items showed that have changed, whatever the clock said then."""
    query = select(item_versions.c.item_id, item_versions.c.content)
    query = query.where(write_order(item_versions) > since.versions_kept).limit(_IN_DETAIL + 1)
    return [(row.item_id, row.content) for row in tx.execute(query)]


def _day(moment: datetime | None) -> date | None:
    return moment and moment.date()


def _digest_labels(tx: Connection) -> str:
    digest = hashlib.sha256()
    for table in (themes, regions):
        query = select(table.c.id, type_coerce(table.c.rule, Text)).order_by(table.c.position)
        digest.update(repr(tx.execute(query).all()).encode())
    of_retired = (retired_labels.c[name] for name in ("axis", "id", "title", "successor", "ended_at"))
    retired = select(*of_retired)
    digest.update(repr(tx.execute(retired.order_by(retired_labels.c.axis, retired_labels.c.id)).all()).encode())
    return digest.hexdigest()
