"""What a subscription covers: from its consent on each item once, whoever comes, goes or is imported meanwhile."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from edition_steps import DAY, HOUR, WEEK, open_now, plan_next, received
from newsroom_app import MONDAY, Newsroom

from feeds.criteria import Criteria
from publisher.app import App
from publisher.store.newsroom import end_entry
from publisher.store.schema import subscribers, subscriptions
from publisher.store.schema_dispatch import deliveries
from publisher.store.subscribers import end_subscriptions
from publisher.usecases.editions import approve
from publisher.usecases.opening import open_due_editions, open_edition
from publisher.usecases.planning import plan
from publisher.usecases.subscribers import CHUNK, import_subscribers

HEADER = b"email,name,language,cadence,themes,regions,timezone,status,consent_source,consent_at\n"


def csv_line(name: str, *, since: datetime, themes: str = "*", cadence: str = "weekly") -> bytes:
    return f"{name}@example.org,N,en,{cadence},{themes},*,UTC,confirmed,form,{since.isoformat()}\n".encode()


def find_person(newsroom: Newsroom, name: str) -> int:
    return next(int(str(row["id"])) for row in newsroom.rows(subscribers) if row["email"] == f"{name}@example.org")


def test_a_new_subscription_starts_at_its_confirmation(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - 3 * DAY)
    after = newsroom.add_item(released_at=MONDAY - DAY)
    reader = newsroom.add_person("ana", since=MONDAY - 2 * DAY)

    plan_next(newsroom)

    assert received(newsroom, reader) == [after]


def test_an_imported_subscription_starts_at_its_consent_and_is_owed_what_came_before_the_import(
    newsroom: Newsroom,
) -> None:
    newsroom.add_item(released_at=MONDAY - 3 * DAY)
    owed = newsroom.add_item(released_at=MONDAY - DAY)
    newsroom.add_person("old")
    plan_next(newsroom)
    newsroom.clock.forward(days=2)
    consent_at = (MONDAY - 2 * DAY).isoformat()
    header = "email,name,language,cadence,themes,regions,timezone,status,consent_source,consent_at\n"
    line = f"new@example.org,New,en,weekly,*,*,UTC,confirmed,form,{consent_at}\n"
    assert import_subscribers(newsroom.app, [header.encode(), line.encode()], actor="import").added == 1
    newsroom.clock.forward(days=5)
    fresh = newsroom.add_item(released_at=MONDAY + DAY)

    plan_next(newsroom)
    newsroom.clock.forward(days=7)
    newsroom.add_item(released_at=MONDAY + WEEK + DAY)
    plan_next(newsroom)

    assert received(newsroom, 2) == [owed, fresh, 4]
    assert received(newsroom, 1) == [1, owed, fresh, 4]


def test_changing_from_weekly_to_daily_neither_loses_nor_repeats_an_item(newsroom: Newsroom) -> None:
    reader = newsroom.add_person("ana")
    first = newsroom.add_item(released_at=MONDAY - DAY)
    weekly = plan_next(newsroom)
    plan_next(newsroom, "daily")
    since_then = newsroom.add_item(released_at=MONDAY + 3 * HOUR)
    newsroom.clock.forward(days=1)
    plan_next(newsroom, "daily")  # nobody has it daily yet
    newsroom.clock.forward(hours=2)
    with newsroom.app.database.write() as tx:
        end_subscriptions(tx, [reader], reason="cadence changed", now=newsroom.clock.now)
        row = {key: value for key, value in newsroom.rows(subscriptions)[0].items() if key != "id"}
        row |= {"cadence": "daily", "created_at": newsroom.clock.now, "covered_from": weekly.window_end}
        tx.execute(subscriptions.insert().values(row | {"ended_at": None, "end_reason": None}))
    newsroom.clock.forward(hours=22)
    fresh = newsroom.add_item(released_at=newsroom.clock.now - HOUR)

    for _ in range(3):
        plan_next(newsroom, "daily")
        newsroom.clock.forward(days=1)

    assert received(newsroom, reader) == [first, since_then, fresh]


def test_who_subscribes_between_opening_and_planning_gets_the_older_items_once(newsroom: Newsroom) -> None:
    older = newsroom.add_item(released_at=MONDAY - DAY)
    edition = open_now(newsroom)
    newsroom.clock.forward(hours=1)
    reader = newsroom.add_person("ana", since=MONDAY - 2 * DAY, created_at=newsroom.clock.now)
    approve(newsroom.app, edition.id, actor="ada")
    plan(newsroom.app, edition.id)

    for _ in range(2):
        newsroom.clock.forward(days=7)
        newsroom.add_item(released_at=newsroom.clock.now - HOUR)
        plan_next(newsroom)

    assert received(newsroom, reader) == [older, 2, 3]


def test_an_older_subscription_added_later_brings_only_what_its_reader_has_not_got(newsroom: Newsroom) -> None:
    reader = newsroom.add_person("ana", Criteria.of(["asylum"]))
    both = newsroom.add_item(released_at=MONDAY - 2 * DAY, themes=("asylum", "development"))
    owed = newsroom.add_item(released_at=MONDAY - DAY, themes=("development",))
    plan_next(newsroom)
    newsroom.clock.forward(days=3)
    line = csv_line("ana", since=MONDAY - 4 * DAY, themes="development")
    assert import_subscribers(newsroom.app, [HEADER, line], actor="import").updated == 1
    newsroom.clock.forward(days=4)
    fresh = newsroom.add_item(released_at=newsroom.clock.now - DAY, themes=("development",))

    plan_next(newsroom)

    assert received(newsroom, reader) == [both, owed, fresh]


def test_who_has_got_all_that_is_owed_gets_no_second_message(newsroom: Newsroom) -> None:
    reader = newsroom.add_person("ana", Criteria.of(["asylum"]))
    both = newsroom.add_item(released_at=MONDAY - 2 * DAY, themes=("asylum", "development"))
    plan_next(newsroom)
    newsroom.clock.forward(days=3)
    lines = [HEADER, csv_line("ana", since=MONDAY - 4 * DAY, themes="development")]
    import_subscribers(newsroom.app, lines, actor="import")
    newsroom.clock.forward(days=4)
    newsroom.add_item(released_at=newsroom.clock.now - DAY, themes=("trafficking",))

    plan_next(newsroom)

    assert received(newsroom, reader) == [both]
    assert len(newsroom.rows(deliveries)) == 1


@pytest.mark.parametrize("state", ["failed", "expired", "cancelled", "suppressed"])
def test_an_item_of_a_message_that_never_went_is_still_owed(newsroom: Newsroom, state: str) -> None:
    newsroom.add_person("ana", Criteria.of(["asylum"]))
    newsroom.add_item(released_at=MONDAY - 2 * DAY, themes=("asylum", "development"))
    plan_next(newsroom)
    with newsroom.app.database.write() as tx:
        tx.execute(deliveries.update().values(state=state))
    newsroom.clock.forward(days=7)
    lines = [HEADER, csv_line("ana", since=MONDAY - 4 * DAY, themes="development")]
    import_subscribers(newsroom.app, lines, actor="import")

    plan_next(newsroom)

    assert len(newsroom.rows(deliveries)) == 2


def test_an_edition_opened_in_the_middle_of_an_import_loses_nobody(newsroom: Newsroom) -> None:
    owed = newsroom.add_item(released_at=MONDAY - 10 * DAY)
    newsroom.add_person("old")
    newsroom.clock.now = MONDAY - WEEK
    plan_next(newsroom)
    within = newsroom.add_item(released_at=MONDAY - 2 * DAY)
    newsroom.clock.now = MONDAY - timedelta(seconds=30)

    def lines() -> Iterator[bytes]:
        yield HEADER
        yield from (csv_line(f"p{number}", since=MONDAY, cadence="monthly") for number in range(CHUNK))
        newsroom.clock.now = MONDAY
        plan_next(newsroom)
        newsroom.clock.forward(seconds=30)
        yield csv_line("late", since=MONDAY - 20 * DAY)

    import_subscribers(newsroom.app, lines(), actor="import")
    newsroom.clock.now = MONDAY + WEEK
    fresh = newsroom.add_item(released_at=MONDAY + DAY)
    plan_next(newsroom)

    assert received(newsroom, find_person(newsroom, "late")) == [owed, within, fresh]


@pytest.mark.parametrize("when", ["before opening", "before planning", "after planning"])
def test_an_import_at_the_very_moment_of_an_edition_neither_loses_nor_repeats(newsroom: Newsroom, when: str) -> None:
    newsroom.add_person("old")
    owed = newsroom.add_item(released_at=MONDAY - DAY)

    def bring_in(moment: str) -> None:  # the clock stands still
        if moment == when:
            import_subscribers(newsroom.app, [HEADER, csv_line("new", since=MONDAY - 2 * DAY)], actor="import")

    bring_in("before opening")
    edition = open_now(newsroom)
    approve(newsroom.app, edition.id, actor="ada")
    bring_in("before planning")
    plan(newsroom.app, edition.id)
    bring_in("after planning")
    newsroom.clock.forward(days=7)
    fresh = newsroom.add_item(released_at=MONDAY + DAY)
    plan_next(newsroom)
    newsroom.clock.forward(days=7)
    plan_next(newsroom)

    assert received(newsroom, find_person(newsroom, "new")) == [owed, fresh]


def is_locked(app: App) -> bool:
    """Whether somebody is writing."""
    other = sqlite3.connect(str(app.database.file), timeout=0)
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    finally:
        other.close()
    return False


@pytest.mark.parametrize("act", ["open", "open due", "approve", "plan", "import"])
def test_moments_are_read_when_nobody_else_can_write(newsroom: Newsroom, act: str) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    if act in ("approve", "plan"):
        open_now(newsroom)
    if act == "plan":
        approve(newsroom.app, "weekly-2026-11-23", actor="ada")
    locked: list[bool] = []

    def clock() -> datetime:
        locked.append(is_locked(newsroom.app))
        return MONDAY

    app = replace(newsroom.app, clock=clock)
    acts: dict[str, Callable[[], object]] = {
        "open": lambda: open_edition(app, "weekly"),
        "open due": lambda: open_due_editions(app),
        "approve": lambda: approve(app, "weekly-2026-11-23", actor="ada"),
        "plan": lambda: plan(app, "weekly-2026-11-23"),
        "import": lambda: import_subscribers(app, [HEADER, csv_line("new", since=MONDAY)], actor="import"),
    }
    acts[act]()

    assert all(locked[1:] if act == "import" else locked)  # an import judges dates by when it began
    assert locked[-1]


def test_a_digest_goes_on_where_the_ended_one_of_its_cadence_stopped(newsroom: Newsroom) -> None:
    reader = newsroom.add_person("ana")
    first = newsroom.add_item(released_at=MONDAY - DAY)
    weekly = plan_next(newsroom)
    between = newsroom.add_item(released_at=MONDAY + HOUR)
    newsroom.clock.forward(days=2)
    import_subscribers(newsroom.app, [HEADER, csv_line("new", since=MONDAY - 2 * DAY)], actor="import")
    with newsroom.app.database.write() as tx:
        end_entry(tx, "digests", "weekly", now=newsroom.clock.now)
    newsroom.put_digest({"id": "review", "title": {"en": "Review"}, "cadence": "weekly", "day": "friday"}, 3)
    newsroom.clock.forward(days=9)
    fresh = newsroom.add_item(released_at=newsroom.clock.now - DAY)

    review = plan_next(newsroom, "review")
    newsroom.clock.forward(days=7)
    plan_next(newsroom, "review")

    assert review.window_start == weekly.window_end
    assert received(newsroom, reader) == [first, between, fresh]
    assert received(newsroom, find_person(newsroom, "new")) == [first, between, fresh]


def test_a_wish_for_everything_reaches_items_without_a_region(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR, themes=("general",), regions=())
    everything, african = newsroom.add_person("all"), newsroom.add_person("af", Criteria.of((), ("africa",)))

    plan_next(newsroom)

    assert received(newsroom, everything) == [1]
    assert received(newsroom, african) == []
