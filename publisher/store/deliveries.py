"""The ledger: claims, intents, outcomes, counts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, false, func, literal, or_, select, update

from publisher.store.columns import Moment
from publisher.store.database import insert_new
from publisher.store.schema import (
    deliveries,
    delivery_events,
    editions,
    subscribers,
    subscriptions,
    suppressions,
    variants,
)

STATES = (
    "planned",
    "claimed",
    "sending",
    "sent",
    "deferred",
    "failed",
    "suppressed",
    "expired",
    "cancelled",
    "uncertain",
)

PENDING = ("planned", "claimed", "sending", "deferred")


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this sender holds."""

    id: int
    subscriber_id: int
    variant_id: int
    email: str | None
    name: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What is true of a claimed delivery's subscriber at this moment."""

    delivery_id: int
    status: str
    is_suppressed: bool
    is_subscribed: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether messages of an edition may begin."""

    state: str
    is_paused: bool
    is_approved: bool
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A new state of a delivery, with the reason or the server's reply."""

    delivery_id: int
    state: str
    reply: str
    attempts: int
    """How often it has been tried by now."""
    next_attempt_at: datetime | None = None


def take_over(tx: Connection, now: datetime) -> int:
    """After a sender died: its claims are planned again, its open intents are uncertain. How many are uncertain."""
    tx.execute(update(deliveries).where(deliveries.c.state == "claimed").values(state="planned", fence=None))
    lost = tx.execute(
        update(deliveries)
        .where(deliveries.c.state == "sending")
        .values(state="uncertain", fence=None, changed_at=now, reply="the sender died while this message was in flight")
    )
    return lost.rowcount


def claim(tx: Connection, edition_id: str, *, fence: str, now: datetime, limit: int) -> list[Claim]:
    """Claim what is planned, then what was deferred and is due, in order of id; never of a variant without its text."""
    planned = _queue(tx, edition_id, deliveries.c.state == "planned", limit=limit)
    is_due = and_(deliveries.c.state == "deferred", deliveries.c.next_attempt_at <= now)
    ids = planned + (_queue(tx, edition_id, is_due, limit=limit - len(planned)) if len(planned) < limit else [])
    statement = (
        update(deliveries).where(deliveries.c.id.in_(ids)).values(state="claimed", fence=fence).returning(*_CLAIM)
    )
    return sorted((Claim(*row) for row in tx.execute(statement)), key=lambda claimed: claimed.id)


def release(tx: Connection, *, fence: str) -> None:
    """Give back what is claimed and was not begun."""
    mine = and_(deliveries.c.fence == fence, deliveries.c.state == "claimed")
    tx.execute(update(deliveries).where(mine).values(state="planned", fence=None))


def read_gate(tx: Connection, edition_id: str) -> Gate:
    """State, pause and approval of an edition at this moment."""
    row = tx.execute(_GATE, {"edition": edition_id}).one()
    return Gate(row.state, bool(row.is_paused), bool(row.is_approved), row.outcome)


def read_standings(tx: Connection, ids: Sequence[int], *, cadence: str) -> Iterator[Standing]:
    """Status, suppression and subscription of the subscribers of these deliveries."""
    for delivery_id, status, is_suppressed, is_subscribed in tx.execute(_STANDINGS, {"ids": ids, "cadence": cadence}):
        yield Standing(delivery_id, status, bool(is_suppressed), bool(is_subscribed))


def begin(tx: Connection, ids: Sequence[int], *, fence: str, now: datetime) -> list[int]:
    """Write the intents of claimed deliveries; the ids that are still this sender's."""
    return list(tx.execute(_BEGIN, {"ids": ids, "holder": fence, "now": now}).scalars())


def settle(tx: Connection, changes: Iterable[Change], *, fence: str, now: datetime) -> None:
    """Record new states of deliveries that this sender holds; of others nothing changes."""
    rows = [
        {
            "key": one.delivery_id,
            "to": one.state,
            "said": one.reply,
            "tries": one.attempts,
            "due": one.next_attempt_at,
            "holder": fence,
            "now": now,
        }
        for one in changes
    ]
    if rows:
        tx.execute(_SETTLE, rows)


def find_held(tx: Connection, ids: Sequence[int], *, fence: str) -> set[int]:
    """Which of these deliveries are still this sender's."""
    mine = select(deliveries.c.id).where(deliveries.c.id.in_(ids), deliveries.c.fence == fence)
    return set(tx.execute(mine).scalars())


def record_events(tx: Connection, changes: Iterable[Change], now: datetime) -> None:
    """Keep what was said to these attempts, as it was settled; recording the same attempt twice adds nothing."""
    for one in changes:
        event = select(
            literal(f"{one.delivery_id}:{one.attempts}"),
            deliveries.c.id,
            literal(now, Moment),
            deliveries.c.state,
            func.coalesce(deliveries.c.reply, ""),
        ).where(deliveries.c.id == one.delivery_id)
        tx.execute(insert_new(delivery_events, ("id", "delivery_id", "at", "state", "reply"), event))


def close_pending(tx: Connection, edition_id: str, *, state: str, reply: str, now: datetime) -> int:
    """End what has not begun: ``expired`` or ``cancelled``. How many."""
    pending = and_(deliveries.c.edition_id == edition_id, deliveries.c.state.in_(("planned", "claimed", "deferred")))
    return tx.execute(
        update(deliveries).where(pending).values(state=state, reply=reply, fence=None, changed_at=now)
    ).rowcount


def count_states(tx: Connection, edition_id: str) -> dict[str, int]:
    """How many deliveries are in each state that occurs, in the order of ``STATES``."""
    query = (
        select(deliveries.c.state, func.count())
        .where(deliveries.c.edition_id == edition_id)
        .group_by(deliveries.c.state)
    )
    counts: dict[str, int] = {row[0]: row[1] for row in tx.execute(query)}
    return {state: counts[state] for state in STATES if state in counts}


def next_due_at(tx: Connection, edition_id: str) -> datetime | None:
    """When the first deferred delivery may be tried again."""
    deferred = and_(deliveries.c.edition_id == edition_id, deliveries.c.state == "deferred")
    due: datetime | None = tx.execute(select(func.min(deliveries.c.next_attempt_at)).where(deferred)).scalar()
    return due


def list_deliveries(tx: Connection, edition_id: str) -> Iterator[dict[str, Any]]:
    """Every delivery of an edition as a row, in order of id."""
    columns = deliveries.c["id", "subscriber_id", "email", "state", "reply", "attempts"]
    yield from (
        dict(row)
        for row in tx.execute(
            select(*columns).where(deliveries.c.edition_id == edition_id).order_by(deliveries.c.id)
        ).mappings()
    )


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one subscriber's delivery of an edition is, and which items it holds."""

    state: str
    reply: str
    mask: bytes


def find_delivery(tx: Connection, edition_id: str, subscriber_id: int) -> Delivered | None:
    """The delivery of that edition to that subscriber."""
    query = (
        select(deliveries.c.state, func.coalesce(deliveries.c.reply, ""), variants.c.mask)
        .join(variants, variants.c.id == deliveries.c.variant_id)
        .where(deliveries.c.edition_id == edition_id, deliveries.c.subscriber_id == subscriber_id)
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else Delivered(*row)


def find_sendable(tx: Connection, now: datetime) -> list[str]:
    """Names of planned editions that are not paused and have something to send now, oldest cut-off first.

    What could not be rendered is left to staff: it fails again until somebody mends the template.
    """
    due = or_(
        deliveries.c.state.in_(("planned", "claimed", "sending")),
        and_(deliveries.c.state == "deferred", deliveries.c.next_attempt_at <= now),
    )
    failed = select(variants.c.id).where(variants.c.edition_id == editions.c.id, variants.c.error.is_not(None))
    can_begin = deliveries.c.variant_id.not_in(failed)
    has_work = select(deliveries.c.id).where(deliveries.c.edition_id == editions.c.id, due, can_begin).exists()
    may_try = or_(editions.c.retry_at.is_(None), editions.c.retry_at <= now)
    is_going = and_(editions.c.state == "planned", editions.c.paused_at.is_(None), may_try)
    query = select(editions.c.id).where(is_going, has_work)
    return list(tx.execute(query.order_by(editions.c.window_end, editions.c.id)).scalars())


def _queue(tx: Connection, edition_id: str, condition: ColumnElement[bool], *, limit: int) -> list[int]:
    unrendered = select(variants.c.id).where(variants.c.edition_id == edition_id, variants.c.frame.is_(None))
    query = select(deliveries.c.id).where(
        deliveries.c.edition_id == edition_id, condition, deliveries.c.variant_id.not_in(unrendered)
    )
    return list(tx.execute(query.order_by(deliveries.c.id).limit(limit)).scalars())


_CLAIM = deliveries.c["id", "subscriber_id", "variant_id", "email", "name", "attempts"]

# The statements of every exchange are built once: to build one takes longer than to run it.

_GATE = select(
    editions.c.state,
    editions.c.outcome,
    editions.c.paused_at.is_not(None).label("is_paused"),
    func.coalesce(editions.c.approved_hash == editions.c.content_hash, false()).label("is_approved"),
).where(editions.c.id == bindparam("edition"))

_STANDINGS = (
    select(
        deliveries.c.id,
        subscribers.c.status,
        select(suppressions.c.address_hash)
        .where(suppressions.c.subscriber_id == deliveries.c.subscriber_id)
        .correlate(deliveries)
        .exists(),
        select(subscriptions.c.id)
        .where(
            subscriptions.c.subscriber_id == deliveries.c.subscriber_id,
            subscriptions.c.cadence == bindparam("cadence"),
            subscriptions.c.ended_at.is_(None),
        )
        .correlate(deliveries)
        .exists(),
    )
    .join(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
)

_BEGIN = (
    update(deliveries)
    .where(
        deliveries.c.id.in_(bindparam("ids", expanding=True)),
        deliveries.c.fence == bindparam("holder"),
        deliveries.c.state == "claimed",
    )
    .values(state="sending", attempts=deliveries.c.attempts + 1, changed_at=bindparam("now"))
    .returning(deliveries.c.id)
)

_SETTLE = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("key"),
        deliveries.c.fence == bindparam("holder"),
    )
    .values(
        state=bindparam("to"),
        # Whoever was erased meanwhile leaves no address behind: of the reply only the code is kept.
        reply=case((deliveries.c.email.is_(None), func.substr(bindparam("said"), 1, 3)), else_=bindparam("said")),
        attempts=bindparam("tries"),
        next_attempt_at=bindparam("due"),
        changed_at=bindparam("now"),
        fence=None,
    )
)
