"""A mailbox that was full for three editions over two weeks is found in the ledger."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from newsroom_app import MONDAY, Newsroom, open_newsroom
from sqlalchemy import update

from publisher.store.mailboxes import read_endings
from publisher.store.schema_dispatch import deliveries, delivery_events
from subscribers.mailboxes import is_given_up


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        newsroom.add_person("ana")
        newsroom.add_person("ben")
        yield newsroom


def send_week(newsroom: Newsroom, week: int, *, state: str, said: str, reply: str) -> int:
    """Ana's delivery of one weekly edition, ended so; ``said`` is what her server answered."""
    newsroom.add_item(released_at=MONDAY + timedelta(weeks=week))
    newsroom.clock.now = MONDAY + timedelta(weeks=week + 1)
    newsroom.plan_edition()
    row = max((one for one in newsroom.rows(deliveries) if one["email"].startswith("ana")), key=lambda one: one["id"])
    now, delivery = newsroom.clock.now, row["id"]
    with newsroom.app.database.write() as tx:
        ended = {"state": state, "reply": reply, "attempts": 1, "changed_at": now}
        tx.execute(update(deliveries).where(deliveries.c.id == delivery).values(ended))
        if said:
            event = {"id": f"{delivery}:1", "delivery_id": delivery, "at": now, "state": "deferred", "reply": said}
            tx.execute(delivery_events.insert().values(event))
    return int(delivery)


FULL = "452 4.2.2 mailbox full"


def test_three_weeks_of_a_full_mailbox_are_enough_also_where_the_editions_expired(newsroom: Newsroom) -> None:
    for week in range(2):
        delivery = send_week(newsroom, week, state="expired", said=FULL, reply="the next edition is due")
    with newsroom.app.database.read() as tx:
        assert not is_given_up(read_endings(tx, delivery))

    delivery = send_week(newsroom, 2, state="failed", said="552 5.2.2 full", reply="552 5.2.2 full")

    with newsroom.app.database.read() as tx:
        endings = read_endings(tx, delivery)
    assert [one.reply for one in endings] == ["552 5.2.2 full", FULL, FULL]
    assert is_given_up(endings)


def test_one_acceptance_between_begins_anew(newsroom: Newsroom) -> None:
    send_week(newsroom, 0, state="failed", said=FULL, reply=FULL)
    send_week(newsroom, 1, state="sent", said=FULL, reply="250 2.0.0 ok")
    send_week(newsroom, 2, state="failed", said=FULL, reply=FULL)
    delivery = send_week(newsroom, 3, state="failed", said=FULL, reply=FULL)

    with newsroom.app.database.read() as tx:
        assert not is_given_up(read_endings(tx, delivery))
