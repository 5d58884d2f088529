import csv
import io
import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import available_timezones

import pytest

from feeds.model import KINDS
from publisher.demo.content import load_newsroom, newsroom_toml, pages_at, published_at, subscribers_csv

START = datetime(2027, 2, 26, 9, tzinfo=UTC)
LATER = START + timedelta(days=30)
STORIES = load_newsroom().stories
LABELS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("labels.toml").read_text(encoding="utf-8"))
THEMES = {"asylum", "irregular-return", "trafficking", "border-visa", "development", "legal-integration", "general"}
REGIONS = {
    "eu-west",
    "western-balkans-turkiye",
    "eastern-europe-central-asia",
    "mediterranean",
    "africa",
    "silk-routes",
    "global",
}


def test_the_newsroom_is_large_enough_to_show_everything() -> None:
    languages = Counter(story.language for story in STORIES)
    first_day = min(published_at(story, START) for story in STORIES)

    assert len(STORIES) >= 48
    assert languages["en"] >= 30
    assert languages["fr"] >= 10
    assert languages["ru"] >= 8
    assert START - first_day >= timedelta(weeks=6)
    assert sum(published_at(story, START) > START for story in STORIES) >= 12


def test_every_story_has_its_own_address() -> None:
    assert len({story.slug for story in STORIES}) == len(STORIES)
    assert {story.slug for story in STORIES} == set(LABELS)


def test_the_stories_cover_all_themes_regions_and_kinds() -> None:
    kinds = Counter(kind for kind, _, _ in LABELS.values())

    assert {theme for _, themes, _ in LABELS.values() for theme in themes.split()} == THEMES
    assert {region for _, _, regions in LABELS.values() for region in regions.split()} == REGIONS
    assert set(kinds) == set(KINDS)
    assert kinds["call"] >= 5
    assert kinds["event"] >= 6


def test_every_region_and_theme_has_something_new_while_the_demo_runs() -> None:
    live = [LABELS[story.slug] for story in STORIES if published_at(story, START) > START]

    assert {theme for _, themes, _ in live for theme in themes.split()} == THEMES
    assert {region for _, _, regions in live for region in regions.split()} == REGIONS - {"global"}


def test_calls_name_a_deadline_and_events_their_days() -> None:
    for story in STORIES:
        kind = LABELS[story.slug][0]
        if kind in ("call", "event", "training"):
            wanted = "deadline" if kind == "call" else "event"
            assert f"{{{wanted}}}" in story.summary, story.slug


def test_a_call_stays_open_for_weeks_after_the_demo_begins() -> None:
    for story in STORIES:
        deadline = story.dates.get("deadline")
        if deadline is not None:
            assert isinstance(deadline, int)
            assert published_at(story, START) + timedelta(days=deadline) >= START + timedelta(days=10), story.slug


@pytest.mark.parametrize("days", range(0, 365, 13))
def test_no_placeholder_is_left_open_on_any_day(days: int) -> None:
    start = START + timedelta(days=days)

    pages = pages_at(STORIES, start, now=start + timedelta(days=30))

    assert len(pages) == len(STORIES)
    for page in pages:
        text = " ".join((page.title, page.summary, *page.body))
        assert not set("{}") & set(text), page.slug


@pytest.mark.parametrize("page", pages_at(STORIES, START, now=LATER), ids=lambda page: page.slug)
def test_a_story_has_a_title_a_few_sentences_and_a_body(page) -> None:
    assert 20 <= len(page.title) <= 110
    assert 120 <= len(page.summary) <= 520
    assert 2 <= sum(page.summary.count(mark) for mark in ".?!") <= 7
    assert page.body
    assert page.category


def test_what_is_shown_stands_newest_first_and_nothing_comes_early() -> None:
    now = START + timedelta(hours=10)

    pages = pages_at(STORIES, START, now=now)

    moments = [page.published_at for page in pages]
    assert moments == sorted(moments, reverse=True)
    assert all(moment <= now for moment in moments)
    assert len(pages) < len(STORIES)


def test_one_story_is_wrong_first_and_corrected_later() -> None:
    (story,) = [story for story in STORIES if story.correction]
    assert story.correction is not None
    at = START + timedelta(hours=story.correction.hours_after)

    (before,) = [page for page in pages_at(STORIES, START, now=at - timedelta(seconds=1)) if page.slug == story.slug]
    (after,) = [page for page in pages_at(STORIES, START, now=at) if page.slug == story.slug]

    assert before.correction is None
    assert before.updated_at == before.published_at < START
    assert after.summary != before.summary
    assert after.correction == story.correction.note
    assert after.updated_at == at
    assert after.published_at == before.published_at


def test_the_sources_read_the_site_and_mail_their_backlog() -> None:
    setup = tomllib.loads(newsroom_toml("http://127.0.0.1:8001/"))

    assert all(source["url"].startswith("http://127.0.0.1:8001/") for source in setup["sources"])
    assert all(source["internal"] and source["backlog"] == "digest" for source in setup["sources"])
    assert {source["language"] for source in setup["sources"]} == {"en", "fr", "ru"}
    assert [digest["cadence"] for digest in setup["digests"]] == ["daily", "weekly", "monthly"]


def test_the_subscribers_are_as_different_as_people_are() -> None:
    rows = list(csv.DictReader(io.StringIO(subscribers_csv())))

    assert len(rows) == len({row["email"] for row in rows}) >= 30
    assert {row["email"].rpartition("@")[2] for row in rows} <= {"example.org", "example.net", "example.com"}
    assert Counter(row["status"] for row in rows) == {"confirmed": len(rows) - 4, "unconfirmed": 2, "unsubscribed": 2}
    assert {row["language"] for row in rows} == {"en", "fr", "ru"}
    assert {row["cadence"] for row in rows} == {"daily", "weekly", "monthly"}
    assert {row["timezone"] for row in rows} <= available_timezones()
    for row in rows:
        assert set(row["themes"].split(";")) <= THEMES | {"*"}
        assert set(row["regions"].split(";")) <= REGIONS | {"*"}
        assert (row["consent_at"] == "") == (row["status"] == "unconfirmed")
