from datetime import UTC, datetime, timedelta

import pytest

from publisher.demo.clock import FAST_DAYS, DemoClock, choose_start
from publisher.demo.dates import ZONE

MOMENT = datetime(2027, 2, 2, 6, tzinfo=UTC)


class Seconds:
    """Counts the seconds that a test lets pass."""

    def __init__(self) -> None:
        self.passed = 1000.0

    def __call__(self) -> float:
        return self.passed


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def test_the_clock_stands_still_until_it_runs(seconds: Seconds) -> None:
    clock = DemoClock(MOMENT, seconds)
    seconds.passed += 60

    assert clock() == MOMENT
    assert not clock.is_fast


def test_the_clock_runs_from_where_it_was_put(seconds: Seconds) -> None:
    clock = DemoClock(MOMENT, seconds)
    clock.put(MOMENT + timedelta(days=3))

    clock.run(hours_per_second=2)
    seconds.passed += 5

    assert clock() == MOMENT + timedelta(days=3, hours=10)
    assert clock.is_fast


def test_after_the_fast_days_a_second_takes_a_second(seconds: Seconds) -> None:
    clock = DemoClock(MOMENT, seconds)

    clock.run(hours_per_second=1)
    seconds.passed += FAST_DAYS * 24 + 90

    assert clock() == MOMENT + timedelta(days=FAST_DAYS, seconds=90)
    assert not clock.is_fast


@pytest.mark.parametrize(
    ("now", "start"),
    [
        (datetime(2027, 2, 26, 9, tzinfo=UTC), datetime(2027, 2, 2, 7, tzinfo=ZONE)),
        (datetime(2027, 2, 1, 0, tzinfo=UTC), datetime(2027, 2, 2, 7, tzinfo=ZONE)),
        (datetime(2027, 6, 30, 23, tzinfo=UTC), datetime(2027, 7, 2, 7, tzinfo=ZONE)),
        (datetime(2027, 12, 31, 12, tzinfo=UTC), datetime(2027, 12, 2, 7, tzinfo=ZONE)),
    ],
)
def test_the_demo_begins_on_the_second_of_the_month_in_the_organisations_zone(now: datetime, start: datetime) -> None:
    assert choose_start(now) == start
    assert choose_start(now).tzinfo is UTC
