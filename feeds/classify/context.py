"""Words around a label that decide whether it counts: donors, offices, ministries, datelines."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from feeds.classify.taxonomy import LanguageRules
from feeds.classify.terms import Hit
from feeds.classify.text import Document

MAX_SCOPE = 20
"""Words that a cue can reach over."""

NEAR = 12
"""Words over which a word still belongs to another: a noun to the verb of what was done with it."""

_STOP = re.compile(r"[.;:!?–—]|\s-\s")
_DATELINE = re.compile(r"\([^()\n]{2,40}\)|[^\n–—!?]{2,60}?\s[–—-]\s|[^\n–—!?,]{2,25}?\s?[–—]\s?")


@dataclass(frozen=True)
class Reading:
    """A document with all terms found in it."""

    document: Document
    rules: LanguageRules
    hits: tuple[Hit, ...]
    """In the order of the text, the longer first."""

    @cached_property
    def _by_axis(self) -> Mapping[str, list[Hit]]:
        """Hits by axis; those of cues by the cue's name."""
        groups: defaultdict[str, list[Hit]] = defaultdict(list)
        for hit in self.hits:
            groups[f"cue:{hit.entry.code}" if hit.entry.axis == "cue" else hit.entry.axis].append(hit)
        return groups

    def of(self, axis: str) -> list[Hit]:
        return self._by_axis.get(axis, [])

    def cues(self, *names: str) -> list[Hit]:
        """Hits of these cues, in the order of the text."""
        if len(names) == 1:
            return self._by_axis.get(f"cue:{names[0]}", [])
        hits = [hit for name in names for hit in self._by_axis.get(f"cue:{name}", ())]
        return sorted(hits, key=lambda hit: hit.start)

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
    is_inside = any(reading.rules.has(words, reading.word(index)) for words in ("connector", "project_word"))
    return is_inside or not reading.printed(index)[0].islower()


def _is_in_list(reading: Reading, index: int) -> bool:
    """Whether a name after a comma is followed by another comma or an ``and``: it goes on a list."""
    if not reading.printed(index)[:1].isupper():
        return False
    return any("," in reading.gap(after) or reading.rules.has("and", reading.word(after)) for after in _next(index))


def _next(index: int) -> range:
    return range(index + 1, index + 4)


def clause(reading: Reading, cue: Hit) -> range:
    """The words behind a cue up to the next punctuation."""
    last = cue.last
    while last < cue.last + NEAR and reading.gap(last) in {" ", "-", "’", "'", "\u00a0"}:
        last += 1
    return range(cue.last, last)


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
