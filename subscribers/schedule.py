"""When a digest's editions are cut, and what they are called. Pure: zone and moment come in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

IMMEDIATE_STEP = timedelta(minutes=15)
"""An immediate digest gathers what came within so long."""

LONGEST_REACH = timedelta(days=31)
"""How far before its window an edition reaches for those who are owed more: one month, the longest cadence."""

_KEYS = {"id", "title", "cadence", "day", "at", "approval", "uncertain"}


@dataclass(frozen=True, slots=True)
class Digest:
    """A recurring publication by mail."""

    id: str
    title: dict[str, str]
    cadence: str
    """immediate, daily, weekly or monthly: it goes to the subscriptions of that cadence."""
    at: time = time(8)
    day: int = 0
    """weekly: 0 = Monday … 6; monthly: 1 … 28, the day of the month."""
    approval: str = "required"
    """required, or automatic: it approves itself."""
    uncertain: str = "hold"
    """What becomes of a message that nobody can tell of: hold, or resend-once."""

    def name(self, language: str) -> str:
        """The title in that language, else in English, else the first there is."""
        return self.title.get(language) or self.title.get("en") or next(iter(self.title.values()))


def parse_digest(entry: Mapping[str, Any]) -> Digest:
    """The digest of a ``[[digests]]`` entry; ValueError names the key and the remedy."""
    name = f"digests.{entry.get('id', '?')}"
    for key in entry.keys() - _KEYS:
        raise ValueError(f"{name}.{key}: unknown key. Known: {', '.join(sorted(_KEYS))}")
    cadence = _one_of(entry, "cadence", ("immediate", "daily", "weekly", "monthly"), default=None)
    return Digest(
        id=_id(entry),
        title=_title(entry, name),
        cadence=cadence,
        at=_time(entry, name),
        day=_day(entry, name, cadence=cadence),
        approval=_one_of(entry, "approval", ("required", "automatic"), default="required"),
        uncertain=_one_of(entry, "uncertain", ("hold", "resend-once"), default="hold"),
    )


def slot_before(digest: Digest, moment: datetime, zone: ZoneInfo) -> datetime:
    """The latest moment at or before ``moment`` at which this digest is cut, in UTC.

    Slots are wall-clock times: one that a change of clocks skips is cut as much later as the clocks jump, one that
    comes twice is cut the first time.
    """
    if digest.cadence == "immediate":
        return moment - timedelta(seconds=moment.timestamp() % IMMEDIATE_STEP.total_seconds())
    day = moment.astimezone(zone).date()
    while (slot := _slot_on(digest, day, zone)) is None or slot > moment:
        day -= timedelta(days=1)
    return slot


def previous_slot(digest: Digest, slot: datetime, zone: ZoneInfo) -> datetime:
    """The slot before a slot: where the first window of a digest begins."""
    return slot_before(digest, slot - timedelta(seconds=1), zone)


def expires_at(digest: Digest, window_end: datetime) -> datetime:
    """When an edition is too old to be sent: as the next one is due, so that it never arrives after it."""
    periods = {"daily": timedelta(days=1), "weekly": timedelta(days=7), "monthly": timedelta(days=28)}
    return window_end + periods.get(digest.cadence, timedelta(days=1))


def edition_name(digest: Digest, cut_off: datetime, zone: ZoneInfo) -> str:
    """``weekly-2026-11-23``: digest and local date of the cut-off, with the time of day where there are many a day."""
    local = cut_off.astimezone(zone)
    clock = local.strftime("T%H%M") if digest.cadence == "immediate" else ""
    return f"{digest.id}-{local.date().isoformat()}{clock}"


def _slot_on(digest: Digest, day: date, zone: ZoneInfo) -> datetime | None:
    if digest.cadence == "weekly" and day.weekday() != digest.day:
        return None
    if digest.cadence == "monthly" and day.day != digest.day:
        return None
    return datetime.combine(day, digest.at, tzinfo=zone).astimezone(UTC)


def _id(entry: Mapping[str, Any]) -> str:
    value = entry.get("id")
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", value):
        raise ValueError(f"digests.{value}.id: use small letters, digits and hyphens, 40 at most")
    return value


def _title(entry: Mapping[str, Any], name: str) -> dict[str, str]:
    title = entry.get("title")
    is_table = isinstance(title, dict) and title and all(isinstance(text, str) and text for text in title.values())
    if not is_table:
        raise ValueError(f'{name}.title: give a title per language, like {{ en = "Weekly" }}')
    return dict(title)  # type: ignore[arg-type]  # checked above


def _one_of(entry: Mapping[str, Any], key: str, values: tuple[str, ...], *, default: str | None) -> str:
    value = entry.get(key, default)
    if value not in values:
        raise ValueError(f"digests.{entry.get('id')}.{key}: {value!r} is not one of {', '.join(values)}")
    return str(value)


def _time(entry: Mapping[str, Any], name: str) -> time:
    text = entry.get("at", "08:00")
    if not isinstance(text, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f'{name}.at: {text!r} is not a time of day. Use "08:00"')
    return time.fromisoformat(text)


def _day(entry: Mapping[str, Any], name: str, *, cadence: str) -> int:
    match cadence, entry.get("day"):
        case "weekly", str(day) if day in WEEKDAYS:
            return WEEKDAYS.index(day)
        case "weekly", None:
            return 0
        case "monthly", int(day) if 1 <= day <= 28 and not isinstance(day, bool):
            return day
        case "monthly", None:
            return 1
        case (("daily" | "immediate"), None):
            return 0
        case _, day:
            wanted = {"weekly": "a weekday like monday", "monthly": "a day of the month from 1 to 28"}
            remedy = f"use {wanted[cadence]}" if cadence in wanted else "remove it: this cadence has no day"
            raise ValueError(f"{name}.day: {day!r}: {remedy}")
