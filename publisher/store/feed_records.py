"""What is kept about feeds themselves: their archives, and what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select

from feeds.criteria import Criteria
from feeds.model import Item
from publisher.store.feeds import belongs
from publisher.store.frozen import thaw_item
from publisher.store.items import read_items
from publisher.store.schema import feed_archives, feed_problems, item_versions, items

ItemVersion = tuple[int, int]
"""An item and its version."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A closed document of a feed: which items, as they were then, and what it says of itself."""

    feed: str
    number: int
    closed_at: datetime
    until: tuple[datetime, int]
    """Moment of the last change that it holds, and the item."""
    head: Mapping[str, Any]  # JSON
    entries: Sequence[ItemVersion]


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of an item of a feed."""

    item_id: int
    version: int
    at: datetime


def find_unarchived(tx: Connection, criteria: Criteria, archive: Archive | None, *, limit: int | None) -> list[Change]:
    """The last changes of the feed's items behind that archive (None: all), the oldest first."""
    query = select(items.c.id, items.c.version, items.c.updated_at).where(*belongs(criteria))
    if archive:
        at, item_id = archive.until
        is_later = or_(items.c.updated_at > at, and_(items.c.updated_at == at, items.c.id > item_id))
        query = query.where(items.c.updated_at >= at, is_later)
    rows = tx.execute(query.order_by(items.c.updated_at, items.c.id).limit(limit))
    return [Change(*row) for row in rows]


def add_archives(tx: Connection, archives: Sequence[Archive]) -> None:
    """Keep closed documents; they are never changed."""
    rows = [
        {
            "feed": one.feed,
            "number": one.number,
            "closed_at": one.closed_at,
            "until_at": one.until[0],
            "until_id": one.until[1],
            "head": one.head,
            "entries": one.entries,
        }
        for one in archives
    ]
    if rows:
        tx.execute(insert(feed_archives), rows)


def find_archive(tx: Connection, feed: str, number: int | None = None) -> Archive | None:
    """That archive of the feed, by default the last; None where there is none."""
    query = select(feed_archives).where(feed_archives.c.feed == feed)
    if number is not None:
        query = query.where(feed_archives.c.number == number)
    row = tx.execute(query.order_by(feed_archives.c.number.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    entries = [(item_id, version) for item_id, version in row.entries]
    return Archive(row.feed, row.number, row.closed_at, (row.until_at, row.until_id), row.head, entries)


def count_archives(tx: Connection) -> dict[str, int]:
    """How many archives each feed has; feeds without are left out."""
    query = select(feed_archives.c.feed, func.max(feed_archives.c.number)).group_by(feed_archives.c.feed)
    return dict(tx.execute(query).all())


def read_item_versions(tx: Connection, wanted: Sequence[ItemVersion]) -> list[Item]:
    """The items as they were in these versions, in the order given."""
    ids = sorted({item_id for item_id, _ in wanted})
    current = dict(tx.execute(select(items.c.id, items.c.version).where(items.c.id.in_(ids))).all())
    found = {(item.id, current[item.id]): item for item in read_items(tx, ids)}
    older = select(item_versions).where(item_versions.c.item_id.in_(ids))
    for row in tx.execute(older):
        if (row.item_id, row.version) in wanted:
            found[row.item_id, row.version] = thaw_item(row.content)
    return [found[one] for one in wanted if one in found]


def put_problem(tx: Connection, feed: str, problem: str, *, now: datetime) -> None:
    """Keep what is wrong with the feed, in place of what was."""
    clear_problem(tx, feed)
    tx.execute(insert(feed_problems).values(feed=feed, problem=problem, at=now))


def clear_problem(tx: Connection, feed: str) -> None:
    """Nothing is wrong with the feed any more."""
    tx.execute(delete(feed_problems).where(feed_problems.c.feed == feed))


def has_problem(tx: Connection, feed: str) -> bool:
    """Whether something is wrong with the feed."""
    return tx.execute(select(feed_problems.c.feed).where(feed_problems.c.feed == feed)).first() is not None


def list_problems(tx: Connection) -> list[tuple[str, str]]:
    """The feeds that something is wrong with, and what."""
    query = select(feed_problems.c.feed, feed_problems.c.problem).order_by(feed_problems.c.feed)
    return [(feed, problem) for feed, problem in tx.execute(query)]
