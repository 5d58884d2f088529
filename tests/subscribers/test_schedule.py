"""When digests are cut, what editions are called, and that windows leave no gap."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers.schedule import (
    Digest,
    edition_name,
    expires_at,
    parse_digest,
    previous_slot,
    slot_before,
)

VIENNA = ZoneInfo("Europe/Vienna")
TITLE = {"en": "News"}
CADENCES = ("immediate", "daily", "weekly", "monthly")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(
    ["UTC", "Europe/Vienna", "Asia/Beirut", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"]
).map(ZoneInfo)
DIGESTS = st.builds(
    Digest,
    id=st.just("d"),
    title=st.just(TITLE),
    cadence=st.sampled_from(CADENCES),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    day=st.integers(1, 6),
)


def digest(cadence: str, at: str = "08:00", day: int = 0) -> Digest:
    return Digest("d", TITLE, cadence, time.fromisoformat(at), day)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("wanted", "moment", "slot"),
    [
        (digest("weekly"), "2026-11-23T07:00", "2026-11-23T07:00"),  # at the very moment
        (digest("weekly"), "2026-11-23T06:59:59", "2026-11-16T07:00"),
        (digest("weekly", day=6), "2026-11-23T07:00", "2026-11-22T07:00"),
        (digest("daily"), "2026-11-24T03:00", "2026-11-23T07:00"),
        (digest("daily"), "2026-07-24T06:00", "2026-07-24T06:00"),  # summer time
        (digest("monthly", day=28), "2026-03-01T00:00", "2026-02-28T07:00"),
        (digest("monthly", day=1), "2026-01-01T06:00", "2025-12-01T07:00"),
        (digest("immediate"), "2026-11-23T07:14:59", "2026-11-23T07:00"),
        (digest("immediate"), "2026-11-23T07:15", "2026-11-23T07:15"),
        # 02:30 does not exist on 2026-03-29: cut at 03:30 summer time, once
        (digest("daily", "02:30"), "2026-03-29T01:29", "2026-03-28T01:30"),
        (digest("daily", "02:30"), "2026-03-29T12:00", "2026-03-29T01:30"),
        (digest("daily", "02:30"), "2026-03-30T00:30", "2026-03-30T00:30"),
        # 02:30 comes twice on 2026-10-25: cut the first time
        (digest("daily", "02:30"), "2026-10-25T00:30", "2026-10-25T00:30"),
        (digest("daily", "02:30"), "2026-10-25T01:30", "2026-10-25T00:30"),
        (digest("daily", "02:30"), "2026-10-26T01:29", "2026-10-25T00:30"),
    ],
)
def test_the_latest_slot_by_the_wall_clock_of_vienna(wanted: Digest, moment: str, slot: str) -> None:
    assert slot_before(wanted, utc(moment), VIENNA) == utc(slot)


@pytest.mark.parametrize(
    ("wanted", "cut_off", "name"),
    [
        (digest("weekly"), "2026-11-23T07:00", "d-2026-11-23"),
        (digest("daily", "00:10"), "2026-11-22T23:10", "d-2026-11-23"),  # the local date
        (digest("immediate"), "2026-11-23T07:15", "d-2026-11-23T0815"),
    ],
)
def test_an_edition_is_named_after_the_local_date_of_its_cut_off(wanted: Digest, cut_off: str, name: str) -> None:
    assert edition_name(wanted, utc(cut_off), VIENNA) == name


@settings(deadline=None)
@given(DIGESTS, MOMENTS, ZONES)
def test_a_slot_is_never_after_its_moment_and_is_its_own_slot(wanted: Digest, moment: datetime, zone: ZoneInfo) -> None:
    slot = slot_before(wanted, moment, zone)

    assert slot <= moment
    assert slot_before(wanted, slot, zone) == slot
    assert previous_slot(wanted, slot, zone) < slot


@settings(deadline=None)
@given(DIGESTS, MOMENTS, ZONES)
def test_no_slot_lies_between_a_slot_and_the_one_before_it(wanted: Digest, moment: datetime, zone: ZoneInfo) -> None:
    slot = slot_before(wanted, moment, zone)
    earlier = previous_slot(wanted, slot, zone)

    for share in (0.01, 0.3, 0.5, 0.99):
        assert slot_before(wanted, earlier + (slot - earlier) * share, zone) == earlier


@given(DIGESTS.filter(lambda one: one.cadence != "immediate"), MOMENTS, ZONES)
@settings(deadline=None, max_examples=40)
def test_names_of_following_editions_differ(wanted: Digest, moment: datetime, zone: ZoneInfo) -> None:
    slots = [slot_before(wanted, moment + timedelta(days=days), zone) for days in range(40)]
    names = [edition_name(wanted, slot, zone) for slot in dict.fromkeys(slots)]

    assert len(set(names)) == len(names)


@settings(deadline=None, max_examples=60)
@given(DIGESTS, MOMENTS, ZONES, st.lists(st.floats(0, 1), max_size=50))
def test_every_release_falls_into_exactly_one_window(
    wanted: Digest, moment: datetime, zone: ZoneInfo, shares: list[float]
) -> None:
    slots = [moment]
    for _ in range(12):
        slots.append(previous_slot(wanted, slots[-1], zone))
    windows = list(pairwise(reversed(slots)))
    first, last = windows[0][0], windows[-1][1]
    releases = [first + (last - first) * share for share in shares]

    for released_at in releases:
        holders = [window for window in windows if window[0] <= released_at < window[1]]
        assert len(holders) == (released_at < last)


@pytest.mark.parametrize(("cadence", "days"), [("immediate", 1), ("daily", 1), ("weekly", 7), ("monthly", 28)])
def test_an_edition_expires_when_the_next_is_due(cadence: str, days: int) -> None:
    cut_off = utc("2026-11-23T07:00")

    assert expires_at(digest(cadence), cut_off) == cut_off + timedelta(days=days)


def test_an_entry_is_read_with_its_defaults() -> None:
    assert parse_digest({"id": "weekly", "title": TITLE, "cadence": "weekly"}) == Digest("weekly", TITLE, "weekly")


def test_a_name_falls_back_to_english_and_then_to_any_language() -> None:
    assert Digest("d", {"fr": "Lettre", "en": "Letter"}, "daily").name("ru") == "Letter"
    assert Digest("d", {"fr": "Lettre"}, "daily").name("ru") == "Lettre"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"cadense": "weekly"}, "digests.d.cadense: unknown key"),
        ({"cadence": "yearly"}, "digests.d.cadence: 'yearly' is not one of immediate"),
        ({"cadence": None}, "digests.d.cadence: None is not one of"),
        ({"cadence": ["weekly"]}, "digests.d.cadence"),
        ({"id": "Weekly!"}, "digests.Weekly!.id"),
        ({"id": "x" * 41}, ".id: use small letters"),
        ({"title": "The week"}, "digests.d.title: give a title per language"),
        ({"title": {}}, "digests.d.title"),
        ({"title": {"en": ""}}, "digests.d.title"),
        ({"at": "8:00"}, "digests.d.at: '8:00' is not a time of day"),
        ({"at": "24:00"}, "digests.d.at"),
        ({"at": time(8)}, "digests.d.at"),
        ({"day": "Monday"}, "digests.d.day: 'Monday': use a weekday like monday"),
        ({"day": 1}, "digests.d.day"),
        ({"cadence": "monthly", "day": 29}, "digests.d.day: 29: use a day of the month from 1 to 28"),
        ({"cadence": "monthly", "day": True}, "digests.d.day"),
        ({"cadence": "daily", "day": "monday"}, "digests.d.day: 'monday': remove it"),
        ({"uncertain": "resend"}, "digests.d.uncertain: 'resend' is not one of hold, resend-once"),
        ({"approval": "no"}, "digests.d.approval: 'no' is not one of required, automatic"),
    ],
)
def test_a_wrong_entry_is_refused_with_key_and_remedy(change: Mapping[str, Any], complaint: str) -> None:
    entry = {"id": "d", "title": TITLE, "cadence": "weekly"} | change

    with pytest.raises(ValueError, match=complaint.replace("[", r"\[")):
        parse_digest(entry)


@given(
    st.dictionaries(
        st.sampled_from(["id", "title", "cadence", "at", "day", "approval", "uncertain", "x"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(CADENCES) | st.just(TITLE),
    )
)
def test_any_entry_is_read_or_refused_with_words(entry: dict[str, Any]) -> None:
    try:
        parse_digest(entry)
    except ValueError as error:
        assert str(error).startswith("digests.")
