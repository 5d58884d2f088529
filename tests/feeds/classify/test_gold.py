"""Scores on the labelled items beside the checkout; skipped where they are not there."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.classify import GOLD, Scores, score, score_alone
from feeds.classify.text import split_words
from publisher.languages import languages

pytestmark = pytest.mark.skipif(not GOLD.exists(), reason="the labelled items are not beside this checkout")

SETS = [("items.jsonl", "labels.jsonl"), ("more_items.jsonl", "more_labels.jsonl")]
LEAST = {
    "themes": 0.95, "countries": 0.95, "regions": 0.95, "projects": 0.9,
    "primary_theme": 0.9, "kind": 0.9, "deadline": 0.95, "event_dates": 0.95,
}  # fmt: skip
DATA = Path(__file__).parents[3] / "publisher/data"
PHRASES = frozenset(Path(__file__).with_name("phrases.txt").read_text(encoding="utf-8").splitlines())
"""Phrases of the field, read one by one: none belongs to the item in which it happens to stand."""


def _check(scores: Scores, least: dict[str, float]) -> None:
    below = {name: value for name, value in scores.figures.items() if value < least[name]}
    assert not below, "\n".join(scores.differences)


@pytest.mark.parametrize(("items", "labels"), SETS)
def test_labelled_items_are_classified_as_labelled(items: str, labels: str) -> None:
    _check(score(GOLD / items, GOLD / labels), LEAST)


@pytest.mark.parametrize(("items", "labels"), SETS)
def test_labelled_items_are_classified_as_labelled_each_for_itself(items: str, labels: str) -> None:
    # as collections classify, which learn no projects from other items
    _check(score_alone(GOLD / items, GOLD / labels), LEAST | {"themes": 0.9, "primary_theme": 0.85})


def test_no_term_quotes_one_item() -> None:
    # given the words of every labelled item, in their normal forms
    rows = [json.loads(line) for items, _ in SETS for line in (GOLD / items).read_text(encoding="utf-8").splitlines()]
    texts = [_normal(f"{row['title'] or ''} {row['summary']}", row.get("language") or "en") for row in rows]

    # when terms of three words and more are looked up in them
    alone = {
        term
        for name in ("taxonomy", "cues", "projects", "places")
        for term, language in _terms(tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8")))
        if _normal(term, language).count(" ") >= 4 and sum(_normal(term, language) in text for text in texts) == 1
    }

    # then one that stands in a single item is a known phrase of the field
    assert alone <= PHRASES


def _normal(text: str, language: str) -> str:
    return " ".join(["", *(word.normal for word in split_words(text, languages()[language])), ""])


def _terms(table: object, language: str | None = None) -> Iterator[tuple[str, str]]:
    if isinstance(table, str) and language:
        yield table, language
    elif isinstance(table, dict):
        for key, value in table.items():
            yield from _terms(value, key if key in languages() else language)
    elif isinstance(table, list):
        for value in table:
            yield from _terms(value, language)
