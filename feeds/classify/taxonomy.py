"""The compiled taxonomy: rules of all axes, per language, ready to be searched."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from feeds.classify.calendar import compile_dates
from feeds.classify.rules import PlaceName, Rules, Terms
from feeds.classify.terms import Entry, Vocabulary, compile_vocabulary
from feeds.classify.text import Language
from feeds.classify.towns import TOWN_SORTS, Towns, compile_towns


@dataclass(frozen=True)
class LanguageRules:
    """What is searched for, and looked at, in texts of one language."""

    vocabulary: Vocabulary
    words: Mapping[str, frozenset[str]]
    """Word lists by name, normal forms."""
    towns: Towns
    date_patterns: tuple[re.Pattern[str], ...]

    def has(self, word_list: str, word: str) -> bool:
        return word in self.words.get(word_list, frozenset())


@dataclass(frozen=True, eq=False)
class Taxonomy:
    """Everything compiled from rules. Read-only and safe to share between threads."""

    languages: Mapping[str, LanguageRules]
    """By code; the first one reads texts in languages that are not here."""
    theme_ids: tuple[str, ...]
    region_ids: tuple[str, ...]
    regions_of: Mapping[str, tuple[str, ...]]
    """Country → its regions, in the order of the taxonomy."""
    organisations: frozenset[str]
    """Acronyms that are never a project."""
    project_themes: Mapping[str, tuple[str, ...]]
    """Project key → themes in the order its name gives them: known dialogues and what ``learn_projects`` read."""
    project_regions: Mapping[str, tuple[str, ...]]

    def language_rules(self, language: str) -> LanguageRules:
        """The rules for a language tag."""
        code = language.lower().partition("-")[0]
        return self.languages.get(code) or next(iter(self.languages.values()))


def compile_taxonomy(rules: Rules, languages: Sequence[Language]) -> Taxonomy:
    """The taxonomy of these rules for texts in these languages, at least one; the first reads all other texts too."""
    return Taxonomy(
        {language.code: _compile_language(rules, language) for language in languages},
        theme_ids=tuple(theme.id for theme in rules.themes),
        region_ids=tuple(region.id for region in rules.regions),
        regions_of=_regions_of(rules),
        organisations=rules.organisations,
        project_themes={fold(project.id): project.themes for project in rules.projects},
        project_regions={fold(project.id): project.regions for project in rules.projects},
    )


def fold(project: str) -> str:
    """The key under which spellings of a project's name meet: case, spaces and phase numbers folded."""
    words = project.casefold().replace("-", " ").split()
    while len(words) > 1 and (words[-1].isdigit() or words[-1] in {"i", "ii", "iii", "iv", "v", "phase"}):
        words.pop()
    return "".join(words)


def _regions_of(rules: Rules) -> dict[str, tuple[str, ...]]:
    regions_of: dict[str, tuple[str, ...]] = {}
    for region in rules.regions:
        for country in region.countries:
            regions_of[country] = (*regions_of.get(country, ()), region.id)
    return regions_of


def _compile_language(rules: Rules, language: Language) -> LanguageRules:
    words = {
        name: frozenset(language.normal(word.lower()) for word in by_language.get(language.code, ()))
        for name, by_language in rules.words.items()
    }
    places = rules.places.get(language.code, ())
    terms = (*_terms(rules, language.code), *((place.text, _entry(place)) for place in places if not _is_town(place)))
    vocabulary, towns = compile_vocabulary(language, terms), compile_towns(filter(_is_town, places))
    return LanguageRules(vocabulary, words, towns, compile_dates(language))


def _terms(rules: Rules, code: str) -> Iterator[tuple[str, Entry]]:
    for theme in rules.themes:
        yield from _labelled(theme.terms, code, entry=Entry("theme", theme.id))
    for region in rules.regions:
        yield from _labelled(region.terms, code, entry=Entry("region", region.id))
    for project in rules.projects:
        yield from _labelled(project.terms, code, entry=Entry("project", project.id))
    for cue, by_language in rules.cues.items():
        yield from _labelled(by_language, code, entry=Entry("cue", cue))


def _labelled(terms: Terms, code: str, *, entry: Entry) -> Iterator[tuple[str, Entry]]:
    for term in terms.get(code, ()):
        yield term, entry


def _is_town(place: PlaceName) -> bool:
    return place.sort in TOWN_SORTS


def _entry(place: PlaceName) -> Entry:
    return Entry("country", place.country, place.sort)
