"""Dates as sources print them. What is ambiguous is refused: no function here guesses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import get_month_names

LONGEST_DATE = 200
"""Characters of a printed date that are looked at."""

EARLIEST = date(1990, 1, 1)
"""Nothing on the web is older; 1970 is a clock that was never set."""

_DIRECTIVES = {
    "d": r"(?P<day>\d{1,2})(?:er|\.)?",
    "m": r"(?P<month>\d{1,2})",
    "Y": r"(?P<year>\d{4})",
    "H": r"(?P<hour>\d{1,2})",
    "M": r"(?P<minute>\d{2})",
    "A": r"[^\W\d]+\.?",
    "a": r"[^\W\d]+\.?",
    "%": "%",
}
_GROUPS = {"d": "day", "m": "month", "B": "month", "b": "month", "Y": "year", "H": "hour", "M": "minute"}

_ENGLISH_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12, "january": 1, "february": 2, "march": 3, "april": 4, "june": 6, "july": 7, "august": 8, "sept": 9,
    "september": 9, "october": 10, "november": 11, "december": 12,
}  # fmt: skip
_RFC822 = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(?P<day>\d{1,2})\s+(?P<month>[A-Za-z]{3,9})\.?\s+(?P<year>\d{4}|\d{2})"
    r"(?:\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\s+(?P<zone>[A-Za-z]{1,5}|[+-]\d{4}))?)?"
    r"\s*(?:\([^()]*\))?"
)
_RFC3339 = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"(?:[Tt ](?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"\s?(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?)?"
)
# RFC 822 §5.1 and the European names that mean one offset only. BST, IST and the like mean several: no moment then.
_ZONE_HOURS = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GivenDate:
    """A date that a source gave: its day in the source's own zone, and the moment where time and zone are known."""

    day: date
    moment: datetime | None = None
    """Aware, UTC."""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A compiled date format."""

    pattern: re.Pattern[str]
    months: Mapping[str, int]
    """Folded month name to number."""


@lru_cache(maxsize=256)
def compile_format(text: str, language: str) -> DateFormat:
    """The format with the month names of that language; ValueError says what is wrong with it.

    Directives: ``%d %m %Y %B %b %H %M %A %a %%``. Day, month and year must each stand there once.
    """
    months = _month_names(language) if "%B" in text or "%b" in text else {}
    parts = re.split(r"%(.)", " ".join(text.split()))
    _check_directives(parts[1::2])
    names = "|".join(sorted(map(re.escape, months), key=len, reverse=True))
    pattern = "".join(
        _compile_directive(part, names) if index % 2 else _compile_literal(part) for index, part in enumerate(parts)
    )
    return DateFormat(re.compile(pattern, re.IGNORECASE), months)


def parse_printed(text: str, formats: tuple[str, ...], *, language: str, zone: tzinfo) -> GivenDate | None:
    """The date by the formats that fit the whole text; None where none fits, or where they do not agree."""
    printed = _normalise(text)
    read = {_parse_by(compile_format(form, language), printed, zone=zone) for form in formats} - {None}
    return read.pop() if len(read) == 1 else None


def parse_rfc822(text: str) -> GivenDate | None:
    """The date of RSS (RFC 822 and 5322, two-digit years included); None for anything else."""
    found = _RFC822.fullmatch(_normalise(text))
    if not found:
        return None
    fields = found.groupdict()
    fields["year"] = _expand_year(found["year"])
    return _build(fields, _ENGLISH_MONTHS, zone=_parse_zone(found["zone"]))


def parse_rfc3339(text: str, zone: tzinfo | None = None) -> GivenDate | None:
    """The date of Atom, JSON Feed and JSON-LD; ``zone`` is that of times without one. None for anything else."""
    found = _RFC3339.fullmatch(_normalise(text))
    return _build(found.groupdict(), {}, zone=_parse_zone(found["zone"]) or zone) if found else None


def parse_machine_date(text: str, zone: tzinfo | None = None) -> GivenDate | None:
    """The date in either of the two forms that feeds use."""
    return parse_rfc3339(text, zone) or parse_rfc822(text)


def is_plausible(given: GivenDate, now: datetime) -> bool:
    """Whether the date can be that of a publication: not before the web, at most a day ahead of ``now``."""
    return EARLIEST <= given.day <= (now + timedelta(days=1)).date()


def _parse_by(form: DateFormat, printed: str, *, zone: tzinfo) -> GivenDate | None:
    found = form.pattern.fullmatch(printed)
    return _build(found.groupdict(), form.months, zone=zone) if found else None


def _normalise(text: str) -> str:
    return " ".join(text[:LONGEST_DATE].split())


def _check_directives(directives: list[str]) -> None:
    for directive in directives:
        if directive not in _DIRECTIVES and directive not in "Bb":
            raise ValueError(f"%{directive} is not supported. Use %d %m %Y %B %b %H %M %A %a %%")
    groups = [_GROUPS[directive] for directive in directives if directive in _GROUPS]
    for group in ("day", "month", "year"):
        if group not in groups:
            raise ValueError(f"names no {group}. Day, month and year must all be there")
    if len(set(groups)) < len(groups):
        raise ValueError("names a part twice. Remove one")


def _compile_directive(directive: str, month_names: str) -> str:
    return rf"(?P<month>{month_names})\.?" if directive in "Bb" else _DIRECTIVES[directive]


def _compile_literal(text: str) -> str:
    return re.sub(r"(\\ )+", r"\\s+", re.escape(text))


@lru_cache(maxsize=64)
def _month_names(language: str) -> dict[str, int]:
    locales = [_locale(language)]
    if locales[0].language == "en":
        locales.append(Locale("en", "GB"))  # "Sept"
    names: dict[str, int] = {}
    for locale in locales:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                months = get_month_names(width, context, locale)
                names.update({name.casefold().rstrip("."): number for number, name in months.items()})
    return names


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"month names of language {language!r} are unknown. Use %m") from error


def _expand_year(year: str) -> str:
    """RFC 5322 §4.3: 00-49 are of this century, 50-99 of the last."""
    if len(year) == 4:
        return year
    return f"20{year}" if int(year) < 50 else f"19{year}"


def _parse_zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text[0] not in "+-":
        hours = _ZONE_HOURS.get(text.upper())
        return None if hours is None else timezone(timedelta(hours=hours))
    digits = text[1:].replace(":", "")
    if int(digits[:2]) > 14 or int(digits[2:]) > 59:
        return None
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _build(fields: dict[str, str | None], months: Mapping[str, int], *, zone: tzinfo | None) -> GivenDate | None:
    month_text = (fields["month"] or "").casefold()
    try:
        month = int(month_text) if month_text.isdecimal() else months[month_text]
        day = date(int(fields["year"] or 0), month, int(fields["day"] or 0))
        moment = _build_moment(day, fields, zone=zone)
    except (KeyError, ValueError, OverflowError):
        return None
    return GivenDate(day, moment)


def _build_moment(day: date, fields: dict[str, str | None], *, zone: tzinfo | None) -> datetime | None:
    hour, minute = fields.get("hour"), fields.get("minute")
    if hour is None or minute is None or zone is None:
        return None
    second = min(int(fields.get("second") or 0), 59)  # RFC 3339 allows a leap second
    moment = datetime(day.year, day.month, day.day, int(hour), int(minute), second, tzinfo=zone)
    return moment.astimezone(UTC)
