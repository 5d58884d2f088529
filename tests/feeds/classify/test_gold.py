"""Scores on the labelled items beside the checkout; skipped where they are not there."""

import pytest

from benchmarks.classify import GOLD, score

pytestmark = pytest.mark.skipif(not GOLD.exists(), reason="the labelled items are not beside this checkout")


@pytest.mark.parametrize(
    ("items", "labels"), [("items.jsonl", "labels.jsonl"), ("more_items.jsonl", "more_labels.jsonl")]
)
def test_labelled_items_are_classified_as_labelled(items: str, labels: str) -> None:
    # given labels made by reading, and the least scores that later work may not fall below
    least = {
        "themes": 0.95, "countries": 0.95, "regions": 0.95, "projects": 0.9,
        "primary_theme": 0.9, "kind": 0.9, "deadline": 0.95, "event_dates": 0.95,
    }  # fmt: skip

    # when the items are classified
    scores = score(GOLD / items, GOLD / labels)

    # then no score is below, and the differences are shown where one is
    below = {name: value for name, value in scores.figures.items() if value < least[name]}
    assert not below, "\n".join(scores.differences)
