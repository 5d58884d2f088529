"""Deliveries in doubt: which there are, and how they are settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, func, or_, select, update

from publisher.store.database import insert_new
from publisher.store.schema import editions
from publisher.store.schema_dispatch import deliveries, delivery_events, is_in


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A delivery of which nobody knows whether the relay has it."""

    id: int
    subscriber_id: int
    attempts: int
    resends: int
    changed_at: datetime
    """When it was last known to be under way."""
    looked_at_next: datetime | None
    """When the log is looked at again; None: it never was."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a delivery in doubt ends."""

    delivery: Uncertain
    state: str
    """sent, planned, expired or cancelled."""
    reason: str
    is_resend: bool = False
    """It is planned again without knowing."""


def list_uncertain(tx: Connection, edition_id: str) -> list[Uncertain]:
    """What is in doubt of an edition, in order of id."""
    return [Uncertain(*row) for row in tx.execute(_LIST, {"edition": edition_id})]


def find_uncertain(tx: Connection, edition_id: str, subscriber_id: int) -> Uncertain | None:
    """The delivery to that subscriber where it is in doubt."""
    row = tx.execute(_LIST.where(deliveries.c.subscriber_id == subscriber_id), {"edition": edition_id}).one_or_none()
    return None if row is None else Uncertain(*row)


def find_unsettled(tx: Connection, *, now: datetime, done_since: datetime) -> list[str]:
    """Editions with something in doubt that is due for a look; of those that are done, the ones done since then."""
    due = and_(
        deliveries.c.edition_id == editions.c.id,
        is_in("uncertain"),
        or_(deliveries.c.next_attempt_at.is_(None), deliveries.c.next_attempt_at <= now),
    )
    is_recent = or_(editions.c.state.in_(("planned", "cancelled")), editions.c.done_at >= done_since)
    in_question = and_(editions.c.planned_at.is_not(None), editions.c.opened_at >= _OLDEST, is_recent)
    query = select(editions.c.id).where(in_question, select(deliveries.c.id).where(due).exists())
    return list(tx.execute(query.order_by(editions.c.window_end), {"oldest": done_since}).scalars())


def settle_uncertain(tx: Connection, settlements: Sequence[Settlement], now: datetime) -> list[Settlement]:
    """Settle what is still in doubt as it was read; those that were. Each settled attempt leaves one event."""
    done = [one for one in settlements if tx.execute(_SETTLE, _settle_values(one, now)).rowcount == 1]
    if done:
        tx.execute(_EVENT, [_event(one, now) for one in done])
    return done


def look_again_at(tx: Connection, rows: Sequence[tuple[Uncertain, datetime]]) -> None:
    """Write down when each is looked at again."""
    if rows:
        tx.execute(_LOOK, [{"key": one.id, "since": one.changed_at, "next": at} for one, at in rows])


def doubt_pending(tx: Connection, edition_id: str, *, at: datetime, reason: str) -> int:
    """Put everything that has not ended in doubt, as of that moment: nobody knows what was sent of it. How many."""
    pending = and_(
        deliveries.c.edition_id == edition_id, deliveries.c.state.in_(("planned", "claimed", "sending", "deferred"))
    )
    changes = {"state": "uncertain", "fence": None, "changed_at": at, "reply": reason, "next_attempt_at": None}
    return tx.execute(update(deliveries).where(pending).values(**changes)).rowcount


def count_undelivered(tx: Connection, edition_id: str) -> int:
    """How many deliveries of an edition could still go."""
    pending = deliveries.c.state.in_(("planned", "claimed", "sending", "deferred"))
    return tx.execute(select(func.count()).where(deliveries.c.edition_id == edition_id, pending)).scalar_one()


def _settle_values(one: Settlement, now: datetime) -> dict[str, object]:
    return {
        "key": one.delivery.id,
        "since": one.delivery.changed_at,
        "to": one.state,
        "said": one.reason,
        "again": int(one.is_resend),
        "now": now,
    }


def _event(one: Settlement, now: datetime) -> dict[str, object]:
    key = f"{one.delivery.id}:{one.delivery.attempts}:settled"
    return {"id": key, "delivery_id": one.delivery.id, "at": now, "state": one.state, "reply": one.reason}


_OLDEST = bindparam("oldest", type_=editions.c.opened_at.type)

_LIST = (
    select(
        deliveries.c.id,
        deliveries.c.subscriber_id,
        deliveries.c.attempts,
        deliveries.c.resends,
        deliveries.c.changed_at,
        deliveries.c.next_attempt_at,
    )
    .where(deliveries.c.edition_id == bindparam("edition"), is_in("uncertain"))
    .order_by(deliveries.c.id)
)

_IN_DOUBT = and_(
    deliveries.c.id == bindparam("key"),
    is_in("uncertain"),
    deliveries.c.changed_at == bindparam("since"),
)

_SETTLE = (
    update(deliveries)
    .where(_IN_DOUBT)
    .values(
        state=bindparam("to"),
        reply=bindparam("said"),
        resends=deliveries.c.resends + bindparam("again"),
        changed_at=bindparam("now"),
        next_attempt_at=None,
        fence=None,
    )
)

_LOOK = update(deliveries).where(_IN_DOUBT).values(next_attempt_at=bindparam("next"))

_EVENT = insert_new(delivery_events)
