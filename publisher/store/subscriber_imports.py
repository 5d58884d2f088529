"""Imported lines in sets: what is known of their addresses, and writing what was decided."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from publisher.store.schema import subscribers, subscriptions, suppressions
from publisher.store.subscribers import (
    end_subscriptions,
    list_subscriptions,
    mark_unsubscribed,
    put_criteria,
    record_consents,
)
from subscribers.importing import ImportRow
from subscribers.model import Consent
from subscribers.rights import ImportChange, Profile, Rights, Wish
from subscribers.tokens import address_hash


@dataclass(frozen=True, slots=True)
class Decision:
    """A line with what it changes."""

    row: ImportRow
    change: ImportChange


def read_rights(tx: Connection, secret: bytes, *, address_keys: Iterable[str]) -> dict[str, Rights]:
    """What each of these addresses may get here."""
    hashes = {key: address_hash(secret, key) for key in address_keys}
    known = select(subscribers).where(subscribers.c.address_key.in_(hashes))
    people = {row.address_key: row for row in tx.execute(known)}
    ids = [row.id for row in people.values()]
    barred = _barred(tx, hashes.values(), ids)
    wishes = _wishes(tx, ids)
    return {
        key: _rights(people[key], wishes, is_suppressed=hashed in barred or people[key].id in barred)
        if key in people
        else Rights(is_suppressed=hashed in barred)
        for key, hashed in hashes.items()
    }


def write_decisions(tx: Connection, decisions: Sequence[Decision], *, actor: str, now: datetime) -> None:
    """Write what was decided of lines whose addresses are all different."""
    changed = [decision for decision in decisions if decision.change.outcome != "unchanged"]
    _write_profiles(tx, changed, now)
    keys = [decision.row.address.key for decision in changed]
    ids = _ids(tx, keys)
    _end(tx, changed, ids=ids, now=now)
    _begin(tx, changed, ids=ids, now=now)
    events = [(ids[one.row.address.key], event) for one in changed for event in _consents(one, actor, now)]
    record_consents(tx, events)


def _barred(tx: Connection, hashes: Iterable[str], ids: Sequence[int]) -> set[str | int | None]:
    is_hit = or_(suppressions.c.address_hash.in_(list(hashes)), suppressions.c.subscriber_id.in_(ids))
    rows = tx.execute(select(suppressions.c.address_hash, suppressions.c.subscriber_id).where(is_hit))
    return {value for row in rows for value in row}


def _wishes(tx: Connection, ids: Sequence[int]) -> dict[tuple[int, bool], set[Wish]]:
    wishes: dict[tuple[int, bool], set[Wish]] = defaultdict(set)
    for one in list_subscriptions(tx, ids):
        wishes[one.subscriber_id, one.is_active].add(Wish(one.criteria, one.cadence))
    return wishes


def _rights(
    person: Row[Any],  # Any: a row of the table
    wishes: Mapping[tuple[int, bool], set[Wish]],
    *,
    is_suppressed: bool,
) -> Rights:
    return Rights(
        status=person.status,
        profile=Profile(person.name, person.language, person.timezone),
        is_suppressed=is_suppressed,
        active=frozenset(wishes.get((person.id, True), ())),
        ended=frozenset(wishes.get((person.id, False), ())),
    )


def _write_profiles(tx: Connection, changed: Sequence[Decision], now: datetime) -> None:
    new = [_new_subscriber(one.row, now) for one in changed if one.change.outcome == "added"]
    if new:
        tx.execute(insert(subscribers), new)
    corrected = [
        {"key": one.row.address.key, **asdict(one.change.profile)}
        for one in changed
        if one.change.profile and one.change.outcome == "updated"
    ]
    if corrected:
        tx.execute(_CORRECT, corrected)


def _new_subscriber(row: ImportRow, now: datetime) -> dict[str, object]:
    return {
        "address_key": row.address.key,
        "email": row.address.email,
        "name": row.name,
        "language": row.language,
        "timezone": row.timezone,
        "status": row.status,
        "created_at": now,
    }


def _ids(tx: Connection, address_keys: Sequence[str]) -> dict[str, int]:
    query = select(subscribers.c.address_key, subscribers.c.id).where(subscribers.c.address_key.in_(address_keys))
    return {row.address_key: row.id for row in tx.execute(query)}


def _end(tx: Connection, changed: Sequence[Decision], *, ids: Mapping[str, int], now: datetime) -> None:
    leaving = [ids[one.row.address.key] for one in changed if one.change.unsubscribes]
    if leaving:
        end_subscriptions(tx, leaving, reason="import", now=now)
        mark_unsubscribed(tx, leaving)


def _begin(tx: Connection, changed: Sequence[Decision], *, ids: Mapping[str, int], now: datetime) -> None:
    beginning = [(one, one.change.wish) for one in changed if one.change.wish]
    criteria_ids = put_criteria(tx, {wish.criteria for _, wish in beginning})
    rows = [
        {
            "subscriber_id": ids[one.row.address.key],
            "criteria_id": criteria_ids[wish.criteria],
            "cadence": wish.cadence,
            "created_at": now,
            "covered_from": one.row.consent_at or now,
            "ended_at": now if one.change.unsubscribes else None,
            "end_reason": "import" if one.change.unsubscribes else None,
        }
        for one, wish in beginning
    ]
    if rows:
        tx.execute(insert(subscriptions), rows)


def _consents(decision: Decision, actor: str, now: datetime) -> Iterator[Consent]:
    row, change = decision.row, decision.change
    if change.wish:
        yield Consent(row.consent_at or now, "imported", row.consent_source, "", row.language, actor)
    if change.unsubscribes:
        yield Consent(now, "unsubscribed", "import", "", row.language, actor)


_CORRECT = (
    update(subscribers)
    .where(subscribers.c.address_key == bindparam("key"))
    .values(name=bindparam("name"), language=bindparam("language"), timezone=bindparam("timezone"))
)
