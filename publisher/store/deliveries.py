"""The ledger: claims, intents, outcomes, counts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from publisher.store.columns import Moment, to_micros
from publisher.store.database import insert_new, read_list, write_list
from publisher.store.prepared import Prepared
from publisher.store.schema import editions, subscribers, subscriptions, suppressions, variants
from publisher.store.schema_dispatch import deliveries, delivery_events, is_in, leases

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
    edition_id: str
    subscriber_id: int
    variant_id: int
    email: str | None
    name: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Claimed deliveries of one edition that are to begin."""

    edition_id: str
    cadence: str
    ids: Sequence[int]


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


def claim(tx: Connection, edition_id: str, *, fence: int, now: datetime, limit: int) -> list[Claim]:
    """Claim what was deferred and is due, then what is planned, in order of id; never of a variant without its text."""
    values = {"edition": edition_id, "holder": fence, "now": now}
    found = [Claim(*row) for row in tx.execute(_CLAIM_DUE, values | {"most": limit}).all()]
    if len(found) < limit:
        found += [Claim(*row) for row in tx.execute(_CLAIM_PLANNED, values | {"most": limit - len(found)}).all()]
    return sorted(found, key=lambda claimed: claimed.id)


def release(tx: Connection, *, fence: int, edition_id: str | None = None) -> None:
    """Give back what is claimed and was not begun, of one edition or of all."""
    mine = and_(deliveries.c.fence == fence, deliveries.c.state == "claimed")
    if edition_id is not None:
        mine = and_(mine, deliveries.c.edition_id == edition_id)
    # What was deferred has its date: it waits for it, which is over, and nobody forgets how often it was tried.
    back = case((deliveries.c.next_attempt_at.is_not(None), "deferred"), else_="planned")
    tx.execute(update(deliveries).where(mine).values(state=back, fence=None))


def read_gate(tx: Connection, edition_id: str) -> Gate:
    """State, pause and approval of an edition at this moment."""
    row = tx.execute(_GATE, {"edition": edition_id}).one()
    return Gate(row.state, bool(row.is_paused), bool(row.is_approved), row.outcome)


def read_standings(tx: Connection, ids: Sequence[int], *, cadence: str) -> Iterator[Standing]:
    """Status, suppression and subscription of the subscribers of these deliveries."""
    for delivery_id, status, is_suppressed, is_subscribed in tx.execute(_STANDINGS, {"ids": ids, "cadence": cadence}):
        yield Standing(delivery_id, status, bool(is_suppressed), bool(is_subscribed))


def begin(tx: Connection, asked: Asked, *, fence: int, now: datetime) -> set[int]:
    """Write the intents of claimed deliveries; the ids that are still this sender's and whose readers may have mail.

    Consent, suppression, subscription, approval and pause are read in the same statement: nothing that ended before
    it is begun by it.
    """
    values = {
        "ids": write_list(asked.ids),
        "edition": asked.edition_id,
        "cadence": asked.cadence,
        "holder": fence,
        "now": to_micros(now),
    }
    return set(_BEGIN.run(tx, values).scalars().all())


def is_held(tx: Connection, delivery_id: int, *, fence: int) -> bool:
    """Whether an intent is still this sender's, and nobody took it for dead."""
    mine = and_(deliveries.c.id == delivery_id, deliveries.c.fence == fence, deliveries.c.state == "sending")
    return tx.execute(select(deliveries.c.id).where(mine)).first() is not None


def settle(tx: Connection, changes: Iterable[Change], *, fence: int, now: datetime) -> None:
    """Record new states of deliveries that this sender holds; of others nothing changes."""
    moment = to_micros(now)
    rows = [
        {
            "key": one.delivery_id,
            "to": one.state,
            "said": one.reply,
            "tries": one.attempts,
            "due": one.next_attempt_at and to_micros(one.next_attempt_at),
            "holder": fence,
            "now": moment,
        }
        for one in changes
    ]
    if rows:
        _SETTLE.run_each(tx, rows)


def find_held(tx: Connection, ids: Sequence[int], *, fence: int) -> set[int]:
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
    failed = select(variants.c.id).where(variants.c.edition_id == editions.c.id, variants.c.error.is_not(None))
    mine = and_(deliveries.c.edition_id == editions.c.id, deliveries.c.variant_id.not_in(failed))
    is_due = and_(is_in("deferred"), deliveries.c.next_attempt_at <= now)
    # Each by an index that holds only what is under way: an edition of a million is looked at every few seconds.
    has_work = or_(
        *(select(deliveries.c.id).where(mine, one).exists() for one in (is_in("planned"), is_due)),
        select(deliveries.c.id).where(mine, deliveries.c.fence.is_not(None)).exists(),
    )
    may_try = or_(editions.c.retry_at.is_(None), editions.c.retry_at <= now)
    is_going = and_(editions.c.state == "planned", editions.c.paused_at.is_(None), may_try)
    query = select(editions.c.id).where(is_going, has_work)
    return list(tx.execute(query.order_by(editions.c.window_end, editions.c.id)).scalars())


# The statements of every claim and exchange are built once: to build one takes longer than to run it.

_CLAIMED = deliveries.c["id", "edition_id", "subscriber_id", "variant_id", "email", "name", "attempts"]

_IS_RENDERED = deliveries.c.variant_id.not_in(
    select(variants.c.id).where(variants.c.edition_id == bindparam("edition"), variants.c.frame.is_(None))
)


_IS_ALIVE = select(leases.c.id).where(leases.c.id == bindparam("holder")).exists()
"""Who was taken for dead claims and begins nothing any more."""


def _claiming(condition: ColumnElement[bool], order: ColumnElement[Any]) -> ReturningUpdate[Any]:
    queue = (
        select(deliveries.c.id)
        .where(deliveries.c.edition_id == bindparam("edition"), condition, _IS_RENDERED, _IS_ALIVE)
        .order_by(order)
        .limit(bindparam("most"))
    )
    statement = update(deliveries).where(deliveries.c.id.in_(queue)).values(state="claimed", fence=bindparam("holder"))
    return statement.returning(*_CLAIMED)


# The states stand in the text of the statements: only so does the database see that a partial index serves.
_CLAIM_PLANNED = _claiming(is_in("planned"), deliveries.c.id)
_CLAIM_DUE = _claiming(
    and_(
        is_in("deferred"),
        deliveries.c.next_attempt_at <= bindparam("now", type_=Moment),
    ),
    deliveries.c.next_attempt_at,
)

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

_MAY_BEGIN = and_(
    _IS_ALIVE,
    select(subscribers.c.id)
    .where(subscribers.c.id == deliveries.c.subscriber_id, subscribers.c.status == "confirmed")
    .exists(),
    ~select(suppressions.c.address_hash).where(suppressions.c.subscriber_id == deliveries.c.subscriber_id).exists(),
    select(subscriptions.c.id)
    .where(
        subscriptions.c.subscriber_id == deliveries.c.subscriber_id,
        subscriptions.c.cadence == bindparam("cadence"),
        subscriptions.c.ended_at.is_(None),
    )
    .exists(),
    select(editions.c.id)
    .where(
        editions.c.id == bindparam("edition"),
        editions.c.state == "planned",
        editions.c.paused_at.is_(None),
        editions.c.approved_hash == editions.c.content_hash,
    )
    .exists(),
)

_BEGIN = Prepared(
    update(deliveries)
    .where(
        deliveries.c.id.in_(read_list("ids")),
        deliveries.c.fence == bindparam("holder"),
        deliveries.c.state == "claimed",
        _MAY_BEGIN,
    )
    .values(
        state="sending",
        attempts=deliveries.c.attempts + 1,
        next_attempt_at=None,
        changed_at=bindparam("now", type_=BigInteger),
    )
    .returning(deliveries.c.id)
)

_SETTLE = Prepared(
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
        next_attempt_at=bindparam("due", type_=BigInteger),
        changed_at=bindparam("now", type_=BigInteger),
        fence=None,
    )
)
