"""Erasure: what is personal goes, counts and a keyed hash of the address stay."""

import re
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, select, update

from publisher.store.schema import personal_feeds, subscribers, suppressions
from publisher.store.schema_dispatch import deliveries, delivery_events
from publisher.store.subscribers import end_subscriptions, record_consents, suppress_address
from subscribers.model import Consent, Subscriber

_REPLY_CODE = re.compile(r"\d{3}([ -]\d\.\d{1,3}\.\d{1,3})?\b")


def erase(tx: Connection, person: Subscriber, *, hashed: str, actor: str, now: datetime) -> None:
    """Take the address and the name out of every row, and suppress the address for good."""
    suppress_address(tx, hashed, subscriber_id=person.id, reason="erased", now=now)
    tx.execute(update(suppressions).where(suppressions.c.address_hash == hashed).values(reason="erased"))
    end_subscriptions(tx, [person.id], reason="erased", now=now)
    record_consents(tx, [(person.id, Consent(now, "erased", "request", "", person.language, actor))])
    tx.execute(update(subscribers).where(subscribers.c.id == person.id).values(**_NOTHING_PERSONAL))
    tx.execute(delete(personal_feeds).where(personal_feeds.c.subscriber_id == person.id))
    _erase_from_ledger(tx, person.id)


_NOTHING_PERSONAL = {"address_key": None, "email": None, "name": "", "timezone": "UTC", "status": "erased"}


def _erase_from_ledger(tx: Connection, subscriber_id: int) -> None:
    mine = deliveries.c.subscriber_id == subscriber_id
    tx.execute(update(deliveries).where(mine).values(email=None, name=""))
    ids = tx.execute(select(deliveries.c.id).where(mine)).scalars().all()
    _cut_replies(tx, deliveries, deliveries.c.id.in_(ids))
    _cut_replies(tx, delivery_events, delivery_events.c.delivery_id.in_(ids))


def _cut_replies(tx: Connection, table: Table, condition: ColumnElement[bool]) -> None:
    """Leave of each reply its status code: servers often quote the address in the text."""
    query = select(table.c.id, table.c.reply).where(condition, table.c.reply.is_not(None))
    for row in tx.execute(query).all():
        found = _REPLY_CODE.match(row.reply)
        tx.execute(update(table).where(table.c.id == row.id).values(reply=found[0] if found else ""))
