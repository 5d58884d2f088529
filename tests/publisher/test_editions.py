"""Editions: what is frozen into them, that windows neither lose nor repeat an item, and who approves what."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from newsroom_app import DAILY, MONDAY, WEEKLY, Newsroom, open_newsroom

from feeds.criteria import Criteria
from publisher.app import App
from publisher.errors import NotFoundError, StateError
from publisher.store import editions as store
from publisher.store.editions import Edition
from publisher.store.newsroom import end_entry, put_entry
from publisher.store.schema import deliveries, editions, items, subscribers, subscriptions, variants
from publisher.store.subscribers import end_subscriptions
from publisher.usecases.editions import (
    CHANGED,
    approve,
    cancel,
    list_all,
    pause,
    resume,
    void_changed_approval,
)
from publisher.usecases.opening import open_due_editions, open_edition
from publisher.usecases.planning import plan
from publisher.usecases.rendering import render_variants
from publisher.usecases.subscribers import CHUNK, import_subscribers
from subscribers.selection import mask_items

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        yield newsroom


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


def test_the_first_edition_holds_what_was_released_since_the_slot_before(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - WEEK - HOUR)
    within = [newsroom.add_item(released_at=MONDAY - WEEK), newsroom.add_item(released_at=MONDAY - HOUR)]
    newsroom.add_item(released_at=MONDAY)
    newsroom.add_item(released_at=None)  # backlog of a source that does not mail it

    edition = open_now(newsroom)

    assert edition.id == "weekly-2026-11-23"
    assert (edition.window_start, edition.window_end) == (MONDAY - WEEK, MONDAY)
    assert frozen(newsroom, edition) == within
    assert (edition.state, edition.outcome) == ("open", "held: waiting for approval")


def test_since_sets_where_the_very_first_window_begins(newsroom: Newsroom) -> None:
    old = newsroom.add_item(released_at=MONDAY - 20 * WEEK)

    edition = open_now(newsroom, since=MONDAY - 21 * WEEK)

    assert frozen(newsroom, edition) == [old]


def test_the_next_window_begins_where_the_last_one_ended(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    first = open_now(newsroom)
    newsroom.clock.forward(days=9)
    at_the_cut = newsroom.add_item(released_at=MONDAY)

    second = open_now(newsroom)

    assert second.window_start == first.window_end
    assert frozen(newsroom, second) == [at_the_cut]


def test_the_same_edition_is_refused_twice_and_so_is_a_cut_off_in_the_past(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    open_now(newsroom)

    with pytest.raises(StateError, match="weekly-2026-11-23 is there already"):
        open_now(newsroom)
    with pytest.raises(StateError, match="already reaches to"):
        open_now(newsroom, cut_off=MONDAY - 3 * DAY)
    assert len(list_all(newsroom.app)) == 1


def test_a_window_that_would_end_before_it_begins_is_refused(newsroom: Newsroom) -> None:
    with pytest.raises(StateError, match="earlier --since"):
        open_now(newsroom, since=MONDAY + DAY)


def test_an_unknown_digest_is_refused_with_those_there_are(newsroom: Newsroom) -> None:
    with pytest.raises(NotFoundError, match="daily, weekly"):
        open_now(newsroom, "wekly")


def test_nothing_new_is_an_outcome_not_silence(newsroom: Newsroom) -> None:
    edition = open_now(newsroom)

    assert (edition.state, edition.outcome) == ("skipped", "skipped: nothing new")
    with pytest.raises(StateError, match="nothing to plan"):
        plan(newsroom.app, edition.id)


def test_an_edition_keeps_its_items_as_they_were(newsroom: Newsroom) -> None:
    number = newsroom.add_item(released_at=MONDAY - HOUR, title="As it was")
    edition = open_now(newsroom)

    with newsroom.app.database.write() as tx:
        tx.execute(items.update().where(items.c.id == number).values(title="Rewritten"))

    with newsroom.app.database.read() as tx:
        assert store.read_frozen_items(tx, edition.id)[0].item.title == "As it was"


def test_what_is_due_is_opened_once_at_its_slot_however_late_and_often_the_clock_rings(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    newsroom.clock.forward(hours=5)

    opened = [open_due_editions(newsroom.app) for _ in range(3)]

    assert [edition.id for edition in opened[0]] == ["weekly-2026-11-23", "daily-2026-11-23"]
    assert all(edition.window_end == MONDAY for edition in opened[0])
    assert opened[1:] == [[], []]


def test_after_a_long_stop_one_edition_catches_up_and_nothing_is_missing(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    open_due_editions(newsroom.app)
    missed = [newsroom.add_item(released_at=MONDAY + days * DAY) for days in range(1, 20)]
    newsroom.clock.forward(days=20)

    opened = {edition.digest_id: edition for edition in open_due_editions(newsroom.app)}

    assert frozen(newsroom, opened["daily"]) == missed
    assert opened["daily"].window_start == MONDAY


def test_an_automatic_digest_approves_itself_and_a_required_one_waits(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)

    opened = {edition.digest_id: edition for edition in open_due_editions(newsroom.app)}

    assert (opened["daily"].state, opened["daily"].approved_by) == ("approved", "automatic")
    assert (opened["weekly"].state, opened["weekly"].approved_by) == ("open", None)


def test_an_ended_digest_opens_no_more_editions(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    with newsroom.app.database.write() as tx:
        end_entry(tx, "digests", "weekly", now=MONDAY)

    assert [edition.digest_id for edition in open_due_editions(newsroom.app)] == ["daily"]


def test_an_immediate_digest_opens_only_when_something_came(newsroom: Newsroom) -> None:
    newsroom.put_digest({"id": "now", "title": {"en": "Now"}, "cadence": "immediate"}, 2)
    newsroom.add_item(released_at=MONDAY - HOUR)
    names = [edition.id for edition in open_due_editions(newsroom.app)]
    newsroom.clock.forward(minutes=20)
    newsroom.add_item(released_at=newsroom.clock.now - timedelta(minutes=10))
    later = [edition.id for edition in open_due_editions(newsroom.app)]
    newsroom.clock.forward(minutes=20)

    assert "now-2026-11-23T0800" in names
    assert later == ["now-2026-11-23T0815"]
    assert open_due_editions(newsroom.app) == []


def test_an_item_that_is_committed_late_comes_in_the_next_edition_exactly_once(newsroom: Newsroom) -> None:
    reader = newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    plan_next(newsroom)
    late = newsroom.add_item(released_at=MONDAY - timedelta(seconds=1))

    for _ in range(3):
        newsroom.clock.forward(days=7)
        plan_next(newsroom)

    assert received(newsroom, reader) == [1, late]


def test_backlog_never_gets_into_an_edition(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=None)

    for _ in range(3):
        assert open_now(newsroom).state == "skipped"
        newsroom.clock.forward(days=7)


@given(hours=st.lists(st.tuples(st.integers(-160, 24 * 60), st.integers(0, 30)), max_size=12), steps=st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_item_comes_exactly_once_whenever_it_is_released_committed_or_cut(
    tmp_path_factory: pytest.TempPathFactory, hours: list[tuple[int, int]], steps: st.DataObject
) -> None:
    with open_newsroom(tmp_path_factory.mktemp("windows")) as newsroom:
        open_now(newsroom)
        waiting = sorted((MONDAY + (at + late) * HOUR, MONDAY + at * HOUR) for at, late in hours)
        waiting = [(max(committed, MONDAY), released) for committed, released in waiting]
        seen: Counter[int] = Counter()
        committed_ids = []
        while newsroom.clock.now < MONDAY + timedelta(days=70):
            newsroom.clock.forward(hours=steps.draw(st.integers(24, 24 * 9)))
            while waiting and waiting[0][0] <= newsroom.clock.now:
                committed_ids.append(newsroom.add_item(released_at=waiting.pop(0)[1]))
            seen.update(frozen(newsroom, open_now(newsroom)))
        newsroom.clock.forward(days=1)
        seen.update(frozen(newsroom, open_now(newsroom)))

    assert seen == Counter(committed_ids)


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


HEADER = b"email,name,language,cadence,themes,regions,timezone,status,consent_source,consent_at\n"


def csv_line(name: str, *, since: datetime, themes: str = "*", cadence: str = "weekly") -> bytes:
    return f"{name}@example.org,N,en,{cadence},{themes},*,UTC,confirmed,form,{since.isoformat()}\n".encode()


def find_person(newsroom: Newsroom, name: str) -> int:
    return next(int(str(row["id"])) for row in newsroom.rows(subscribers) if row["email"] == f"{name}@example.org")


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


def test_a_cut_off_more_than_a_month_ahead_is_refused(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)

    with pytest.raises(StateError, match="more than a month ahead"):
        open_now(newsroom, cut_off=MONDAY + 32 * DAY)
    assert list_all(newsroom.app) == []
    assert open_now(newsroom, cut_off=MONDAY + WEEK).id == "weekly-2026-11-30"


def test_an_edition_that_was_skipped_gives_way_to_one_of_the_same_day(newsroom: Newsroom) -> None:
    skipped = open_now(newsroom, since=MONDAY - WEEK)
    item = newsroom.add_item(released_at=newsroom.clock.now)
    newsroom.clock.forward(hours=1)

    edition = open_now(newsroom)

    assert (edition.id, edition.state) == (skipped.id, "open")
    assert edition.window_start == MONDAY - WEEK
    assert frozen(newsroom, edition) == [item]


def test_a_skipped_edition_opened_by_hand_does_not_take_the_place_of_the_scheduled_one(newsroom: Newsroom) -> None:
    newsroom.clock.forward(hours=-1)
    open_now(newsroom, "daily")
    open_now(newsroom, "weekly", cut_off=newsroom.clock.now + 3 * DAY)
    newsroom.add_item(released_at=newsroom.clock.now)
    newsroom.clock.forward(hours=1)

    opened = {edition.digest_id: edition for edition in open_due_editions(newsroom.app)}

    assert {name: edition.window_end for name, edition in opened.items()} == {"daily": MONDAY, "weekly": MONDAY}
    assert all(len(frozen(newsroom, edition)) == 1 for edition in opened.values())


def test_approving_records_who_and_twice_changes_nothing(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)

    done = approve(newsroom.app, edition.id, actor="ada")
    newsroom.clock.forward(hours=1)

    assert (done.state, done.approved_by, done.approved_at) == ("approved", "ada", MONDAY)
    assert approve(newsroom.app, edition.id, actor="bo") == done


def test_content_that_changed_after_approval_is_not_planned_until_it_is_approved_again(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)
    approve(newsroom.app, edition.id, actor="ada")
    newsroom.put_digest(WEEKLY | {"title": {"en": "Renamed"}})

    with pytest.raises(StateError, match="is not approved"):
        plan(newsroom.app, edition.id)

    assert newsroom.rows(deliveries) == []
    assert [(one.state, one.outcome) for one in list_all(newsroom.app)] == [("open", "held: waiting for approval")]
    approve(newsroom.app, edition.id, actor="ada")
    assert plan(newsroom.app, edition.id) == 1


def test_an_automatic_digest_approves_changed_content_itself(newsroom: Newsroom) -> None:
    newsroom.add_person("ana", cadence="daily")
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom, "daily")
    newsroom.put_digest(DAILY | {"title": {"en": "Renamed"}}, 1)

    assert plan(newsroom.app, edition.id) == 1


def test_an_approval_of_another_content_counts_for_nothing(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)
    with newsroom.app.database.write() as tx:
        tx.execute(editions.update().values(state="approved", approved_hash="of something else"))

    with pytest.raises(StateError, match="digest approve"):
        plan(newsroom.app, edition.id)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("site", {"postal_address": "2 Quay Street"}),
        ("site", {"languages": ("en",)}),
        ("site", {"timezone": "UTC"}),
        ("mail", {"sender": "Somebody Else <news@harbour.example>"}),
        ("mail", {"reply_to": "desk@harbour.example"}),
    ],
)
def test_a_changed_site_or_sender_voids_an_approval_too(
    newsroom: Newsroom, table: str, change: dict[str, object]
) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)
    approve(newsroom.app, edition.id, actor="ada")
    config = newsroom.app.config
    changed = config.model_copy(update={table: getattr(config, table).model_copy(update=change)})

    void_changed_approval(replace(newsroom.app, config=changed), edition.id)

    assert list_all(newsroom.app)[0].state == "open"


@pytest.mark.parametrize(
    ("kind", "code", "state"),
    [("themes", "asylum", "open"), ("regions", "africa", "open"), ("themes", "trafficking", "approved")],
)
def test_a_new_title_of_a_theme_or_region_that_readers_see_voids_an_approval(
    newsroom: Newsroom, kind: str, code: str, state: str
) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR, themes=("asylum",), regions=("africa",))
    edition = open_now(newsroom)
    approve(newsroom.app, edition.id, actor="ada")
    with newsroom.app.database.write() as tx:
        put_entry(tx, kind, {"id": code, "title": {"en": "Something else"}}, position=0)

    void_changed_approval(newsroom.app, edition.id)

    assert list_all(newsroom.app)[0].state == state


def test_a_title_changed_after_planning_is_not_rendered_until_it_is_approved(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    name = newsroom.plan_edition()
    newsroom.put_digest(WEEKLY | {"title": {"en": "Renamed"}})

    with pytest.raises(StateError, match=f"publisher digest approve {name}"):
        render(newsroom, name)
    (held,) = list_all(newsroom.app)
    assert (held.state, held.outcome) == ("planned", CHANGED)
    assert not any(row["page"] for row in newsroom.rows(variants))

    approved = approve(newsroom.app, name, actor="bo")

    assert (approved.state, approved.approved_by, approved.outcome) == ("planned", "bo", None)
    assert render(newsroom, name) == []
    assert all(row["page"] for row in newsroom.rows(variants))


def test_a_title_changed_back_goes_on_without_a_new_approval(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    name = newsroom.plan_edition()
    newsroom.put_digest(WEEKLY | {"title": {"en": "Renamed"}})
    with pytest.raises(StateError):
        render(newsroom, name)

    newsroom.put_digest(WEEKLY)

    assert render(newsroom, name) == []


def test_what_is_rendered_stays_as_it_was_approved_whatever_is_renamed(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    name = newsroom.plan_edition()
    render(newsroom, name)
    before = newsroom.rows(variants)
    newsroom.put_digest(WEEKLY | {"title": {"en": "Renamed"}})

    assert render(newsroom, name) == []
    assert newsroom.rows(variants) == before


def test_an_automatic_digest_renamed_after_planning_goes_on(newsroom: Newsroom) -> None:
    newsroom.add_person("ana", cadence="daily")
    newsroom.add_item(released_at=MONDAY - HOUR)
    name = newsroom.plan_edition("daily")
    newsroom.put_digest(DAILY | {"title": {"en": "Renamed"}}, 1)

    assert render(newsroom, name) == []
    assert list_all(newsroom.app)[0].is_approved


def render(newsroom: Newsroom, name: str) -> list[store.Variant]:
    return render_variants(newsroom.app, name, stop=lambda: False)


def test_approving_a_paused_edition_leaves_it_paused_and_says_so(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)
    pause(newsroom.app, edition.id, actor="bo")

    approved = approve(newsroom.app, edition.id, actor="ada")

    assert (approved.state, approved.outcome) == ("approved", "held: paused by bo")
    assert resume(newsroom.app, edition.id).outcome is None


def test_pausing_and_resuming_leaves_the_outcome_as_it_was(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)

    assert pause(newsroom.app, edition.id, actor="ada").outcome == "held: paused by ada"
    assert resume(newsroom.app, edition.id).outcome == "held: waiting for approval"


def test_what_is_cancelled_stays_cancelled(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)
    cancel(newsroom.app, edition.id, actor="ada")

    for act in (
        lambda: approve(newsroom.app, edition.id, actor="ada"),
        lambda: plan(newsroom.app, edition.id),
        lambda: pause(newsroom.app, edition.id, actor="ada"),
        lambda: resume(newsroom.app, edition.id),
        lambda: cancel(newsroom.app, edition.id, actor="ada"),
    ):
        with pytest.raises(StateError, match="cancelled"):
            act()


@pytest.mark.parametrize("name", ["weekly-2026-11-23", "", "x" * 500, "'; drop table editions"])
def test_an_unknown_edition_is_refused_with_a_remedy(newsroom: Newsroom, name: str) -> None:
    with pytest.raises(NotFoundError, match="publisher digest list"):
        approve(newsroom.app, name, actor="ada")


def test_a_wish_for_everything_reaches_items_without_a_region(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR, themes=("general",), regions=())
    everything, african = newsroom.add_person("all"), newsroom.add_person("af", Criteria.of((), ("africa",)))

    plan_next(newsroom)

    assert received(newsroom, everything) == [1]
    assert received(newsroom, african) == []
