"""Lanes as rows: what all senders share of buckets, learnt limits and breakers."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update

from publisher.store.database import insert_or_replace, read_list, write_list
from publisher.store.prepared import Prepared
from publisher.store.schema_dispatch import pace
from subscribers.breakers import Breaker, Fault
from subscribers.lanes import Lane
from subscribers.pacing import Bucket, Pace
from subscribers.replies import Kind


def read_lanes(tx: Connection, keys: Collection[str]) -> dict[str, Lane]:
    """The lanes of these keys that have a row; in a write transaction nobody else changes them meanwhile.

    The rate of a bucket is not kept: it is the learnt or configured one, whichever is lower at the time.
    """
    found = list(_FIND.run(tx, {"keys": write_list(list(keys))}).scalars())  # none, for most: a cheaper question
    return {row.key: _lane(row) for row in tx.execute(_READ, {"keys": found})} if found else {}


def write_lanes(tx: Connection, lanes: Iterable[Lane]) -> None:
    """Keep these lanes; what has become plain needs no row any more."""
    told = list(lanes)
    plain = [lane.key for lane in told if lane == Lane(lane.key)]
    kept = [_row(lane) for lane in told if lane.key not in plain]
    if kept:
        tx.execute(_WRITE, kept)
    if plain:
        tx.execute(delete(pace).where(pace.c.key.in_(plain)))


def read_breakers(tx: Connection) -> list[Lane]:
    """The lanes whose breaker is not closed or that are slower than configured, by key."""
    is_troubled = or_(pace.c.open_until.is_not(None), pace.c.changed_at.is_not(None))
    return [_lane(row) for row in tx.execute(select(pace).where(is_troubled).order_by(pace.c.key))]


def let_try_again(tx: Connection, now: datetime) -> int:
    """Make every open breaker half-open: the next message shows whether the fault is mended. How many."""
    waiting = pace.c.open_until > now
    return tx.execute(update(pace).where(waiting).values(open_until=now, is_probing=False)).rowcount


def _lane(row: Row[Any]) -> Lane:  # Any: columns of many types
    bucket = None if row.tokens is None else Bucket(row.rate or 0.0, row.tokens, row.filled_at)
    breaker = Breaker(
        open_until=row.open_until,
        is_probing=row.is_probing,
        opened_at=row.opened_at,
        openings=row.openings,
        fault=Fault(Kind(row.kind), row.detail),
    )
    return Lane(row.key, bucket, Pace(row.rate, row.connections, row.changed_at), breaker)


def _row(lane: Lane) -> dict[str, Any]:
    bucket, breaker = lane.bucket, lane.breaker
    return {
        "key": lane.key,
        "tokens": bucket and bucket.tokens,
        "filled_at": bucket and bucket.at,
        "rate": lane.pace.rate,
        "connections": lane.pace.connections,
        "changed_at": lane.pace.changed_at,
        "open_until": breaker.open_until,
        "is_probing": breaker.is_probing,
        "opened_at": breaker.opened_at,
        "openings": breaker.openings,
        "kind": breaker.fault.kind,
        "detail": breaker.fault.detail,
    }


_FIND = Prepared(select(pace.c.key).where(pace.c.key.in_(read_list("keys"))))

# FOR UPDATE is for databases that lock rows; SQLite locks the whole file when the transaction begins.
_READ = select(pace).where(pace.c.key.in_(bindparam("keys", expanding=True))).with_for_update()

_WRITE = insert_or_replace(pace)
