"""Corrections: the word of staff about an item. It wins over sources and rules, and survives collecting again."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from feeds.content import Content
from feeds.model import GENERAL, KINDS, Classification
from feeds.text import LONGEST_SUMMARY, LONGEST_TITLE, clean_text

Corrections = Mapping[str, Any]
"""Field to JSON value: texts, lists of codes, an ISO date or None for the deadline. Of many types, hence ``Any``."""

FIELDS = ("title", "summary", "themes", "primary_theme", "regions", "countries", "kind", "deadline")

_LISTS = ("themes", "regions", "countries")


def read_correction(field: str, text: str, known: Mapping[str, Collection[str]]) -> Any:
    """The JSON value of what staff typed; ValueError says what is wrong and what fits.

    Lists are codes split by ``;``; ``known`` holds those of ``themes``, ``regions`` and ``countries``. An empty text
    empties regions, countries and the deadline.
    """
    if field in _LISTS:
        return _read_codes(field, text, known[field])
    if field == "primary_theme":
        return _read_choice(text, known["themes"])
    if field == "kind":
        return _read_choice(text, KINDS)
    if field == "deadline":
        return _read_day(text)
    if field in {"title", "summary"}:
        return _read_text(field, text)
    raise ValueError(f"{field!r} cannot be corrected. Use one of: {', '.join(FIELDS)}")


def correct_content(content: Content, corrections: Corrections) -> Content:
    """The content with the title and summary of staff."""
    return replace(content, **{field: corrections[field] for field in ("title", "summary") if field in corrections})


def correct_classification(found: Classification, corrections: Corrections) -> Classification:
    """The classification with the labels of staff; a label they took away loses its match."""
    values: dict[str, Any] = {name: tuple(corrections[name]) for name in _LISTS if name in corrections}
    if "kind" in corrections:
        values["kind"] = corrections["kind"]
    if "deadline" in corrections:
        day = corrections["deadline"]
        values["deadline"] = day and date.fromisoformat(day)
    if not {"themes", "primary_theme"}.isdisjoint(corrections):
        values |= _correct_themes(found, corrections)
    corrected = replace(found, **values)
    return replace(corrected, matches=tuple(match for match in found.matches if _is_held(match.label, corrected)))


def _correct_themes(found: Classification, corrections: Corrections) -> dict[str, Any]:
    """Themes and the first of them, which agree: a primary theme is one of the themes."""
    themes = tuple(corrections.get("themes", found.themes))
    primary = corrections.get("primary_theme", found.primary_theme)
    if "primary_theme" in corrections and primary not in themes:
        themes = (*(theme for theme in themes if theme != GENERAL), primary)
    return {"themes": themes, "primary_theme": primary if primary in themes else themes[0]}


def _is_held(label: str, corrected: Classification) -> bool:
    """Whether what a match proves still stands; matches of what staff cannot correct always do."""
    axis, _, code = label.partition(":")
    held: dict[str, Collection[str]] = {
        "theme": corrected.themes,
        "region": corrected.regions,
        "country": corrected.countries,
        "kind": (corrected.kind,),
        "deadline": ("",) if corrected.deadline else (),
    }
    return axis not in held or code in held[axis]


def _read_codes(field: str, text: str, known: Collection[str]) -> list[str]:
    codes = list(dict.fromkeys(code.strip() for code in text.split(";") if code.strip()))
    for code in codes:
        _read_choice(code, known)
    if field == "themes" and not codes:
        raise ValueError(f"an item has a theme at least. Use {GENERAL!r} where no other fits")
    return codes


def _read_choice(text: str, known: Collection[str]) -> str:
    if text not in known:
        raise ValueError(f"{text!r} is unknown. Use one of: {', '.join(known)}")
    return text


def _read_day(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if text else None
    except ValueError as error:
        raise ValueError(f"{text!r} is not a day. Use the form 2026-11-23, or nothing for no deadline") from error


def _read_text(field: str, text: str) -> str:
    cleaned = clean_text(text, LONGEST_TITLE if field == "title" else LONGEST_SUMMARY)
    if field == "title" and not cleaned:
        raise ValueError("an item needs a title. Write one")
    return cleaned
