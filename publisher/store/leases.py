"""Leases of senders: a fencing token that only grows, and what is done with the claims of one that died."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, case, delete, insert, select, true, update

from publisher.store.database import database_now
from publisher.store.schema_dispatch import deliveries, leases

LEASE = timedelta(seconds=60)
"""How long a sender is believed to live after it was last heard of, by the clock of the database."""


def take_lease(tx: Connection, holder: str) -> int:
    """A new lease; its fence marks every claim, and rejects whatever an earlier holder still writes."""
    taken = insert(leases).values(holder=holder, until=database_now(after=LEASE))
    fence: int = tx.execute(taken.returning(leases.c.id)).scalar_one()
    return fence


def renew_lease(tx: Connection, fence: int) -> bool:
    """Be believed alive for a further while; False where another sender has taken over."""
    renewed = update(leases).where(leases.c.id == fence).values(until=database_now(after=LEASE))
    return tx.execute(renewed.returning(leases.c.id)).first() is not None


def is_alive(tx: Connection, fence: int) -> bool:
    """Whether nobody has taken this lease over."""
    return tx.execute(select(leases.c.id).where(leases.c.id == fence)).first() is not None


def end_lease(tx: Connection, fence: int) -> None:
    """End one's own lease."""
    tx.execute(delete(leases).where(leases.c.id == fence))


def take_over(tx: Connection, now: datetime, *, is_alone: bool) -> int:
    """Free what dead senders held: claims wait again, open intents are uncertain. How many are uncertain.

    ``is_alone``: whoever held a claim is dead, as only one sender can be at work; else its lease must have run out.
    """
    tx.execute(delete(leases).where(true() if is_alone else leases.c.until <= database_now()))
    theirs = and_(deliveries.c.fence.is_not(None), deliveries.c.fence.not_in(select(leases.c.id)))
    waiting = case((deliveries.c.next_attempt_at.is_not(None), "deferred"), else_="planned")
    tx.execute(update(deliveries).where(theirs, deliveries.c.state == "claimed").values(state=waiting, fence=None))
    reply = "the sender died while this message was in flight"
    lost = update(deliveries).where(theirs, deliveries.c.state == "sending")
    return tx.execute(lost.values(state="uncertain", fence=None, changed_at=now, reply=reply)).rowcount
