"""The form of terms, with a taxonomy of two invented rules."""

from dataclasses import replace

import pytest

from feeds.classify import ItemText, Language, PlaceName, RegionRule, Rules, ThemeRule, classify, compile_taxonomy


def _plural(word: str) -> str:
    return word.removesuffix("s")


PLAIN = Language("en", _plural, {"june": 6}, are_demonyms_capitalised=True)


def _themes(*terms: str, summary: str) -> tuple[str, ...]:
    rules = Rules(
        themes=(ThemeRule("ships", {"en": "Ships"}, {"en": terms}), ThemeRule("general", {"en": "General"})),
        regions=(),
    )
    return classify(ItemText(None, summary), compile_taxonomy(rules, [PLAIN])).themes


@pytest.mark.parametrize(
    ("term", "summary", "is_met"),
    [
        ("tug boat", "Two Tug-Boats came.", True),
        ("tug boat", "A tugboat came.", False),
        ("sail*", "The sailors came.", True),
        ("sail*", "An assail came.", False),
        ("tall sail*", "Tall sailors came.", True),
        ("tug & rope", "The rope of the tug broke.", True),
        ("tug & rope", "The rope broke. The tug sank.", False),
        ("HMS", "HMS Victory came.", True),
        ("HMS", "Hms came.", False),
        ("", "A tug came.", False),
    ],
)
def test_a_term_is_words_an_open_word_a_pair_or_capitals(term: str, summary: str, *, is_met: bool) -> None:
    assert _themes(term, summary=summary) == (("ships",) if is_met else ("general",))


def test_a_term_does_not_run_over_the_end_of_a_sentence_or_of_the_title() -> None:
    # given a taxonomy of one term, and texts whose title and sentences meet in its words
    rules = Rules((ThemeRule("ships", {}, {"en": ("tug boat",)}), ThemeRule("general", {})), ())
    taxonomy = compile_taxonomy(rules, [PLAIN])

    # when and then
    assert classify(ItemText("A tug", "boat came"), taxonomy).themes == ("general",)
    assert classify(ItemText(None, "A tug. Boat came."), taxonomy).themes == ("general",)


def test_places_and_regions_are_what_the_rules_say() -> None:
    # given one country with a town, in one region
    rules = Rules(
        themes=(ThemeRule("general", {}),),
        regions=(RegionRule("north", {}, ("NL",), {"en": ("the far north",)}),),
        places={"en": (PlaceName("Nordland", "NL", "name"), PlaceName("Port Fog", "NL", "city"))},
    )
    taxonomy = compile_taxonomy(rules, [PLAIN])

    # when items name the country, a list with its town, or the region
    by_name = classify(ItemText(None, "Nordland and Port Fog rest."), taxonomy)
    by_region = classify(ItemText(None, "Fog in the far north."), taxonomy)

    # then the first has the country by its first name, and both have the region
    assert (by_name.countries, by_name.regions) == (("NL",), ("north",))
    assert (by_region.countries, by_region.regions) == ((), ("north",))


def test_a_language_without_rules_is_read_with_the_first_one() -> None:
    # given rules in two languages, compiled for both
    rules = Rules((ThemeRule("ships", {}, {"en": ("tug",), "fr": ("remorqueur",)}), ThemeRule("general", {})), ())
    taxonomy = compile_taxonomy(rules, [PLAIN, replace(PLAIN, code="fr")])

    # when and then
    assert classify(ItemText(None, "Ein tug", None, "de-AT"), taxonomy).themes == ("ships",)
    assert classify(ItemText(None, "Un remorqueur", None, "fr-CH"), taxonomy).themes == ("ships",)
    assert classify(ItemText(None, "Ein remorqueur", None, "de-AT"), taxonomy).themes == ("general",)


def test_all_rules_are_values_that_are_compiled_before_the_first_text() -> None:
    # given a taxonomy for two languages
    rules = Rules((ThemeRule("general", {}),), ())
    taxonomy = compile_taxonomy(rules, [PLAIN, replace(PLAIN, code="fr")])
    compiled = dict(taxonomy.languages)

    # when texts in both and in a third are classified
    for code in ("en", "fr", "ru"):
        classify(ItemText(None, "A tug.", None, code), taxonomy)

    # then the taxonomy is the same as before
    assert dict(taxonomy.languages) == compiled
    assert set(compiled) == {"en", "fr"}
