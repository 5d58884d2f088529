"""Subscribers, their subscriptions, consents and suppressions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from feeds.criteria import Criteria
from publisher.store.database import insert_new
from publisher.store.schema import consents, criteria, digests, subscribers, subscriptions, suppressions
from publisher.store.schema_dispatch import deliveries
from subscribers.model import Consent, Subscriber, Subscription
from subscribers.schedule import Digest, parse_digest
from subscribers.tokens import address_hash


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why and since when an address gets no mail."""

    reason: str
    at: datetime


def find_subscriber(tx: Connection, address_key: str) -> Subscriber | None:
    """Who has this address."""
    row = tx.execute(select(subscribers).where(subscribers.c.address_key == address_key)).one_or_none()
    return None if row is None else _subscriber(row)


def read_subscriber(tx: Connection, subscriber_id: int) -> Subscriber | None:
    """The subscriber of that id, erased or not."""
    row = tx.execute(select(subscribers).where(subscribers.c.id == subscriber_id)).one_or_none()
    return None if row is None else _subscriber(row)


def list_subscribers(tx: Connection, *, after: int, limit: int) -> list[Subscriber]:
    """Subscribers that are not erased, by id, from behind that id on."""
    query = select(subscribers).where(subscribers.c.id > after, subscribers.c.status != "erased")
    return [_subscriber(row) for row in tx.execute(query.order_by(subscribers.c.id).limit(limit))]


def list_subscriptions(tx: Connection, subscriber_ids: Iterable[int]) -> list[Subscription]:
    """Their subscriptions, active and ended, oldest first."""
    wanted = (criteria.c.themes, criteria.c.regions, criteria.c.kinds, criteria.c.language)
    query = (
        select(subscriptions, *wanted)
        .join(criteria, criteria.c.id == subscriptions.c.criteria_id)
        .where(subscriptions.c.subscriber_id.in_(list(subscriber_ids)))
        .order_by(subscriptions.c.id)
    )
    return [_subscription(row) for row in tx.execute(query)]


def list_consents(tx: Connection, subscriber_ids: Iterable[int]) -> list[tuple[int, Consent]]:
    """Their consent events with the subscriber's id, in the order in which they were recorded."""
    query = select(consents).where(consents.c.subscriber_id.in_(list(subscriber_ids))).order_by(consents.c.id)
    return [
        (row.subscriber_id, Consent(row.at, row.what, row.how, row.wording, row.language, row.actor))
        for row in tx.execute(query)
    ]


def find_suppression(tx: Connection, secret: bytes, *, address_key: str) -> Suppression | None:
    """Why this address is suppressed, also after its erasure; None where it is not."""
    query = select(suppressions.c.reason, suppressions.c.at)
    row = tx.execute(query.where(suppressions.c.address_hash == address_hash(secret, address_key))).one_or_none()
    return None if row is None else Suppression(row.reason, row.at)


def find_suppressed(tx: Connection, subscriber_ids: Iterable[int]) -> set[int]:
    """Which of these subscribers are never to be mailed."""
    query = select(suppressions.c.subscriber_id).where(suppressions.c.subscriber_id.in_(list(subscriber_ids)))
    return set(tx.execute(query).scalars())


def find_digest_by_number(tx: Connection, number: int) -> Digest | None:
    """The digest that link tokens mean by this number, ended or not."""
    settings = tx.execute(select(digests.c.settings).where(digests.c.number == number)).scalar_one_or_none()
    return None if settings is None else parse_digest(settings)


def put_criteria(tx: Connection, wanted: Iterable[Criteria]) -> dict[Criteria, int]:
    """The ids of these criteria; new ones are added."""
    rows = {one.key: one for one in wanted}
    if not rows:
        return {}
    tx.execute(insert_new(criteria), [_criteria_values(one) for one in rows.values()])
    query = select(criteria.c.key, criteria.c.id).where(criteria.c.key.in_(rows))
    return {rows[key]: criteria_id for key, criteria_id in tx.execute(query)}


def end_subscriptions(
    tx: Connection, subscriber_ids: Sequence[int], *, reason: str, now: datetime, cadence: str | None = None
) -> int:
    """End what is active of these people, of one cadence or of all. How many ended."""
    active = subscriptions.c.subscriber_id.in_(subscriber_ids) & subscriptions.c.ended_at.is_(None)
    if cadence is not None:
        active &= subscriptions.c.cadence == cadence
    return tx.execute(update(subscriptions).where(active).values(ended_at=now, end_reason=reason)).rowcount


def mark_unsubscribed(tx: Connection, subscriber_ids: Sequence[int]) -> int:
    """Set the status of those who could still get or confirm something. How many changed."""
    could_get = subscribers.c.id.in_(subscriber_ids) & subscribers.c.status.in_(("confirmed", "unconfirmed"))
    return tx.execute(update(subscribers).where(could_get).values(status="unsubscribed")).rowcount


def record_consents(tx: Connection, events: Sequence[tuple[int, Consent]]) -> None:
    """Add consent events, each with the subscriber's id."""
    rows = [
        {"subscriber_id": subscriber_id, "at": one.at, "what": one.what, "how": one.how}
        | {"wording": one.wording, "language": one.language, "actor": one.actor}
        for subscriber_id, one in events
    ]
    if rows:
        tx.execute(insert(consents), rows)


def suppress(tx: Connection, secret: bytes, *, delivery_id: int, reason: str, now: datetime) -> bool:
    """Never mail the subscriber of this delivery again; False where that holds already, or the address is gone."""
    query = (
        select(subscribers)
        .join(deliveries, deliveries.c.subscriber_id == subscribers.c.id)
        .where(deliveries.c.id == delivery_id)
    )
    row = tx.execute(query).one_or_none()
    if row is None or row.address_key is None:
        return False
    if not suppress_address(tx, address_hash(secret, row.address_key), subscriber_id=row.id, reason=reason, now=now):
        return False
    record_consents(tx, [(row.id, Consent(now, "suppressed", reason, "", row.language, "system"))])
    return True


def suppress_address(tx: Connection, hashed: str, *, subscriber_id: int | None, reason: str, now: datetime) -> bool:
    """Suppress an address by its keyed hash; False where it was suppressed already, whose reason stays."""
    is_new = tx.execute(select(suppressions.c.at).where(suppressions.c.address_hash == hashed)).first() is None
    values = {"address_hash": hashed, "subscriber_id": subscriber_id, "reason": reason, "at": now}
    tx.execute(insert_new(suppressions).values(values))
    return is_new


def count_active(tx: Connection, subscriber_id: int) -> dict[str, int]:
    """How many active subscriptions somebody has, per cadence."""
    query = (
        select(subscriptions.c.cadence, func.count())
        .where(subscriptions.c.subscriber_id == subscriber_id, subscriptions.c.ended_at.is_(None))
        .group_by(subscriptions.c.cadence)
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def list_editions_of(tx: Connection, subscriber_id: int) -> list[tuple[str, str]]:
    """The editions that were planned for somebody, each with the state of its delivery, oldest first."""
    query = select(deliveries.c.edition_id, deliveries.c.state).where(deliveries.c.subscriber_id == subscriber_id)
    return [(edition, state) for edition, state in tx.execute(query.order_by(deliveries.c.id))]


def _subscriber(row: Row[Any]) -> Subscriber:  # Any: a row of the table
    return Subscriber(row.id, row.email or "", row.name, row.language, row.timezone, row.status, row.created_at)


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        subscriber_id=row.subscriber_id,
        criteria=Criteria(tuple(row.themes), tuple(row.regions), tuple(row.kinds), row.language),
        cadence=row.cadence,
        created_at=row.created_at,
        covered_from=row.covered_from,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )


def _criteria_values(wanted: Criteria) -> dict[str, Any]:  # Any: JSON lists and text
    return {
        "key": wanted.key,
        "themes": list(wanted.themes),
        "regions": list(wanted.regions),
        "kinds": list(wanted.kinds),
        "language": wanted.language,
    }
