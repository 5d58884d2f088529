"""Hubs (WebSub) as rows: which of them are still to be told of which feeds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from feeds.model import Item
from publisher.store.batches import in_batches
from publisher.store.database import insert_new
from publisher.store.item_history import as_it_was
from publisher.store.items import read_items
from publisher.store.schema import item_versions, items
from publisher.store.schema_hubs import hub_pings


@dataclass(frozen=True, slots=True)
class Ping:
    """A feed of which a hub is to be told."""

    hub: str
    topic: str
    """The feed's URL."""
    changed_at: datetime
    attempts: int
    """That failed, in a row."""


def read_unannounced(tx: Connection, *, limit: int) -> dict[int, list[Item]]:
    """Items that hubs do not know of as they are: by id, as each is now and as it was since they were told last."""
    newer = items.c.announced_version < items.c.version
    query = select(items.c.id, items.c.announced_version).where(newer).order_by(items.c.id).limit(limit)
    announced = {row.id: row.announced_version for row in tx.execute(query)}
    found = {item.id: [item] for item in read_items(tx, announced)}
    for batch in in_batches(list(announced)):
        for row in tx.execute(select(item_versions).where(item_versions.c.item_id.in_(batch))):
            if row.version >= announced[row.item_id]:
                found[row.item_id].append(as_it_was(found[row.item_id][0], row.content))
    return found


def mark_announced(tx: Connection, versions: Mapping[int, int]) -> None:
    """Hubs need not be told again of these items up to these versions."""
    for item_id, version in versions.items():
        tx.execute(update(items).where(items.c.id == item_id).values(announced_version=version))


def put_pings(tx: Connection, hubs: Sequence[str], topics: Collection[str], *, now: datetime) -> None:
    """Each hub is to be told of each topic; one that is to be told already is told once."""
    rows = [
        {"hub": hub, "topic": topic, "changed_at": now, "attempts": 0, "next_attempt_at": now}
        for hub in hubs
        for topic in topics
    ]
    if not rows:
        return
    tx.execute(insert_new(hub_pings), rows)
    for batch in in_batches(sorted(topics)):
        again = hub_pings.c.topic.in_(batch) & hub_pings.c.hub.in_(hubs)
        tx.execute(update(hub_pings).where(again).values(changed_at=now))


def list_due_hubs(tx: Connection, *, now: datetime) -> set[str]:
    """The hubs that something is to be told now."""
    return set(tx.scalars(select(hub_pings.c.hub).where(hub_pings.c.next_attempt_at <= now).distinct()))


def list_due_pings(tx: Connection, hub: str, *, now: datetime, limit: int) -> list[Ping]:
    """What that hub is to be told now, the longest due first."""
    query = select(hub_pings).where(hub_pings.c.hub == hub, hub_pings.c.next_attempt_at <= now)
    query = query.order_by(hub_pings.c.next_attempt_at, hub_pings.c.topic).limit(limit)
    return [Ping(row.hub, row.topic, row.changed_at, row.attempts) for row in tx.execute(query)]


def end_ping(tx: Connection, ping: Ping) -> None:
    """The hub was told; where the feed has changed meanwhile, it is to be told again."""
    row = (hub_pings.c.hub == ping.hub) & (hub_pings.c.topic == ping.topic)
    tx.execute(delete(hub_pings).where(row, hub_pings.c.changed_at == ping.changed_at))


def postpone_ping(tx: Connection, ping: Ping, *, until: datetime) -> None:
    """The hub could not be told; it is tried again from then on."""
    row = (hub_pings.c.hub == ping.hub) & (hub_pings.c.topic == ping.topic)
    tx.execute(update(hub_pings).where(row).values(attempts=ping.attempts + 1, next_attempt_at=until))


def drop_pings(tx: Connection, *, hubs: Collection[str]) -> None:
    """Forget what other hubs than these were to be told."""
    tx.execute(delete(hub_pings).where(hub_pings.c.hub.not_in(hubs)))
