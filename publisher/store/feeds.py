"""What compiled feeds depend on."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from feeds.criteria import Criteria
from feeds.model import Item
from publisher.store.items import build_items, meets, narrow
from publisher.store.schema import items, progress


def select_feed_items(tx: Connection, criteria: Criteria, *, limit: int) -> list[Item]:
    """What the feed shows, the newest first, withdrawn items among them: of any language, each once in its original."""
    query = select(items).where(*belongs(criteria), *narrow(tx, criteria))
    newest_first = query.order_by(items.c.published_at.desc(), items.c.id.desc())
    return build_items(tx, tx.execute(newest_first.limit(limit)).all())


def select_dated_items(tx: Connection, criteria: Criteria, *, limit: int) -> list[Item]:
    """What the calendar of the feed shows: of what gives days, or once gave some, that whose last day is the latest."""
    query = select(items).where(items.c.last_day.is_not(None), *belongs(criteria))
    latest_first = query.order_by(items.c.last_day.desc(), items.c.id.desc())
    return build_items(tx, tx.execute(latest_first.limit(limit)).all())


def select_withdrawn(tx: Connection, criteria: Criteria, *, limit: int) -> list[Item]:
    """What was withdrawn from the feed, the last first."""
    query = select(items).where(items.c.withdrawn_at.is_not(None), *belongs(criteria))
    newest_first = query.order_by(items.c.withdrawn_at.desc(), items.c.id.desc())
    return build_items(tx, tx.execute(newest_first.limit(limit)).all())


def select_changed(tx: Connection, *, since: datetime | None, limit: int) -> list[Item]:
    """The items that came or changed at that moment (None: ever) or later, the latest first."""
    query = select(items).order_by(items.c.updated_at.desc(), items.c.id.desc())
    if since:
        query = query.where(items.c.updated_at >= since)
    return build_items(tx, tx.execute(query.limit(limit)).all())


def read_archived_until(tx: Connection) -> datetime | None:
    """Up to which change feeds were looked through for full archives; None: never."""
    value = tx.execute(select(progress.c.value).where(progress.c.work == "archived")).scalar_one_or_none()
    return None if value is None else datetime.fromisoformat(value)


def put_archived_until(tx: Connection, moment: datetime) -> None:
    """Remember up to which change feeds were looked through."""
    tx.execute(delete(progress).where(progress.c.work == "archived"))
    tx.execute(insert(progress).values(work="archived", value=moment.isoformat()))


def belongs(criteria: Criteria) -> Iterator[ColumnElement[bool]]:
    """What the items of a feed meet: of all languages together, only originals are shown."""
    yield from meets(criteria)
    if criteria.language is None:
        # Not as "is null": SQLite would take the index of that for all items, and sort them.
        yield func.coalesce(items.c.original_id, 0) == 0
