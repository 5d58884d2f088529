"""How many items a feed gets: one query for all feeds says what the feeds themselves would hold."""

from datetime import timedelta

import pytest
from feed_newsroom import NOON, Newsroom
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from feeds.criteria import Criteria
from feeds.model import Classification
from publisher.store.feed_counts import Period, count_by_feed, count_items
from publisher.store.feeds import select_feed_items
from publisher.store.schema import item_labels, item_versions, items
from publisher.usecases.feeds import list_feeds, read_catalogue

PERIOD = Period(NOON - timedelta(days=28), NOON)
REGIONS = ("africa", "silk-routes", "eu-west")

classifications = st.builds(
    lambda themes, regions, kind: Classification(tuple(themes), None, (), tuple(regions), kind=kind),
    st.sets(st.sampled_from(["asylum", "trafficking", "general"]), min_size=1),
    st.sets(st.sampled_from([*REGIONS, "global"])),
    st.sampled_from(["call", "news"]),
)
written = st.tuples(classifications, st.sampled_from(["en", "en-GB", "fr", "ar"]), st.booleans())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(written, max_size=12))
def test_counts_of_all_feeds_are_those_of_each_feed(
    newsroom: Newsroom, found: list[tuple[Classification, str, bool]]
) -> None:
    # given
    with newsroom.app.database.write() as tx:
        tx.execute(delete(item_labels))
        tx.execute(delete(item_versions))
        tx.execute(delete(items))
    for number, (classification, language, is_translation) in enumerate(found, start=1):
        newsroom.put(number, classification=classification, language=language)
        newsroom.change(number, original_id=1 if is_translation and number > 1 else None)
    catalogue = read_catalogue(newsroom.app)
    wishes = [wish for wish in list_feeds(catalogue) if not (wish.themes and wish.regions)]
    wishes += [Criteria.of(kinds=["call"], language=language) for language in (None, "en")]
    # when
    with newsroom.app.database.read() as tx:
        counts = count_by_feed(tx, PERIOD, regions=[region.id for region in catalogue.regions])
        one_by_one = {criteria: count_items(tx, criteria, period=PERIOD) for criteria in wishes}
        held = {criteria: len(select_feed_items(tx, criteria, limit=50)) for criteria in one_by_one}
    # then
    assert {criteria: counts.get(criteria, 0) for criteria in one_by_one} == one_by_one == held


@pytest.mark.parametrize(
    ("age", "is_counted"),
    [
        (timedelta(days=28), True),
        (timedelta(days=28, microseconds=1), False),
        (timedelta(microseconds=1), True),
        (timedelta(), False),
        (timedelta(days=-9), False),
    ],
)
def test_items_of_the_period_alone_are_counted(newsroom: Newsroom, age: timedelta, *, is_counted: bool) -> None:
    # given
    newsroom.put(1, published_at=NOON - age)
    # when
    with newsroom.app.database.read() as tx:
        counts = count_by_feed(tx, PERIOD, regions=REGIONS), count_items(tx, Criteria(), period=PERIOD)
    # then
    assert (counts[0].get(Criteria(), 0), counts[1]) == (is_counted, is_counted)


def test_what_was_withdrawn_is_not_counted(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    newsroom.change(1, withdrawn_at=NOON)
    # when
    with newsroom.app.database.read() as tx:
        counts = count_by_feed(tx, PERIOD, regions=REGIONS), count_items(tx, Criteria(), period=PERIOD)
    # then
    assert counts == ({}, 0)
