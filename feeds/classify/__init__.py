"""Items → classification: themes, countries, regions, projects, kind and dates, each with the text that proves it.

Rules are data (``feeds.classify.rules``); ``compile_taxonomy`` makes them a ``Taxonomy``, ``classify`` applies it.
"""

from collections.abc import Iterable

from feeds.classify import projects as _projects
from feeds.classify.context import Reading
from feeds.classify.dates import find_dates
from feeds.classify.kinds import find_kind
from feeds.classify.places import find_places
from feeds.classify.rules import PlaceName, ProjectRule, RegionRule, Rules, Terms, ThemeRule
from feeds.classify.taxonomy import Taxonomy, compile_taxonomy
from feeds.classify.text import ItemText, Language, read_document
from feeds.classify.themes import find_themes
from feeds.model import Classification

__all__ = [
    "ItemText",
    "Language",
    "PlaceName",
    "ProjectRule",
    "RegionRule",
    "Rules",
    "Taxonomy",
    "Terms",
    "ThemeRule",
    "classify",
    "compile_taxonomy",
    "learn_projects",
]


def classify(text: ItemText, taxonomy: Taxonomy) -> Classification:
    """What an item is about, from its own title and summary. Any text has a classification."""
    reading = _read(text, taxonomy)
    projects = _projects.find_projects(reading, taxonomy)
    themes = find_themes(reading, taxonomy, projects=projects)
    countries, regions = find_places(reading, taxonomy, projects=projects)
    dates = find_dates(reading, text.day)
    kind, proof = find_kind(reading, has_deadline=dates.deadline is not None, is_dated=dates.event_dates is not None)
    proofs = (*themes.matches, *countries, *regions, *(project.match for project in projects))
    return Classification(
        themes=themes.codes,
        primary_theme=themes.primary,
        countries=tuple(match.label.partition(":")[2] for match in countries),
        regions=tuple(match.label.partition(":")[2] for match in regions),
        projects=tuple(project.name for project in projects),
        kind=kind,
        deadline=dates.deadline,
        event_dates=dates.event_dates,
        matches=(*proofs, *((proof,) if proof else ()), *dates.matches),
    )


def learn_projects(texts: Iterable[ItemText], taxonomy: Taxonomy) -> Taxonomy:
    """The taxonomy with the projects whose names these texts expand; see ``feeds.classify.projects``."""
    return _projects.learn_projects((_read(text, taxonomy) for text in texts if _may_expand(text)), taxonomy)


def _may_expand(text: ItemText) -> bool:
    return "(" in text.summary or "(" in (text.title or "")


def _read(text: ItemText, taxonomy: Taxonomy) -> Reading:
    rules = taxonomy.language_rules(text.language)
    document = read_document(text, rules.vocabulary.language)
    hits = [*rules.vocabulary.find(document), *rules.towns.find(document)]
    return Reading(document, rules, tuple(sorted(hits, key=lambda hit: (hit.start, -hit.end))))
