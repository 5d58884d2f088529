"""Masks equal the criteria item by item; explanations name the rule."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.criteria import Criteria
from feeds.model import Classification, Item
from subscribers.model import Subscription
from subscribers.selection import Rule, criteria_masks, explain, mask_items

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
THEMES = ("asylum", "labour", "return", "general")
REGIONS = ("africa", "eu-west", "silk-routes", "global")
KINDS = ("call", "news")


def make_item(
    *, themes: tuple[str, ...] = ("asylum",), regions: tuple[str, ...] = (), kind: str = "news", language: str = "en"
) -> Item:
    return Item(
        id=1,
        uid="u1",
        url="https://example.org/a",
        title="A port opens",
        summary="",
        language=language,
        day=date(2026, 11, 20),
        date_source="source",
        published_at=NOON,
        updated_at=NOON,
        classification=Classification(themes=themes, primary_theme=themes[0], regions=regions, kind=kind),
    )


def subscribe(criteria: Criteria, *, covered_from: datetime = NOON, ended_at: datetime | None = None) -> Subscription:
    return Subscription(7, 3, criteria, "weekly", created_at=NOON, covered_from=covered_from, ended_at=ended_at)


items_of_any_kind = st.builds(
    make_item,
    themes=st.lists(st.sampled_from(THEMES), min_size=1, unique=True).map(tuple),
    regions=st.lists(st.sampled_from(REGIONS), unique=True).map(tuple),
    kind=st.sampled_from(KINDS),
    language=st.sampled_from(["en", "fr", "fr-CA"]),
)
any_criteria = st.builds(
    lambda themes, regions, kinds, language: Criteria.of(themes, regions, kinds=kinds, language=language),
    st.lists(st.sampled_from([*THEMES, "unheard-of"])),
    st.lists(st.sampled_from([*REGIONS, "*"])),
    st.lists(st.sampled_from(KINDS)),
    st.sampled_from([None, "en", "fr", "ru"]),
)


@given(st.lists(items_of_any_kind, max_size=20), st.lists(any_criteria, max_size=8))
def test_a_mask_holds_exactly_the_items_that_meet_the_criteria(items: list[Item], wishes: list[Criteria]) -> None:
    masks = list(criteria_masks(items, enumerate(wishes)))

    assert [key for key, _ in masks] == list(range(len(wishes)))
    for key, mask in masks:
        assert len(mask) == (len(items) + 7) // 8
        assert mask_items(mask) == [place for place, item in enumerate(items) if wishes[key].is_met_by(item)]


@given(items_of_any_kind, any_criteria)
def test_an_explanation_agrees_with_the_criteria(item: Item, wanted: Criteria) -> None:
    [explanation] = explain(item, [subscribe(wanted)], released_at=NOON)

    assert explanation.is_included == wanted.is_met_by(item)
    assert explanation.rules


def test_item_at_position_p_is_bit_p_of_a_big_endian_number() -> None:
    items = [make_item(themes=("labour",))] * 8 + [make_item(), make_item(themes=("labour",))]

    [(_, mask)] = criteria_masks(items, [(5, Criteria.of(["asylum"]))])

    assert mask == b"\x01\x00"
    assert mask_items(mask) == [8]


@pytest.mark.parametrize(
    ("item", "wanted", "verdict", "rules"),
    [
        (make_item(), Criteria(), True, [Rule("any-theme"), Rule("any-region")]),
        (
            make_item(themes=("asylum", "labour"), regions=("africa",)),
            Criteria.of(["labour"], ["africa"]),
            True,
            [Rule("theme", ("labour",)), Rule("region", ("africa",))],
        ),
        (make_item(regions=("global",)), Criteria.of([], ["africa"]), True, [Rule("any-theme"), Rule("global")]),
        (make_item(), Criteria.of(["return"]), False, [Rule("other-theme", ("asylum",))]),
        (make_item(themes=("general",)), Criteria.of(["return"]), False, [Rule("general", ("general",))]),
        (make_item(), Criteria.of([], ["africa"]), False, [Rule("no-region")]),
        (
            make_item(regions=("eu-west",)),
            Criteria.of(["return"], ["africa"]),
            False,
            [Rule("other-theme", ("asylum",)), Rule("other-region", ("eu-west",))],
        ),
        (make_item(), Criteria.of(kinds=["call"]), False, [Rule("other-kind", ("news",))]),
        (make_item(), Criteria.of(language="fr"), False, [Rule("other-language", ("en",))]),
    ],
)
def test_the_rule_that_decides_is_named(item: Item, wanted: Criteria, *, verdict: bool, rules: list[Rule]) -> None:
    [explanation] = explain(item, [subscribe(wanted)], released_at=NOON)

    assert (explanation.is_included, list(explanation.rules)) == (verdict, rules)


def test_items_released_before_coverage_and_ended_subscriptions_are_excluded() -> None:
    later = subscribe(Criteria(), covered_from=NOON + timedelta(seconds=1))
    over = replace(subscribe(Criteria()), ended_at=NOON)

    explanations = explain(make_item(), [later, over, subscribe(Criteria())], released_at=NOON)

    assert [(one.is_included, one.rules[0].name) for one in explanations] == [
        (False, "before-coverage"),
        (False, "ended"),
        (True, "any-theme"),
    ]


def test_eight_thousand_criteria_over_forty_items_take_a_twentieth_of_a_second() -> None:
    items = [make_item(themes=(THEMES[n % 4],), regions=(REGIONS[n % 3],)) for n in range(40)]
    wishes = [(n, Criteria.of(THEMES[: n % 4], REGIONS[: n % 5])) for n in range(8000)]

    started = time.process_time()
    count = sum(1 for _ in criteria_masks(items, wishes))

    assert count == 8000
    assert time.process_time() - started < 0.05
