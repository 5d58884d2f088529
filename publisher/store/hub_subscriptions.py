"""What we asked hubs to tell us (WebSub), as rows: one for each source, hub and topic."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select, update

from feeds.discovery import Advertised
from feeds.sources import Source, parse_source
from publisher.store.database import insert_new
from publisher.store.schema import sources
from publisher.store.schema_hubs import hub_subscriptions as table


@dataclass(frozen=True, slots=True)
class Callback:
    """Where a hub calls, and how it proves that it is the hub; neither is ever logged."""

    token: str
    """The end of the address."""
    secret: str


@dataclass(frozen=True, slots=True)
class HubSubscription:
    """One wish towards a hub, and what became of it."""

    id: int
    source_id: str
    hub: str
    topic: str
    token: str
    secret: str
    wanted: str
    """``subscribe`` or ``unsubscribe``."""
    pending_until: datetime | None
    """Until then the hub may ask whether we meant it."""
    lease_until: datetime | None
    """Until then the hub tells us; None where it never agreed."""
    attempts: int
    """Without success, in a row."""
    notified_at: datetime | None


def add_subscription(
    tx: Connection, source_id: str, advertised: Advertised, *, callback: Callback, now: datetime
) -> None:
    """Have it asked for; one that is there already stays, and one that is being ended is wanted again."""
    wanted = {"source_id": source_id, "hub": advertised.hub, "topic": advertised.topic}
    new = {
        "token": callback.token,
        "secret": callback.secret,
        "wanted": "subscribe",
        "next_attempt_at": now,
        "attempts": 0,
    }
    tx.execute(insert_new(table).values(wanted | new))
    ending = (table.c.source_id == source_id) & _is(advertised) & (table.c.wanted == "unsubscribe")
    tx.execute(
        update(table).where(ending).values(wanted="subscribe", pending_until=None, next_attempt_at=now, attempts=0)
    )


def end_subscriptions_but(tx: Connection, source_id: str, kept: Advertised | None, *, now: datetime) -> None:
    """Have all others of the source ended."""
    others = table.c.source_id == source_id
    _end(tx, others if kept is None else others & ~_is(kept), now=now)


def end_subscriptions_of_others(tx: Connection, source_ids: Collection[str], *, now: datetime) -> None:
    """Have those of all other sources than these ended."""
    _end(tx, table.c.source_id.not_in(source_ids), now=now)


def find_by_token(tx: Connection, token: str) -> HubSubscription | None:
    """The subscription whose callback that is."""
    row = tx.execute(select(table).where(table.c.token == token)).one_or_none()
    return _build(row) if row else None


def list_due_subscriptions(tx: Connection, *, now: datetime, limit: int) -> list[tuple[HubSubscription, Source]]:
    """What is to be asked for, renewed or ended now, the longest due first; each with its source, ended or not."""
    query = select(table, sources.c.settings).join(sources).where(table.c.next_attempt_at <= now)
    rows = tx.execute(query.order_by(table.c.next_attempt_at, table.c.id).limit(limit))
    return [(_build(row), parse_source(row.settings)) for row in rows]


def has_subscriptions(tx: Connection) -> bool:
    """Whether there is any, which is cheap to know."""
    return tx.execute(select(table.c.id).limit(1)).first() is not None


def change_subscription(tx: Connection, subscription_id: int, **values: Any) -> None:  # Any: of the columns named
    """Keep what happened."""
    tx.execute(update(table).where(table.c.id == subscription_id).values(**values))


def remove_subscription(tx: Connection, subscription_id: int) -> None:
    """Nothing is wanted of the hub any more; its callback leads nowhere from now on."""
    tx.execute(delete(table).where(table.c.id == subscription_id))


def _end(tx: Connection, which: ColumnElement[bool], *, now: datetime) -> None:
    active = which & (table.c.wanted == "subscribe")
    never_asked = table.c.lease_until.is_(None) & table.c.pending_until.is_(None)
    tx.execute(delete(table).where(active, never_asked))
    values = {"wanted": "unsubscribe", "pending_until": None, "next_attempt_at": now, "attempts": 0}
    tx.execute(update(table).where(active).values(**values))


def _is(advertised: Advertised) -> ColumnElement[bool]:
    return (table.c.hub == advertised.hub) & (table.c.topic == advertised.topic)


def _build(row: Row[Any]) -> HubSubscription:
    return HubSubscription(**{name: getattr(row, name) for name in HubSubscription.__dataclass_fields__})
