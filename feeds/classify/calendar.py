"""Dates as texts print them: a day, several days, a span of days."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from feeds.classify.text import Language

_DAY = r"(?<![\d.,:/–-])(?:0?[1-9]|[12]\d|3[01])(?![\d:/%])"
_NEXT_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?![\d:/%])"
_ORDINAL = r"(?:st|nd|rd|th|er|-?го|-?е)?"
_YEAR = r"(?:,?\s?(?P<{name}>(?:19|20)\d\d)(?!\d)(?:\s?(?:года|году|г\.|г(?!\w)))?)?"
_JOIN = r"(?:\s?[-–—]\s?|,?\s(?:to|and|until|till|through|et|au|и|по)\s(?:the\s)?)"
_ISO = re.compile(r"(?<![\d-])((?:19|20)\d\d)-(\d\d)-(\d\d)(?![\d-])")
_DOTTED = re.compile(r"(?<![\d.])(\d\d?)\.(\d\d?)\.((?:19|20)\d\d)(?!\d)")


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """First and last day with the range of characters that prints them."""

    start: int
    end: int
    first: date
    last: date


def compile_dates(language: Language) -> tuple[re.Pattern[str], ...]:
    """Patterns of dates with the month in words: ``4-5 May 2024``, ``du 4 au 5 mai``, ``May 4th to 5th``."""
    names = "|".join(re.escape(name) for name in sorted(language.months, key=len, reverse=True))
    month = rf"(?P<{{name}}>{names})(?!\w)\.?"

    def tail(number: int) -> str:
        return rf"\s(?:of\s)?{month.format(name=f'm{number}')}{_YEAR.format(name=f'y{number}')}"

    day_first = (
        rf"(?:(?P<d1>{_DAY}){_ORDINAL}(?:,\s{_NEXT_DAY}){{0,4}}(?:{tail(1)})?{_JOIN}(?P<d2>{_NEXT_DAY}){_ORDINAL}{tail(2)})"
        rf"|(?:(?P<d3>{_DAY}){_ORDINAL}{tail(3)})"
    )
    month_first = (
        rf"(?<!\w){month.format(name='m1')}\s(?P<d1>{_NEXT_DAY}){_ORDINAL}"
        rf"(?:{_JOIN}(?:{month.format(name='m2')}\s)?(?P<d2>{_NEXT_DAY}){_ORDINAL})?{_YEAR.format(name='y2')}"
    )
    patterns = (day_first, month_first) if language.code == "en" else (day_first,)
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def read_dates(
    text: str, patterns: tuple[re.Pattern[str], ...], *, language: Language, day: date | None
) -> list[PrintedDate]:
    """Day-level dates in the order of the text; a missing year is that of ``day``, without which they are left out."""
    lower = text.lower()
    has_month = any(month in lower for month in language.months)
    found = [*_spelled(text, patterns, language=language, day=day), *_numeric(text)] if has_month else [*_numeric(text)]
    dates: list[PrintedDate] = []
    for printed in sorted(found, key=lambda printed: (printed.start, -printed.end)):
        if not dates or printed.start >= dates[-1].end:
            dates.append(printed)
    return dates


def _spelled(
    text: str, patterns: tuple[re.Pattern[str], ...], *, language: Language, day: date | None
) -> Iterator[PrintedDate]:
    for pattern in patterns:
        for found in pattern.finditer(text):
            days = _days(found.groupdict(), language=language, day=day)
            if days:
                yield PrintedDate(found.start(), found.start() + len(found[0].rstrip(".")), *days)


def _days(parts: dict[str, str | None], *, language: Language, day: date | None) -> tuple[date, date] | None:
    if parts.get("d3"):
        parts = {"d1": parts["d3"], "m1": parts["m3"], "y1": parts["y3"]}
    first_day, last_day = parts.get("d1"), parts.get("d2") or parts.get("d1")
    last_month = parts.get("m2") or parts.get("m1")
    first_month = parts.get("m1") or last_month
    year = parts.get("y2") or parts.get("y1") or (day and str(day.year))
    if not (first_day and last_day and first_month and last_month and year):
        return None
    months = language.months
    last = _date(int(year), months[last_month.lower()], int(last_day))
    is_over_new_year = months[first_month.lower()] > months[last_month.lower()]
    first_year = int(parts.get("y1") or year) - (is_over_new_year and not parts.get("y1"))
    first = _date(first_year, months[first_month.lower()], int(first_day))
    return (first, last) if first and last and first <= last else None


def _numeric(text: str) -> Iterator[PrintedDate]:
    for found in _ISO.finditer(text):
        day = _date(int(found[1]), int(found[2]), int(found[3]))
        if day:
            yield PrintedDate(found.start(), found.end(), day, day)
    for found in _DOTTED.finditer(text):
        day = _date(int(found[3]), int(found[2]), int(found[1]))
        if day:
            yield PrintedDate(found.start(), found.end(), day, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
