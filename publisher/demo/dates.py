"""Days in the words of each language, and the dates that stories carry."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date

ZONE = ZoneInfo("Europe/Rome")
"""Where the invented organisation sits: its days are days there."""

Offset = int | tuple[int, int]
"""Days from the day a story appears; two for a range, first and last included."""

_LOCALES = {"en": "en_GB", "fr": "fr", "ru": "ru"}
_YEARS = {"en": " y", "fr": " y", "ru": " y 'года'"}
_RANGES = {"en": "{}–{}", "fr": "du {} au {}", "ru": "{}–{}"}
_WIDE_RANGES = {"en": "{} – {}", "fr": "du {} au {}", "ru": "{} – {}"}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def format_day(day: date, language: str) -> str:
    """The day as running text prints it: ``4 May 2027``, ``1er mai 2027``, ``4 мая 2027 года``."""
    return _format(day, "d MMMM" + _YEARS[language], language=language)


def format_range(first: date, last: date, *, language: str) -> str:
    """Both days, month and year printed once where they are the same: ``du 3 au 5 mai 2027``."""
    if first == last:
        return format_day(first, language)
    if (first.year, first.month) == (last.year, last.month):
        return _RANGES[language].format(_format(first, "d", language=language), format_day(last, language))
    start = "d MMMM" if first.year == last.year else "d MMMM" + _YEARS[language]
    return _WIDE_RANGES[language].format(_format(first, start, language=language), format_day(last, language))


def fill(text: str, offsets: Mapping[str, Offset], *, day: date, language: str) -> str:
    """The text with each ``{name}`` replaced by that date or range of dates; KeyError for a name without one."""

    def words(found: re.Match[str]) -> str:
        offset = offsets[found[1]]
        first, last = offset if isinstance(offset, tuple) else (offset, offset)
        return format_range(day + timedelta(days=first), day + timedelta(days=last), language=language)

    return _PLACEHOLDER.sub(words, text)


def _format(day: date, pattern: str, *, language: str) -> str:
    if language == "fr" and day.day == 1:
        pattern = pattern.replace("d", "d'er'", 1)
    return format_date(day, pattern, locale=_LOCALES[language])
