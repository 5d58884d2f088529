"""Token buckets, what haste teaches, warming up, and the hours in which mail goes."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.pacing import (
    CLOCK_STEP,
    SLOWEST,
    UNHURRIED,
    Bucket,
    Limits,
    Pace,
    WarmUp,
    Window,
    daily_allowance,
    fill,
    next_midnight,
    next_opening,
    parse_window,
    refill,
    slow_down,
    speed_up,
    take,
    use_fewer,
)

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
VIENNA = ZoneInfo("Europe/Vienna")
ZONES = st.sampled_from(["UTC", "Europe/Vienna", "America/New_York", "Asia/Kathmandu", "Africa/Cairo"]).map(ZoneInfo)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
RELAY = Limits(rate=100.0, connections=10)


def later(**duration: float) -> datetime:
    return NOW + timedelta(**duration)


def drain(bucket: Bucket, now: datetime) -> tuple[Bucket, int]:
    bucket, taken = refill(bucket, now), 0
    while not bucket.wait_s:
        bucket, taken = take(bucket), taken + 1
    return bucket, taken


@given(
    rate=st.floats(0.1, 1000),
    seconds=st.lists(st.floats(0, 30), min_size=1, max_size=20),
    jitters=st.lists(st.floats(0, 1), min_size=20, max_size=20),
)
def test_no_more_than_burst_and_rate_is_ever_taken_even_where_moments_come_out_of_order(
    rate: float, seconds: list[float], jitters: list[float]
) -> None:
    bucket, total, at = fill(rate, NOW), 0, 0.0
    for wait, jitter in zip(seconds, jitters, strict=False):
        at += wait
        bucket, taken = drain(bucket, later(seconds=max(0.0, at - jitter)))
        total += taken

    assert total <= bucket.burst + rate * at + 0.001


def test_a_slow_bucket_gives_one_message_each_time_its_wait_is_over() -> None:
    bucket, now = fill(0.8, NOW), NOW
    for _ in range(50):
        bucket = refill(bucket, now)
        assert bucket.wait_s == 0
        bucket = take(bucket)
        assert bucket.wait_s == pytest.approx(1.25, abs=0.001)
        now += timedelta(seconds=1.25)


def test_a_clock_put_back_an_hour_stops_nothing() -> None:
    bucket, _ = drain(fill(5, NOW), NOW)

    put_back = refill(bucket, later(hours=-1))

    assert put_back.tokens == bucket.tokens
    assert drain(put_back, later(hours=-1, seconds=1))[1] == 5


def test_a_clock_put_forward_a_day_gives_no_more_than_a_burst() -> None:
    assert drain(drain(fill(5, NOW), NOW)[0], later(days=1))[1] == 5


def test_a_moment_a_little_before_gives_nothing_twice() -> None:
    bucket, _ = drain(fill(5, NOW), NOW)

    assert refill(bucket, NOW - CLOCK_STEP) == bucket


def test_haste_halves_the_rate_once_for_all_that_was_in_flight_and_leaves_one_connection() -> None:
    pace = slow_down(UNHURRIED, RELAY, now=NOW)

    assert pace == Pace(50.0, 1, NOW)
    assert slow_down(pace, RELAY, now=later(seconds=5)) == pace
    assert slow_down(pace, RELAY, now=later(seconds=31)).rate == 25


def test_haste_is_heard_right_after_other_trouble() -> None:
    assert slow_down(use_fewer(UNHURRIED, RELAY, now=NOW), RELAY, now=NOW) == Pace(50.0, 1, NOW)


def test_the_rate_is_halved_down_to_a_floor() -> None:
    pace, now = UNHURRIED, NOW
    for _ in range(40):
        now += timedelta(minutes=1)
        pace = slow_down(pace, RELAY, now=now)

    assert pace.rate == SLOWEST


def test_where_no_rate_is_configured_haste_sets_a_first_one() -> None:
    assert slow_down(UNHURRIED, Limits(first_rate=2.0), now=NOW) == Pace(2.0, None, NOW)


def test_trouble_of_the_relay_takes_a_connection_and_leaves_the_last() -> None:
    assert use_fewer(UNHURRIED, RELAY, now=NOW) == Pace(None, 9, NOW)
    assert use_fewer(Pace(None, 1, NOW), RELAY, now=later(hours=1)).connections == 1
    assert use_fewer(UNHURRIED, Limits(), now=NOW) == UNHURRIED


@pytest.mark.parametrize("limits", [RELAY, Limits(), Limits(connections=200), Limits(rate=0.05)])
def test_acceptances_bring_everything_back_slowly_until_nothing_is_left_to_learn(limits: Limits) -> None:
    pace, now, steps = slow_down(UNHURRIED, limits, now=NOW), NOW, 0
    while pace != UNHURRIED and steps < 1000:
        now += timedelta(minutes=1)
        faster = speed_up(pace, limits, now=now)
        assert (faster.rate or 1e9) > (pace.rate or 1e9 - 1)
        pace, steps = faster, steps + 1

    assert pace == UNHURRIED
    assert steps < 201


def test_right_after_a_complaint_nothing_gets_faster() -> None:
    pace = slow_down(UNHURRIED, RELAY, now=NOW)

    assert speed_up(pace, RELAY, now=later(seconds=59)) == pace


PLAN = WarmUp(date(2026, 12, 1), first_day=200, growth=1.5, until=2000)


def test_a_warm_up_grows_daily_until_it_is_through() -> None:
    days = [daily_allowance(PLAN, date(2026, 12, day)) for day in range(1, 9)]

    assert days == [200, 300, 450, 675, 1012, 1518, None, None]


@given(
    day=st.dates(date(2000, 1, 1), date(2200, 1, 1)),
    growth=st.floats(1.0001, 10),
    until=st.integers(200, 10**9),
)
def test_a_warm_up_never_allows_more_than_it_reaches(day: date, growth: float, until: int) -> None:
    plan = replace(PLAN, growth=growth, until=until)

    allowed = daily_allowance(plan, day)

    assert allowed is None or 200 <= allowed <= until


@given(now=MOMENTS, zone=ZONES)
def test_the_next_midnight_begins_the_next_local_day(now: datetime, zone: ZoneInfo) -> None:
    midnight = next_midnight(now, zone)

    assert timedelta() < midnight - now <= timedelta(hours=25)
    assert midnight.astimezone(zone).date() == now.astimezone(zone).date() + timedelta(days=1)


@pytest.mark.parametrize(
    ("window", "now", "opens"),
    [
        ("08:00-20:00", "2026-11-28T08:00", None),
        ("08:00-20:00", "2026-11-28T19:59", None),
        ("08:00-20:00", "2026-11-28T20:00", "2026-11-29T08:00"),
        ("08:00-20:00", "2026-11-28T07:59", "2026-11-28T08:00"),
        ("22:00-06:00", "2026-11-28T23:00", None),
        ("22:00-06:00", "2026-11-28T05:59", None),
        ("22:00-06:00", "2026-11-28T06:00", "2026-11-28T22:00"),
        ("08:00-00:00", "2026-11-28T23:59", None),
        ("08:00-00:00", "2026-11-29T00:00", "2026-11-29T08:00"),
        ("08:00-20:00", "2026-10-24T21:00", "2026-10-25T08:00"),  # an hour more: clocks are put back
        ("02:30-04:00", "2026-03-29T01:59", "2026-03-29T03:30"),  # 02:30 is skipped
    ],
)
def test_the_window_is_one_of_the_wall_clock(window: str, now: str, opens: str | None) -> None:
    local = datetime.fromisoformat(now).replace(tzinfo=VIENNA)

    opening = next_opening(parse_window(window), local.astimezone(UTC), VIENNA)

    expected = opens and datetime.fromisoformat(opens).replace(tzinfo=VIENNA)
    assert opening == expected


@given(now=MOMENTS, zone=ZONES, opens=st.times(), closes=st.times())
def test_the_next_opening_is_within_a_day_and_open(now: datetime, zone: ZoneInfo, opens: time, closes: time) -> None:
    window = Window(opens.replace(second=0, microsecond=0), closes.replace(second=0, microsecond=0))
    opening = next_opening(window, now, zone)

    assert opening is None or now < opening <= now + timedelta(hours=26)


@pytest.mark.parametrize("text", ["", "8-20", "08:00", "08:00-08:00", "24:00-08:00", "08:00-20:00\n", "٠٨:00-20:00"])
def test_another_way_to_write_a_window_is_refused_with_the_right_one(text: str) -> None:
    with pytest.raises(ValueError, match='Use two times, like "08:00-20:00"'):
        parse_window(text)


def test_the_rate_of_a_growing_warm_up_never_falls() -> None:
    days = [daily_allowance(PLAN, date(2026, 12, day)) or 10**9 for day in range(1, 30)]

    assert all(before <= after for before, after in pairwise(days))
