import tomllib
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from publisher.demo.clock import choose_start
from publisher.demo.content import load_newsroom, newsroom_toml, published_at
from publisher.demo.dates import ZONE
from publisher.demo.past import COLLECT, CORRECT, CORRECTED_STORY, PAST_EDITIONS, Step, plan_past
from subscribers.schedule import parse_digest, previous_slot

DIGESTS = [parse_digest(entry) for entry in tomllib.loads(newsroom_toml("http://127.0.0.1"))["digests"]]
STORIES = load_newsroom().stories
STARTS = [choose_start(datetime(2026, 1, 15, tzinfo=UTC) + timedelta(days=30 * month)) for month in range(36)]


def _steps(start: datetime) -> dict[str, list[datetime]]:
    moments = defaultdict(list)
    for step in plan_past(DIGESTS, start, zone=ZONE):
        moments[step.what].append(step.at)
    return moments


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_every_digest_has_editions_before_the_start_and_none_is_too_old_to_be_sent(start: datetime) -> None:
    steps = _steps(start)

    assert {digest.id: len(steps[digest.id]) for digest in DIGESTS} == PAST_EDITIONS
    assert max(steps["monthly"]) > start - timedelta(days=2)


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_windows_begin_after_the_first_collection_and_follow_a_collection_of_their_day(start: datetime) -> None:
    steps = _steps(start)

    for digest in DIGESTS:
        assert min(steps[COLLECT]) < previous_slot(digest, min(steps[digest.id]), ZONE)
        for cut_off in steps[digest.id]:
            assert any(timedelta(0) < cut_off - at < timedelta(hours=4) for at in steps[COLLECT])


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_each_source_shows_something_at_the_first_collection(start: datetime) -> None:
    first = min(_steps(start)[COLLECT])
    there = [story for story in STORIES if published_at(story, start) <= first]

    assert {story.language for story in there} == {"en", "fr", "ru"}
    assert any("press" in story.sections for story in there)


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_the_story_is_corrected_after_it_was_collected_and_before_it_is_mailed(start: datetime) -> None:
    (story,) = [story for story in STORIES if story.slug == CORRECTED_STORY]
    steps = plan_past(DIGESTS, start, zone=ZONE)
    correction = next(step for step in steps if step.what == CORRECT)

    collected = next(step for step in steps if step.what == COLLECT and step.at >= published_at(story, start))

    between = steps[steps.index(collected) : steps.index(correction)]
    assert steps.index(collected) < steps.index(correction)
    assert all(step.what == COLLECT for step in between)


def test_what_happens_at_one_moment_is_collected_first() -> None:
    at = STARTS[0]

    assert min(Step(at, "weekly"), Step(at, CORRECT), Step(at, COLLECT)) == Step(at, COLLECT)
