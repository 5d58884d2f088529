"""A relay or provider is left alone where what is wrong would be wrong with every message."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.breakers import (
    CLOSED,
    LONGEST,
    MEMORY,
    PROBE_PAUSE,
    RULES,
    Breaker,
    Fault,
    Tally,
    add,
    close,
    find_fault,
    probe,
    state_of,
    trip,
    wait_s,
)
from subscribers.replies import Kind

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
CONTENT = Fault(Kind.CONTENT, "4 of 200")


def later(**duration: float) -> datetime:
    return NOW + timedelta(**duration)


@pytest.mark.parametrize(
    ("kind", "tried", "count", "opens"),
    [
        (Kind.CONTENT, 199, 199, False),
        (Kind.CONTENT, 200, 3, False),
        (Kind.CONTENT, 200, 4, True),
        (Kind.DOMAIN, 1, 1, True),
        (Kind.DOMAIN, 1000, 1, True),
        (Kind.SENDER, 1, 1, True),
        (Kind.AUTH, 1, 1, True),
        (Kind.POLICY, 49, 49, False),
        (Kind.POLICY, 1000, 99, False),
        (Kind.POLICY, 1000, 100, True),
        (Kind.ADDRESS, 1000, 299, False),
        (Kind.ADDRESS, 1000, 300, True),
        (Kind.MAILBOX, 1000, 1000, False),
        (Kind.GREYLIST, 1000, 1000, False),
    ],
)
def test_each_fault_has_its_share(kind: Kind, tried: int, count: int, opens: bool) -> None:  # noqa: FBT001
    fault = find_fault(Tally(NOW, tried, {kind: count}), {kind})

    assert (fault is not None) == opens
    assert fault is None or fault.kind is kind


def test_only_a_fault_of_this_moment_opens() -> None:
    assert find_fault(Tally(NOW, 300, {Kind.CONTENT: 300}), {Kind.POLICY}) is None


def test_what_is_old_or_much_is_forgotten() -> None:
    tally = Tally(NOW, MEMORY, {Kind.CONTENT: 9, Kind.POLICY: 1})

    assert add(tally, 20, {Kind.CONTENT: 1}, now=NOW) == Tally(NOW, MEMORY // 2 + 20, {Kind.CONTENT: 5})
    assert add(tally, 20, {}, now=later(hours=2)) == Tally(later(hours=2), 20, {})


@given(steps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=200))
def test_a_tally_stays_small_and_never_counts_more_faults_than_tries(steps: list[tuple[int, int]]) -> None:
    tally = Tally(NOW)
    for tried, faults in steps:
        tally = add(tally, tried + faults, {Kind.CONTENT: faults}, now=NOW)

    assert tally.faults.get(Kind.CONTENT, 0) <= tally.tried <= MEMORY + 80


def test_an_open_breaker_lets_nothing_through_then_one_message_then_all() -> None:
    breaker = trip(CLOSED, CONTENT, now=NOW)
    assert (state_of(breaker, NOW), wait_s(breaker, NOW)) == ("open", 900)

    halfway = later(minutes=15)
    assert (state_of(breaker, halfway), wait_s(breaker, halfway)) == ("half-open", 0)

    probing = probe(breaker, halfway)
    assert (state_of(probing, halfway), wait_s(probing, halfway)) == ("half-open", PROBE_PAUSE.total_seconds())

    closed = close(probing)
    assert (state_of(closed, halfway), wait_s(closed, halfway)) == ("closed", 0)
    assert probe(closed, halfway) == closed


def test_what_was_in_flight_when_it_opened_does_not_open_it_further() -> None:
    breaker = trip(CLOSED, CONTENT, now=NOW)

    assert trip(breaker, CONTENT, now=later(seconds=5)) == breaker


def test_each_opening_lasts_twice_as_long_up_to_hours() -> None:
    breaker, now, pauses = CLOSED, NOW, []
    for _ in range(20):
        breaker = trip(breaker, CONTENT, now=now)
        pauses.append(wait_s(breaker, now))
        now += timedelta(seconds=pauses[-1])

    assert pauses[:4] == [900, 1800, 3600, 7200]
    assert pauses[-1] == LONGEST.total_seconds()


def test_after_a_calm_day_it_begins_anew() -> None:
    breaker = close(trip(trip(CLOSED, CONTENT, now=NOW), CONTENT, now=later(hours=1)))

    assert trip(breaker, CONTENT, now=later(days=2)).openings == 1


@given(openings=st.integers(0, 10**6), kind=st.sampled_from(sorted(RULES)))
def test_however_often_it_opened_the_pause_has_an_end(openings: int, kind: Kind) -> None:
    breaker = trip(Breaker(opened_at=NOW, openings=openings), Fault(kind), now=NOW)

    assert 0 < wait_s(breaker, NOW) <= LONGEST.total_seconds()


def test_a_breaker_that_a_clock_ahead_of_time_opened_keeps_nobody_waiting_longer_than_any_other() -> None:
    breaker = trip(CLOSED, CONTENT, now=later(days=400))

    assert wait_s(breaker, NOW) == LONGEST.total_seconds()
