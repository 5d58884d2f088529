"""Acronyms of projects that stand alone: which of them name a project, by the words around."""

import re
from collections.abc import Iterator, Sequence

from feeds.classify.context import Reading
from feeds.classify.mentions import ACRONYM, Expansion, Mention, mention_at
from feeds.classify.taxonomy import Taxonomy

MIN_TITLE_CAPITALS = 3
"""Capitals by which a title's word is an acronym and no person's name."""

_TOKEN = re.compile(rf"(?<![\w@/-]){ACRONYM}(?![\w@])")
_PHASE = re.compile(r"\w{4}\s(?:\d{1,2}|I{1,3}|IV|V)\Z")
"""A phase number behind an acronym: organisations have none."""


def acronym_mentions(reading: Reading, taxonomy: Taxonomy, *, expanded: Sequence[Expansion]) -> Iterator[Mention]:
    """Acronyms that the text uses as names of projects."""
    bodies = {expansion.mention.key for expansion in expanded if not expansion.is_project}
    named = {expansion.mention.key for expansion in expanded if expansion.is_project} | set(taxonomy.project_themes)
    for found in _TOKEN.finditer(reading.document.text):
        mention = _trimmed(reading, found, taxonomy=taxonomy)
        if mention is None or mention.key in bodies:
            continue
        if mention.key in named or _is_project(reading, mention, named=named):
            named.add(mention.key)
            yield _with_scope(reading, mention)


def _trimmed(reading: Reading, found: re.Match[str], *, taxonomy: Taxonomy) -> Mention | None:
    """The acronym without organisations printed beside it (``IOM BOMCA``); none where nothing is left."""
    text = reading.document.text
    start = found.start()
    parts = [(start + part.start(), start + part.end()) for part in re.finditer(r"\S+", found[0])]
    while parts and text[slice(*parts[0])].upper() in taxonomy.organisations:
        del parts[0]
    if not parts or _is_body(text[parts[0][0] : parts[-1][1]], taxonomy):
        return None
    return mention_at(text, parts[0][0], parts[-1][1])


def _is_body(acronym: str, taxonomy: Taxonomy) -> bool:
    """Whether every part of ``EU-AU`` or ``EU-Africa`` is a known organisation or a plain name."""
    parts = re.split(r"[-/\s]", acronym)
    return all(part.upper() in taxonomy.organisations or part.istitle() for part in parts)


def _is_project(reading: Reading, mention: Mention, *, named: set[str]) -> bool:
    document = reading.document
    first, last = document.word_at(mention.start), document.word_at(mention.end)
    if _has_project_word(reading, first, last=last) or _PHASE.search(document.text[mention.start : mention.end]):
        return True
    if _is_listed(reading, first, named=named):
        return True
    if document.is_in_title(mention.start) and _is_acronym_of_title(reading, mention):
        return True
    return _is_funded(reading, last) or _is_spelled_out(document.text, mention)


def _has_project_word(reading: Reading, first: int, *, last: int) -> bool:
    """``PROJECT project``, ``project PROJECT``, ``in the framework of PROJECT``."""
    if reading.rules.has("project_word", reading.word(last)) and not re.search(r"[.;:,()]", reading.gap(last)):
        return True
    gap = reading.gap(first)
    if re.search(r"[.;,(]", gap):
        return False
    before = first - 1
    if reading.rules.has("project_word", reading.word(before)):
        return True
    while reading.rules.has("article", reading.word(before)):
        before -= 1
    return any(cue.last - 1 == before for cue in reading.cues("project_frame"))


def _is_listed(reading: Reading, first: int, *, named: set[str]) -> bool:
    """Whether an accepted acronym and an ``and`` stand before: ``projects ONE and TWO``."""
    if not reading.rules.has("and", reading.word(first - 1)):
        return False
    return reading.printed(first - 2).casefold() in named


def _is_acronym_of_title(reading: Reading, mention: Mention) -> bool:
    document = reading.document
    title = document.text[: document.title_end]
    name = document.text[mention.start : mention.end]
    return not title.isupper() and sum(letter.isupper() for letter in name) >= MIN_TITLE_CAPITALS


def _is_funded(reading: Reading, last: int) -> bool:
    """``NAME West Africa, funded by …``: who pays is said of projects."""
    for cue in reading.cues("funded_by"):
        between = range(last, cue.first)
        if len(between) <= 2 and cue.first >= last and all(reading.printed(i)[0].isupper() for i in between):
            return reading.document.sentence_of(cue.start) == _sentence(reading, last - 1)
    return False


def _sentence(reading: Reading, index: int) -> int:
    words = reading.document.words
    return reading.document.sentence_of(words[index].start) if 0 <= index < len(words) else -1


def _with_scope(reading: Reading, mention: Mention) -> Mention:
    """The acronym with the region that belongs to its name before ``funded by``."""
    last = reading.document.word_at(mention.end)
    for cue in reading.cues("funded_by"):
        if last < cue.first <= last + 2 and _is_funded(reading, last) and reading.gap(last) == " ":
            return mention_at(reading.document.text, mention.start, reading.document.words[cue.first - 1].end)
    return mention


def _is_spelled_out(text: str, mention: Mention) -> bool:
    """Whether a mixed-case acronym's words stand in the text: ``CoPS`` for ``Centre of Practical Skills``."""
    acronym = text[mention.start : mention.end]
    if acronym.isupper() or not acronym.isalpha() or not 3 <= len(acronym) <= 8:
        return False
    return re.search(r"\s".join(rf"(?<!\w){letter}\w{{1,20}}" for letter in acronym), text) is not None
