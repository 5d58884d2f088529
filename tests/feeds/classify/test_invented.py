"""Scores on invented items, labelled before they were classified; docs/classification.md has those of the first run."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from feeds.classify import ItemText, Taxonomy, classify

ITEMS: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("invented.toml").read_text(encoding="utf-8"))[
    "items"
]


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("themes", 0.9), ("countries", 0.9), ("regions", 0.9), ("projects", 1),
        ("kind", 0.88), ("deadline", 1), ("event_dates", 1),
    ],
)  # fmt: skip
def test_most_invented_items_are_read_as_labelled(taxonomy: Taxonomy, name: str, least: float) -> None:
    # given items labelled before a rule was tried on them, when they are classified
    differing = []
    for row in ITEMS:
        found = classify(ItemText(row["title"], row["summary"], row["day"], row.get("language", "en")), taxonomy)
        wanted, got = _plain(row["want"].get(name)), _plain(getattr(found, name))
        if wanted != got:
            differing.append(f"{row['title']}: wanted {wanted}, found {got}")

    # then so many are read alike
    assert 1 - len(differing) / len(ITEMS) >= least, differing


def _plain(value: Any) -> Any:  # labels and answers of every sort
    if isinstance(value, list | tuple):
        return sorted(map(str, value))
    return str(value) if isinstance(value, date) else value or []
