"""Opening and planning editions in a test, and what their readers got."""

from datetime import datetime, timedelta

from newsroom_app import Newsroom

from publisher.store import editions as store
from publisher.store.editions import Edition
from publisher.store.schema import variants
from publisher.store.schema_dispatch import deliveries
from publisher.usecases.editions import approve
from publisher.usecases.opening import open_edition
from publisher.usecases.planning import plan
from subscribers.selection import mask_items

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


def frozen(newsroom: Newsroom, edition: Edition) -> list[int]:
    with newsroom.app.database.read() as tx:
        return [one.item.id for one in store.read_frozen_items(tx, edition.id)]


def open_now(newsroom: Newsroom, digest: str = "weekly", **options: datetime) -> Edition:
    return open_edition(newsroom.app, digest, **options)


def received(newsroom: Newsroom, person: int) -> list[int]:
    """The items in all planned deliveries of a person, in the order of editions."""
    masks = {row["id"]: row for row in newsroom.rows(variants)}
    got = []
    for row in newsroom.rows(deliveries):
        if row["subscriber_id"] == person:
            variant = masks[row["variant_id"]]
            with newsroom.app.database.read() as tx:
                content = store.read_frozen_items(tx, str(variant["edition_id"]))
            got += [content[place].item.id for place in mask_items(bytes(variant["mask"]))]  # type: ignore[arg-type]
    return got


def plan_next(newsroom: Newsroom, digest: str = "weekly") -> Edition:
    edition = open_now(newsroom, digest)
    if edition.state != "skipped":
        approve(newsroom.app, edition.id, actor="ada")
        plan(newsroom.app, edition.id)
    return edition
