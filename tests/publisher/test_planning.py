"""Who gets what: the set-based plan equals a slow reference, person by person and item by item."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from newsroom_app import MONDAY, Newsroom, open_newsroom
from sqlalchemy.exc import IntegrityError

from feeds.criteria import Criteria
from feeds.model import Item
from publisher.store import editions as store
from publisher.store.schema import criteria, editions, subscribers, subscriptions, variants
from publisher.store.schema_dispatch import deliveries
from publisher.store.subscribers import list_subscriptions, suppress_address
from publisher.usecases.editions import approve
from publisher.usecases.opening import open_edition
from publisher.usecases.planning import plan
from publisher.usecases.subscribers import erase_subscriber
from subscribers.selection import mask_items

THEMES = ("asylum", "border-visa", "trafficking", "return-reintegration")
REGIONS = ("africa", "mediterranean", "silk-routes")
LANGUAGES = ("en", "fr", "ru", "de")


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        yield newsroom


def fill(newsroom: Newsroom, chance: random.Random, *, items: int, people: int) -> None:
    for _ in range(items):
        newsroom.add_item(
            released_at=MONDAY - timedelta(hours=chance.randint(1, 200)),
            themes=chance.choice([("general",), tuple(chance.sample(THEMES, chance.randint(1, 2)))]),
            regions=chance.choice([(), ("global",), tuple(chance.sample(REGIONS, chance.randint(1, 2)))]),
            language=chance.choice(["en", "fr"]),
        )
    for number in range(people):
        wishes = {random_wish(chance) for _ in range(chance.randint(1, 4))}
        newsroom.add_people(
            [f"p{number}"],
            sorted(wishes, key=lambda wish: wish.text),
            cadence=chance.choice(["weekly", "weekly", "weekly", "daily"]),
            language=chance.choice(LANGUAGES),
            status=chance.choices(["confirmed", "unconfirmed", "unsubscribed", "erased"], [8, 1, 1, 1])[0],
            since=MONDAY - timedelta(hours=chance.choice([10_000, 10_000, 100, 30])),
        )


def random_wish(chance: random.Random) -> Criteria:
    themes = chance.sample([*THEMES, "general"], chance.randint(0, 3))
    regions = chance.sample(REGIONS, chance.randint(0, 2))
    return Criteria.of(themes, regions, language=chance.choice([None, None, None, "fr"]))


def planned(newsroom: Newsroom) -> dict[int, tuple[str, set[int]]]:
    """Per subscriber with a delivery: language and items."""
    texts = {row["id"]: row for row in newsroom.rows(variants)}
    with newsroom.app.database.read() as tx:
        content = [one.item.id for one in store.read_frozen_items(tx, str(newsroom.rows(editions)[0]["id"]))]
    return {
        int(str(row["subscriber_id"])): (
            str(texts[row["variant_id"]]["language"]),
            {content[place] for place in mask_items(texts[row["variant_id"]]["mask"])},  # type: ignore[arg-type]
        )
        for row in newsroom.rows(deliveries)
    }


def wanted(newsroom: Newsroom) -> dict[int, tuple[str, set[int]]]:
    """The same, slowly, from the rules."""
    with newsroom.app.database.read() as tx:
        content = store.read_frozen_items(tx, str(newsroom.rows(editions)[0]["id"]))
    people = {}
    for row in newsroom.rows(subscribers):
        with newsroom.app.database.read() as tx:
            wishes = [one for one in list_subscriptions(tx, [row["id"]]) if one.cadence == "weekly" and one.is_active]  # type: ignore[list-item]
        got = {
            frozen.item.id
            for frozen in content
            for wish in wishes
            if is_owed(wish.criteria, frozen.item, released_at=frozen.released_at, since=wish.covered_from)
        }
        if got and row["status"] == "confirmed":
            language = str(row["language"]) if row["language"] in ("en", "fr", "ru") else "en"
            people[int(str(row["id"]))] = (language, got)
    return people


def is_owed(wish: Criteria, item: Item, *, released_at: datetime, since: datetime) -> bool:
    return wish.is_met_by(item) and released_at >= since


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_equals_the_rules_person_by_person_and_item_by_item(newsroom: Newsroom, seed: int) -> None:
    chance = random.Random(seed)
    fill(newsroom, chance, items=chance.choice([1, 7, 8, 9, 40]), people=80)
    newsroom.add_item(released_at=MONDAY - timedelta(hours=1))

    newsroom.plan_edition()

    assert planned(newsroom) == wanted(newsroom)
    assert len(planned(newsroom)) == len(newsroom.rows(deliveries)) > 5


def test_planning_twice_adds_nothing(newsroom: Newsroom) -> None:
    fill(newsroom, random.Random(9), items=10, people=30)
    name = newsroom.plan_edition()
    before = newsroom.rows(deliveries), newsroom.rows(variants)
    newsroom.add_person("who came after planning")

    assert plan(newsroom.app, name) == 0
    assert (newsroom.rows(deliveries), newsroom.rows(variants)) == before


def test_an_interrupted_plan_is_completed_not_doubled(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - timedelta(hours=1))
    newsroom.add_people([f"p{number}" for number in range(10)])
    name = newsroom.plan_edition()
    with newsroom.app.database.write() as tx:
        tx.execute(deliveries.delete().where(deliveries.c.subscriber_id > 4))
        tx.execute(editions.update().values(planned_at=None))

    assert plan(newsroom.app, name) == 6
    assert len(newsroom.rows(deliveries)) == 10


@pytest.mark.parametrize("status", ["unconfirmed", "unsubscribed", "erased"])
def test_only_the_confirmed_are_planned(newsroom: Newsroom, status: str) -> None:
    newsroom.add_item(released_at=MONDAY - timedelta(hours=1))
    newsroom.add_person("yes")
    newsroom.add_person("no", status=status)

    newsroom.plan_edition()

    assert [row["email"] for row in newsroom.rows(deliveries)] == ["yes@example.org"]


def test_the_suppressed_the_erased_and_those_whose_subscription_ended_get_nothing(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - timedelta(hours=1))
    _, suppressed, _, ended = newsroom.add_people(["yes", "suppressed", "erased", "ended"])
    erase_subscriber(newsroom.app, "erased@example.org", actor="staff:ada")
    with newsroom.app.database.write() as tx:
        suppress_address(tx, "f" * 64, subscriber_id=suppressed, reason="bounce", now=MONDAY)
        ends = {"ended_at": MONDAY, "end_reason": "unsubscribed"}
        tx.execute(subscriptions.update().where(subscriptions.c.subscriber_id == ended).values(ends))

    newsroom.plan_edition()

    assert [row["email"] for row in newsroom.rows(deliveries)] == ["yes@example.org"]


def test_several_matching_subscriptions_make_one_delivery_with_all_their_items(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - timedelta(hours=3), themes=["asylum"])
    newsroom.add_item(released_at=MONDAY - timedelta(hours=2), themes=["trafficking"])
    newsroom.add_item(released_at=MONDAY - timedelta(hours=1), themes=["border-visa"])
    person = newsroom.add_person("ana", Criteria.of(["asylum"]), Criteria.of(["trafficking"], ["africa"]))

    newsroom.plan_edition()

    assert planned(newsroom) == {person: ("en", {1, 2})}


def test_an_edition_that_nobody_reads_is_done_and_says_so(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - timedelta(hours=1))

    newsroom.plan_edition()

    edition = newsroom.rows(editions)[0]
    assert edition["state"] == "done"
    assert str(edition["outcome"]).startswith("nobody to send to")


def test_deliveries_stand_variant_by_variant(newsroom: Newsroom) -> None:
    fill(newsroom, random.Random(3), items=12, people=60)
    newsroom.add_item(released_at=MONDAY - timedelta(hours=1))

    newsroom.plan_edition()

    order = [int(str(row["variant_id"])) for row in newsroom.rows(deliveries)]
    assert order == sorted(order)


def test_planning_leaves_no_work_tables_behind(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - timedelta(hours=1))
    newsroom.plan_edition()

    with newsroom.app.database.read() as tx:
        left = tx.exec_driver_sql("SELECT name FROM sqlite_temp_master UNION SELECT name FROM sqlite_master").scalars()
        assert [name for name in left if name.startswith("work_")] == []


def test_the_database_itself_refuses_a_second_delivery(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - timedelta(hours=1))
    newsroom.add_person("ana")
    newsroom.plan_edition()
    row = {key: value for key, value in newsroom.rows(deliveries)[0].items() if key != "id"}

    with pytest.raises(IntegrityError), newsroom.app.database.write() as tx:
        tx.execute(deliveries.insert().values(row))


def test_two_editions_of_one_day_share_nothing(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - timedelta(hours=1))
    newsroom.add_person("ana")
    newsroom.add_person("ana.daily", cadence="daily")
    weekly = newsroom.plan_edition()
    daily = open_edition(newsroom.app, "daily")
    approve(newsroom.app, daily.id, actor="ada")
    plan(newsroom.app, daily.id)

    assert [(row["edition_id"], row["subscriber_id"]) for row in newsroom.rows(deliveries)] == [
        (weekly, 1),
        (daily.id, 2),
    ]
    assert len(newsroom.rows(criteria)) == 1
