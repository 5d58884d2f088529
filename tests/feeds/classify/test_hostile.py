"""Whatever a source sends is classified, in bounded time, and proved by the item's own text."""

import time
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feeds.classify import ItemText, Taxonomy, classify, learn_projects
from feeds.model import KINDS
from publisher.taxonomy import load_taxonomy

FRAGMENTS = (
    "asylum", "Border", "Nigeria", "Niger State", "in Enugu", "funded by", "EU-funded", "(ABC)",
    "“Fair Paths” (FAPA)", "3-5 June 2025", "до 1 июля", "jusqu'au 1er mai",
    "\x00", "\u202e", "\ufffe", "<b>", "&", "\r\n", "|", "GENEVA –",
    "Mr Jordan", "project X-Y/Z 3", "in English, Russian and Czech", "Пражский процесс",
    "L'", "’s", "١٢ June", "İI", "ﬁ",
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(" ".join))
LANGUAGES = st.sampled_from(["en", "fr", "ru", "fr-CH", "ar", "", "\x00"])
SHIPPED = load_taxonomy()


@example(title=None, summary="визы 𗀀 ж𗀀", language="ru", day=None)
@given(title=st.none() | TEXTS, summary=TEXTS, language=LANGUAGES, day=st.none() | st.dates())
@example(title="A00A", summary="0", language="en", day=None)
@settings(max_examples=300, deadline=None)
def test_any_text_is_classified_and_every_match_stands_in_it(
    title: str | None, summary: str, language: str, day: date | None
) -> None:
    # given any text, and a taxonomy that has learnt from it
    text = ItemText(title, summary, day, language)
    taxonomy = learn_projects([text], SHIPPED)

    # when it is classified
    found = classify(text, taxonomy)

    # then the answer is well-formed, the same every time, and every proof is printed in the item
    assert found == classify(text, taxonomy)
    assert found.kind in KINDS
    assert found.themes
    assert set(found.themes) <= set(taxonomy.theme_ids)
    assert set(found.regions) <= set(taxonomy.region_ids)
    assert all(match.text and (match.text in summary or match.text in (title or "")) for match in found.matches)


@pytest.mark.parametrize(
    "unit",
    [
        "A", "a ", "A-", "A ", "(", "(A", "“A ", "A (", "A.", "1 ", "1-", "1, ", "1 June ", "Mr ", "Jordan ", "– ",
        "Swiss and ", "funded by ", "training held ", "project ABC and ", "border funded Kenya ",
        "deadline 1 June apply ", "in English, ", "\x00", "\u202e",
    ],
)  # fmt: skip
def test_a_hundred_kilobytes_are_classified_in_bounded_time(taxonomy: Taxonomy, unit: str) -> None:
    # given a title and a summary of 100 KB each
    text = ItemText(unit * (100_000 // len(unit)), unit * (100_000 // len(unit)), date(2025, 6, 10))

    # when it is learnt from and classified
    begin = time.process_time()
    classify(text, learn_projects([text], taxonomy))

    # then it took no longer than a few hundred plain items
    assert time.process_time() - begin < 2
