"""The shipped taxonomy, compiled once, and items in a short notation."""

from collections.abc import Callable
from datetime import date

import pytest

from feeds.classify import ItemText, Taxonomy, classify
from feeds.model import Classification
from publisher.taxonomy import load_taxonomy

Classify = Callable[..., Classification]


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture(scope="session")
def classified(taxonomy: Taxonomy) -> Classify:
    """Classifies an item of 10 June 2025 with the shipped rules."""

    def classified(summary: str, title: str | None = None, *, language: str = "en") -> Classification:
        return classify(ItemText(title, summary, date(2025, 6, 10), language), taxonomy)

    return classified
