"""Classification of items given as JSON lines (``publisher classify``)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from feeds.classify import ItemText, Taxonomy, classify, learn_projects
from feeds.model import Classification
from publisher.errors import ConfigError
from publisher.languages import rules_language
from publisher.taxonomy import load_taxonomy

DEFAULT_LANGUAGE = "en"


def classify_lines(lines: Iterable[str]) -> Iterator[str]:
    """One JSON line per item line, in their order, by the shipped rules; blank lines are passed over.

    All lines are read before the first answer: a project whose full name one item prints brings its themes to the
    others. Raises ConfigError with the number of a line that is no item.
    """
    items = [read_item(line, number) for number, line in enumerate(lines, start=1) if line.strip()]
    codes = {rules_language(text.language) for _, text in items}
    learnt = learn_projects((text for _, text in items), _taxonomy(frozenset(codes)))
    for item_id, text in items:
        yield json.dumps(answer(item_id, classify(text, learnt)), ensure_ascii=False)


def read_item(line: str, number: int) -> tuple[str | int, ItemText]:
    """Id and text of the item on a line. Raises ConfigError with the number of a line that is no item."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"line {number}: not JSON ({error}); each line must be one item") from error
    if not isinstance(row, dict):
        raise ConfigError(f'line {number}: not an object; write {{"id": …, "title": …, "summary": …}}')
    return _id(row, number), _text(row, number)


def answer(item_id: str | int, found: Classification) -> dict[str, object]:
    """A classification as JSON has it."""
    return {
        "id": item_id,
        "themes": found.themes,
        "primary_theme": found.primary_theme,
        "countries": found.countries,
        "regions": found.regions,
        "projects": found.projects,
        "kind": found.kind,
        "deadline": found.deadline and found.deadline.isoformat(),
        "event_dates": found.event_dates and [day.isoformat() for day in found.event_dates],
        "matches": [{"label": match.label, "text": match.text} for match in found.matches],
    }


@cache
def _taxonomy(codes: frozenset[str]) -> Taxonomy:
    """The shipped taxonomy for these languages: the dictionary of one that no text needs stays unread."""
    return load_taxonomy(codes=sorted(codes))


def _id(row: Mapping[str, Any], number: int) -> str | int:
    item_id = row.get("id")
    if isinstance(item_id, bool) or not isinstance(item_id, str | int):
        raise ConfigError(f'line {number}: "id" must be a text or a whole number')
    return item_id


def _text(row: Mapping[str, Any], number: int) -> ItemText:
    title, summary = _words(row, "title", number=number), _words(row, "summary", number=number)
    if not title and not summary:
        raise ConfigError(f'line {number}: an item needs a "title" or a "summary"')
    language = _words(row, "language", number=number) or DEFAULT_LANGUAGE
    return ItemText(title or None, summary, _day(row, number), language)


def _words(row: Mapping[str, Any], key: str, *, number: int) -> str:
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f'line {number}: "{key}" must be a text or null')
    return value or ""


def _day(row: Mapping[str, Any], number: int) -> date | None:
    value = _words(row, "date", number=number)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise ConfigError(f'line {number}: "date" must be a day such as 2026-11-23, not {value[:40]!r}') from error
