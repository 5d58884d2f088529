"""Corrections: what staff may say, and what it does."""

from datetime import date

import pytest

from feeds.corrections import correct_classification, read_correction
from feeds.model import Classification, Match

KNOWN = {
    "themes": ["fishing", "trade", "general"],
    "regions": ["north", "south"],
    "countries": ["NO", "IS"],
}
FOUND = Classification(
    themes=("fishing",),
    primary_theme="fishing",
    countries=("NO",),
    regions=("north",),
    kind="call",
    deadline=date(2026, 3, 7),
    matches=(
        Match("theme:fishing", "nets"),
        Match("country:NO", "Norway"),
        Match("kind:call", "apply"),
        Match("deadline", "by 7 March"),
        Match("project:Nets (NET)", "NET"),
    ),
)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("themes", "trade; fishing;trade", ["trade", "fishing"]),
        ("regions", "", []),
        ("countries", "IS", ["IS"]),
        ("primary_theme", "trade", "trade"),
        ("kind", "event", "event"),
        ("deadline", "2026-04-01", "2026-04-01"),
        ("deadline", "", None),
        ("title", " A\r\n title ", "A title"),
        ("summary", "", ""),
    ],
)
def test_what_staff_type_becomes_a_value(field: str, text: str, value: object) -> None:
    assert read_correction(field, text, KNOWN) == value


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("themes", "fishing;mining", "'mining' is unknown. Use one of: fishing, trade, general"),
        ("themes", " ; ", "a theme at least"),
        ("countries", "no", "'no' is unknown"),
        ("kind", "party", "'party' is unknown"),
        ("deadline", "7 March", "is not a day"),
        ("title", "\x00 ", "needs a title"),
        ("url", "x", "'url' cannot be corrected. Use one of: title"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(field: str, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_correction(field, text, KNOWN)


def test_without_corrections_the_rules_stand() -> None:
    assert correct_classification(FOUND, {}) == FOUND


def test_a_label_that_staff_took_away_loses_its_match() -> None:
    corrected = correct_classification(FOUND, {"countries": [], "kind": "news", "deadline": None})

    assert (corrected.countries, corrected.kind, corrected.deadline) == ((), "news", None)
    assert [match.label for match in corrected.matches] == ["theme:fishing", "project:Nets (NET)"]


@pytest.mark.parametrize(
    ("corrections", "themes", "primary"),
    [
        ({"themes": ["trade", "general"]}, ("trade", "general"), "trade"),
        ({"themes": ["trade", "fishing"]}, ("trade", "fishing"), "fishing"),
        ({"primary_theme": "trade"}, ("fishing", "trade"), "trade"),
        ({"themes": ["trade", "fishing"], "primary_theme": "trade"}, ("trade", "fishing"), "trade"),
    ],
)
def test_themes_and_primary_theme_agree(corrections: dict[str, object], themes: tuple[str, ...], primary: str) -> None:
    corrected = correct_classification(FOUND, corrections)

    assert (corrected.themes, corrected.primary_theme) == (themes, primary)


def test_a_primary_theme_replaces_general() -> None:
    corrected = correct_classification(Classification(), {"primary_theme": "trade"})

    assert (corrected.themes, corrected.primary_theme) == (("trade",), "trade")
