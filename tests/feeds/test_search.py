"""Feeds found by the words that people use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.criteria import Criteria
from feeds.search import find_feeds, split_words

THEMES = {
    "asylum": ["Asylum and protection", "Asile et protection", "Убежище и защита"],
    "border-visa": ["Borders and visas", "Frontières et visas"],
    "legal": ["Legal migration", "Migration légale"],
    "return": ["Irregular migration and return"],
}
REGIONS = {"africa": ["Sub-Saharan Africa", "Afrique subsaharienne"], "eu-west": ["EU and Western Europe"]}
KINDS = {"call": ["Open call", "Appel ouvert"], "news": ["News"]}


def _find(text: str) -> list[Criteria]:
    return find_feeds(text, themes=THEMES, regions=REGIONS, kinds=KINDS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("asylum", [Criteria.of(["asylum"])]),
        ("ASILE", [Criteria.of(["asylum"])]),
        ("frontieres", [Criteria.of(["border-visa"])]),
        ("убеж", [Criteria.of(["asylum"])]),
        ("border-visa", [Criteria.of(["border-visa"])]),
        ("asylum africa", [Criteria.of(["asylum"], ["africa"])]),
        ("Afrique, asile!", [Criteria.of(["asylum"], ["africa"])]),
        ("open calls for asylum in africa", [Criteria.of(["asylum"], ["africa"], kinds=["call"])]),
        ("migration", [Criteria.of(["legal"]), Criteria.of(["return"])]),
        ("legal migration", [Criteria.of(["legal"])]),
        ("europe", [Criteria.of([], ["eu-west"])]),
        ("eu", [Criteria.of([], ["eu-west"])]),
        ("calls", []),
        ("of", []),
        ("", []),
        ("zebra", []),
        ("zebra asylum", [Criteria.of(["asylum"])]),
    ],
)
def test_words_find_the_feeds_that_they_name(text: str, found: list[Criteria]) -> None:
    assert _find(text) == found


def test_a_word_that_two_axes_know_gives_both_but_not_together() -> None:
    # when
    found = find_feeds(
        "mediterranean", themes={"m": ["Mediterranean routes"]}, regions={"med": ["Mediterranean"]}, kinds={}
    )
    # then
    assert found == [Criteria.of([], ["med"]), Criteria.of(["m"])]


@given(st.text(max_size=200))
def test_any_text_is_answered_with_feeds_that_exist(text: str) -> None:
    for criteria in _find(text):
        assert set(criteria.themes) <= set(THEMES)
        assert set(criteria.regions) <= set(REGIONS)
        assert criteria != Criteria()


def test_words_are_split_without_case_accents_and_repetition() -> None:
    assert split_words("Méditerranée, ÉTÉ-été") == ["mediterranee", "ete"]
