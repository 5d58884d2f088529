"""Words around a label that decide whether it counts: donors, offices, ministries, datelines."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from feeds.classify.taxonomy import LanguageRules
from feeds.classify.terms import Hit
from feeds.classify.text import Document

MAX_SCOPE = 12
"""Words that a cue can reach over."""

_STOP = re.compile(r"[.;:!?–—]|\s-\s")
_DATELINE = re.compile(r"\([^()\n]{2,40}\)|[^\n–—!?]{2,60}?\s[–—-]\s|[^\n–—!?,]{2,25}?\s?[–—]\s?")


@dataclass(frozen=True, slots=True)
class Reading:
    """A document with all terms found in it."""

    document: Document
    rules: LanguageRules
    hits: tuple[Hit, ...]

    def of(self, axis: str) -> list[Hit]:
        return [hit for hit in self.hits if hit.entry.axis == axis]

    def cues(self, *names: str) -> list[Hit]:
        return [hit for hit in self.hits if hit.entry.axis == "cue" and hit.entry.code in names]

    def word(self, index: int) -> str:
        """The normal form of the word at an index; empty outside the text."""
        words = self.document.words
        return words[index].normal if 0 <= index < len(words) else ""

    def printed(self, index: int) -> str:
        words = self.document.words
        return self.document.text[words[index].start : words[index].end] if 0 <= index < len(words) else ""

    def gap(self, index: int) -> str:
        """What stands between the word at an index and the word before it."""
        words = self.document.words
        if not 0 < index < len(words):
            return "\n"
        return self.document.text[words[index - 1].end : words[index].start]


def longest(hits: Iterable[Hit]) -> list[Hit]:
    """Hits that are not part of a longer one; of equal ones, all."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.first, -hit.last)):
        if kept and _is_inside_longer(hit, kept[-1]):
            continue
        kept.append(hit)
    return kept


def _is_inside_longer(hit: Hit, other: Hit) -> bool:
    if hit.first >= other.last or hit.length == other.length:
        return False
    return hit.last <= other.last or hit.first > other.first


def forward_scope(reading: Reading, cue: Hit) -> range:
    """The words that a cue in front of them speaks about: ``funded by`` → ``the Government of …``."""
    last = cue.last
    limit = min(len(reading.document.words), cue.last + MAX_SCOPE)
    while last < limit and _continues(reading, last, is_first=last == cue.last):
        last += 1
    return range(cue.last, last)


def _continues(reading: Reading, index: int, *, is_first: bool) -> bool:
    gap = reading.gap(index)
    if reading.rules.has("scope_end", reading.word(index)):
        return False
    if (_STOP.search(gap) and not (is_first and ":" in gap)) or "\n" in gap:
        return False
    if "," in gap and not _is_in_list(reading, index):
        return False
    if reading.rules.vocabulary.language.code != "en":
        return True
    return reading.printed(index)[0].isupper() or reading.rules.has("connector", reading.word(index))


def _is_in_list(reading: Reading, index: int) -> bool:
    """Whether a name after a comma is followed by another comma or an ``and``: it goes on a list."""
    if not reading.printed(index)[:1].isupper():
        return False
    return any("," in reading.gap(after) or reading.rules.has("and", reading.word(after)) for after in _next(index))


def _next(index: int) -> range:
    return range(index + 1, index + 4)


def backward_scope(reading: Reading, cue: Hit) -> range:
    """The names in front of a cue: ``Swiss and German`` before ``co-funded``."""
    first = cue.first
    while first > max(0, cue.first - 6) and _precedes(reading, first):
        first -= 1
    return range(first, cue.first)


def _precedes(reading: Reading, index: int) -> bool:
    gap = reading.gap(index)
    if _STOP.search(gap) or "\n" in gap or "(" in gap:
        return False
    if reading.rules.has("and", reading.word(index - 1)):
        return True
    return reading.printed(index - 1)[0].isupper() or any(
        hit.entry.sort in {"demonym", "tongue"} and hit.last == index for hit in reading.of("country")
    )


def dateline(document: Document) -> range:
    """Character range of a press dateline (``GENEVA – …``, ``(Rome/ab) …``) at the head of the summary."""
    begin = document.title_end + 1 if document.title_end else 0
    found = _DATELINE.match(document.text, begin)
    return range(begin, found.end()) if found else range(0)
