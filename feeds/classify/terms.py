"""Finding the terms of all rules in a document in one pass (Aho-Corasick over normal forms)."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import ahocorasick

from feeds.classify.text import Document, Language, split_words

_BREAK = "|"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a term stands for: ``theme``/``asylum``, ``country``/``MD``, ``cue``/``donor`` …"""

    axis: str
    code: str
    sort: str = ""


class Hit(NamedTuple):
    """An entry found: half-open word and character ranges."""

    entry: Entry
    first: int
    last: int
    start: int
    end: int

    @property
    def length(self) -> int:
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class _Pattern:
    entry: Entry
    count: int
    case: str
    """"" (any), "title" (a capital first) or "upper" (as acronyms are printed)."""
    partner: str = ""
    """The key of the other half of an ``a & b`` term."""
    half: str = ""


@dataclass(frozen=True)
class Vocabulary:
    """All terms of one language, compiled."""

    language: Language
    _automaton: Any  # pyahocorasick ships no types
    """Key → list of patterns."""

    def find(self, document: Document) -> list[Hit]:
        """Every term in the document, overlaps included, in no order."""
        found: list[tuple[Hit, _Pattern]] = []
        text, offsets = _normal_text(document)
        for end, patterns in self._automaton.iter(text):
            index = bisect_right(offsets, end - 1) - 1
            found.extend(_located(document, index, patterns))
        return _without_halves(document, found)


def compile_vocabulary(language: Language, terms: Iterable[tuple[str, Entry]]) -> Vocabulary:
    """The vocabulary of one language; a term without a word is passed over."""
    patterns: dict[str, list[_Pattern]] = {}
    for term, entry in terms:
        for key, pattern in _patterns(term, entry, language=language):
            patterns.setdefault(key, []).append(pattern)
    automaton = ahocorasick.Automaton()
    for key, values in patterns.items():
        automaton.add_word(key, tuple(dict.fromkeys(values)))
    automaton.add_word(f" {_BREAK}{_BREAK} ", ())
    automaton.make_automaton()
    return Vocabulary(language, automaton)


def _patterns(term: str, entry: Entry, *, language: Language) -> list[tuple[str, _Pattern]]:
    keys = [_key(part, language) for part in term.split("&")]
    if not all(key for key, _ in keys):
        return []
    case = _case(term, entry, language=language)
    if len(keys) == 1:
        return [(key, _Pattern(entry, count, case)) for key, count in keys]
    (one, one_count), (two, two_count) = keys[:2]
    return [(one, _Pattern(entry, one_count, "", two, one)), (two, _Pattern(entry, two_count, "", one, two))]


def _key(term: str, language: Language) -> tuple[str, int]:
    """`` stem stem `` for whole words, `` stem begin`` where the last word is open."""
    text = term.strip()
    if text.endswith("*"):
        *whole, last = text[:-1].split()
        words = [word.normal for word in split_words(" ".join(whole), language)]
        return " ".join(["", *words, last.lower()]), len(words) + 1
    words = [word.normal for word in split_words(text, language)]
    return (" ".join(["", *words, ""]) if words else ""), len(words)


def _case(term: str, entry: Entry, *, language: Language) -> str:
    if len(term) > 1 and term.isupper():
        return "upper"
    is_lower_name = entry.sort in {"demonym", "tongue"} and not language.are_demonyms_capitalised
    return "title" if entry.axis == "country" and not is_lower_name else ""


def _normal_text(document: Document) -> tuple[str, list[int]]:
    """The words' normal forms between single spaces, sentences parted, and the offset of each word in it."""
    parts, offsets, position = [""], [], 1
    breaks = iter((*document.breaks, len(document.text) + 1))
    until = next(breaks)
    for start, _, normal in document.words:
        if start >= until:
            until = next(stop for stop in breaks if stop > start)
            parts.append(_BREAK)
            position += 2
        parts.append(normal)
        offsets.append(position)
        position += len(normal) + 1
    parts.append("")
    return " ".join(parts), offsets


def _located(document: Document, index: int, patterns: tuple[_Pattern, ...]) -> list[tuple[Hit, _Pattern]]:
    found = []
    for pattern in patterns:
        first = index - pattern.count + 1
        start, end = document.words[first].start, document.words[index].end
        if _is_case_met(document.text[start:end], pattern.case):
            found.append((Hit(pattern.entry, first, index + 1, start, end), pattern))
    return found


def _is_case_met(text: str, case: str) -> bool:
    if case == "upper":
        return text.isupper()
    return not case or text[0].isupper()


def _without_halves(document: Document, found: list[tuple[Hit, _Pattern]]) -> list[Hit]:
    """Hits without those of an ``a & b`` term whose other half is not in the same sentence."""
    halves = {(pattern.half, document.sentence_of(hit.start)) for hit, pattern in found if pattern.half}
    return [
        hit
        for hit, pattern in found
        if not pattern.partner or (pattern.partner, document.sentence_of(hit.start)) in halves
    ]
