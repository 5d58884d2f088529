"""Themes: what an item is about or names as a topic, and which of them comes first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from feeds.classify.context import Reading, forward_scope, longest
from feeds.classify.mentions import Project
from feeds.classify.taxonomy import Taxonomy
from feeds.classify.terms import Hit
from feeds.model import GENERAL, Match

MAX_MINISTRY_WORDS = 9


@dataclass(frozen=True, slots=True)
class Themes:
    """Codes in the order of the taxonomy; ``primary`` is null where no theme leads."""

    codes: tuple[str, ...]
    primary: str | None
    matches: tuple[Match, ...]


def find_themes(reading: Reading, taxonomy: Taxonomy, *, projects: Iterable[Project]) -> Themes:
    """The themes of an item: named by a term outside names of organisations, or brought by a project."""
    hits = topic_hits(reading)
    texts = {hit.entry.code: reading.document.text[hit.start : hit.end] for hit in reversed(hits)}
    brought = [(theme, project.text) for project in projects for theme in taxonomy.project_themes.get(project.key, ())]
    for theme, text in brought:
        texts.setdefault(theme, text)
    codes = tuple(theme for theme in taxonomy.theme_ids if theme in texts)
    if not codes:
        return Themes((GENERAL,), GENERAL, ())
    primary = _primary(reading, hits, brought=[theme for theme, _ in brought], codes=codes)
    return Themes(codes, primary, tuple(Match(f"theme:{theme}", texts[theme]) for theme in codes))


def topic_hits(reading: Reading) -> list[Hit]:
    """Terms of themes that count.

    Not those inside a longer term of another theme, in a ministry's name, or in a sentence of background.
    """
    masks = {"organisation", "not_a_topic"}
    hits = longest(hit for hit in reading.hits if hit.entry.axis == "theme" or hit.entry.code in masks)
    hidden = {
        index
        for cue in reading.cues("ministry")
        for index in range(cue.last, min(cue.last + MAX_MINISTRY_WORDS, forward_scope(reading, cue).stop))
    }
    background = {reading.document.sentence_of(cue.start) for cue in reading.cues("background")}
    return [
        hit
        for hit in hits
        if hit.entry.axis == "theme"
        and hit.first not in hidden
        and reading.document.sentence_of(hit.start) not in background
    ]


def _primary(reading: Reading, hits: Sequence[Hit], *, brought: Sequence[str], codes: Sequence[str]) -> str | None:
    """The theme that leads: the only one, the title's, the main clause's, then by number and order."""
    if len(codes) == 1:
        return codes[0]
    in_title = _ordered(hit for hit in hits if reading.document.is_in_title(hit.start))
    if len(in_title) == 1:
        return in_title[0]
    in_clause = _ordered(_main_clause(reading, hits))
    if len(codes) == 2 and brought:
        return brought[0]
    leading = in_title or in_clause or list(dict.fromkeys(brought))
    if len(leading) == 1:
        return leading[0]
    if len(leading) == 2 or len(codes) == 2:
        return next((theme for theme in brought if theme in leading), leading[0])
    return _majority(reading, hits)


def _ordered(hits: Iterable[Hit]) -> list[str]:
    return list(dict.fromkeys(hit.entry.code for hit in hits))


def _main_clause(reading: Reading, hits: Sequence[Hit]) -> list[Hit]:
    """Hits of the first sentence below the title that names a topic."""
    below = [hit for hit in hits if not reading.document.is_in_title(hit.start)]
    if not below:
        return []
    sentence = reading.document.sentence_of(below[0].start)
    return [hit for hit in below if reading.document.sentence_of(hit.start) == sentence]


def _majority(reading: Reading, hits: Sequence[Hit]) -> str | None:
    """The theme with more than half of the topics, each wording counted once."""
    topics = {(hit.entry.code, " ".join(reading.word(i) for i in range(hit.first, hit.last))) for hit in hits}
    theme, count = Counter(code for code, _ in topics).most_common(1)[0]
    return theme if count * 2 > len(topics) else None
