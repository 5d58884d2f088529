"""Windows of editions: when they open, and that they neither lose nor repeat an item."""

from collections import Counter
from datetime import timedelta

import pytest
from edition_steps import DAY, HOUR, WEEK, frozen, open_now, plan_next, received
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from newsroom_app import MONDAY, Newsroom, open_newsroom

from publisher.errors import NotFoundError, StateError
from publisher.store.newsroom import end_entry
from publisher.usecases.editions import list_all
from publisher.usecases.opening import open_due_editions
from publisher.usecases.planning import plan


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
