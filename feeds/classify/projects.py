"""Projects: named programmes, facilities, dialogues and cooperation frameworks, and the themes their names bring."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from feeds.classify.acronyms import acronym_mentions
from feeds.classify.context import Reading
from feeds.classify.mentions import Expansion, Mention, Project, expansions, named_mentions
from feeds.classify.taxonomy import Taxonomy, fold
from feeds.classify.themes import topic_hits


def find_projects(reading: Reading, taxonomy: Taxonomy) -> tuple[Project, ...]:
    """Every named project once, in the order of the text."""
    projects: dict[str, Project] = {}
    for mention in sorted(_mentions(reading, taxonomy), key=lambda mention: (mention.start, -mention.end)):
        text = reading.document.text[mention.start : mention.end]
        projects.setdefault(mention.key, Project(text, mention.key, text))
    return tuple(projects.values())


def learn_projects(readings: Iterable[Reading], taxonomy: Taxonomy) -> Taxonomy:
    """The taxonomy with the themes of projects whose names these texts expand (``“Return Skills Fund” (RSF)``).

    A project brings its theme wherever it is named: texts that print only the acronym gain from others. What is
    known already stays.
    """
    themes = dict(taxonomy.project_themes)
    for reading in readings:
        for expansion in expansions(reading, taxonomy):
            if expansion.is_project:
                themes.setdefault(expansion.mention.key, _topics(reading, expansion))
    return replace(taxonomy, project_themes=themes)


def _topics(reading: Reading, expansion: Expansion) -> tuple[str, ...]:
    """The themes of a project's name, in its order."""
    return tuple(dict.fromkeys(hit.entry.code for hit in topic_hits(reading) if hit.start in expansion.name))


def _mentions(reading: Reading, taxonomy: Taxonomy) -> Iterator[Mention]:
    expanded = expansions(reading, taxonomy)
    projects = [expansion for expansion in expanded if expansion.is_project]
    names = [expansion.name for expansion in projects]
    yield from (expansion.mention for expansion in projects)
    yield from acronym_mentions(reading, taxonomy, expanded=expanded)
    for mention in (*_known(reading), *named_mentions(reading)):
        if not any(mention.start in name for name in names):
            yield mention


def _known(reading: Reading) -> Iterator[Mention]:
    for hit in reading.of("project"):
        yield Mention(hit.start, hit.end, fold(hit.entry.code))
