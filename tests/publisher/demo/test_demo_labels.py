"""How far the shipped rules agree with the author of the demo's stories."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feeds.classify import ItemText, classify
from feeds.model import Classification
from publisher.demo.content import Page, load_newsroom, pages_at
from publisher.demo.past import CORRECTED_STORY
from publisher.taxonomy import load_taxonomy

START = datetime(2027, 2, 2, 6, tzinfo=UTC)
LABELS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("labels.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def readings() -> dict[str, Classification]:
    taxonomy = load_taxonomy()
    pages = pages_at(load_newsroom().stories, START, now=START + timedelta(days=30))
    return {page.slug: classify(_text(page), taxonomy) for page in pages}


def _text(page: Page) -> ItemText:
    return ItemText(page.title, page.summary, page.day, page.language)


@pytest.mark.parametrize(("field", "position", "least"), [("kind", 0, 0.85), ("themes", 1, 0.92), ("regions", 2, 0.94)])
def test_the_rules_read_most_stories_as_their_author_does(
    readings: dict[str, Classification], field: str, position: int, least: float
) -> None:
    differing = []
    for slug, labels in LABELS.items():
        found = getattr(readings[slug], field)
        said = {found} if isinstance(found, str) else set(found)
        if said != set(labels[position].split()):
            differing.append(f"{slug}: {labels[position]!r}, read as {sorted(said)}")

    assert 1 - len(differing) / len(LABELS) >= least, differing


def test_the_story_that_staff_correct_is_one_that_the_rules_misread(readings: dict[str, Classification]) -> None:
    assert LABELS[CORRECTED_STORY][1] == "irregular-return"
    assert "irregular-return" not in readings[CORRECTED_STORY].themes
