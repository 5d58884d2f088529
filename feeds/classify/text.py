"""An item's text as words in their normal form, with the way back to the printed text."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

MAX_TITLE = 1_000
MAX_SUMMARY = 10_000
"""Characters that are read; what stands beyond them labels nothing."""

_WORD = re.compile(r"[^\W_]+")
_POSSESSIVES = frozenset({"s", "S"})
_ELISIONS = frozenset({"l", "d", "j", "m", "t", "s", "n", "c", "qu"})
_APOSTROPHES = "'’ʼ"
_SENTENCE_END = re.compile(r"[.!?…][\"”»’)\]]*\s+(?=[\"“«(\[]?[^\W\d_a-zа-яё])|[;\n]")
_ABBREVIATIONS = frozenset({"mr", "mrs", "ms", "dr", "prof", "st", "no", "mme", "m", "г", "гг", "им", "см"})


@dataclass(frozen=True, slots=True)
class ItemText:
    """What of an item is classified."""

    title: str | None
    summary: str
    day: date | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """What the rules must know of a language."""

    code: str
    normal: Callable[[str], str]
    """Lower-case word → its normal form (lemma or stem), the same for rules and text."""
    months: Mapping[str, int]
    """Names as dates print them, lower case, with abbreviations."""
    are_demonyms_capitalised: bool = False


class Word(NamedTuple):
    """A word with its place in the text. A tuple, since every item makes a hundred of them."""

    start: int
    end: int
    normal: str

    @property
    def is_cyrillic(self) -> bool:
        return bool(self.normal) and "а" <= self.normal[0] <= "ё"


@dataclass(frozen=True)
class Document:
    """Title and summary as one text. The title, where there is one, is the first line."""

    text: str
    title_end: int
    """Offset behind the title; 0 where there is none."""
    words: tuple[Word, ...]
    breaks: tuple[int, ...]
    """Offsets at which a new sentence begins, ascending."""

    @cached_property
    def starts(self) -> tuple[int, ...]:
        return tuple(word.start for word in self.words)

    def word_at(self, offset: int) -> int:
        """The index of the first word that begins at or behind this offset."""
        return bisect_left(self.starts, offset)

    def sentence_of(self, offset: int) -> int:
        """The number of the sentence that holds this offset; the title's first sentence is 0."""
        return bisect_right(self.breaks, offset)

    def is_in_title(self, offset: int) -> bool:
        return offset < self.title_end


def read_document(item: ItemText, language: Language) -> Document:
    """The text of an item, cut to what is read, as words and sentences."""
    title = (item.title or "")[:MAX_TITLE]
    text = f"{title}\n{item.summary[:MAX_SUMMARY]}" if title else item.summary[:MAX_SUMMARY]
    words = tuple(split_words(text, language))
    return Document(text, len(title), words, tuple(_breaks(text, len(title))))


def split_words(text: str, language: Language) -> list[Word]:
    """The words of a text. ``'s`` and elided articles (``l'``, ``d'``) are no words of their own."""
    normal = language.normal
    spans = [found.span() for found in _WORD.finditer(text)]
    return [
        Word(start, end, normal(text[start:end].lower()))
        for start, end in spans
        if end - start > 2 or not _is_clitic(text, start, end)
    ]


def _is_clitic(text: str, start: int, end: int) -> bool:
    word = text[start:end]
    if word in _POSSESSIVES and start and text[start - 1] in _APOSTROPHES:
        return True
    return word.lower() in _ELISIONS and end < len(text) and text[end] in _APOSTROPHES


def _breaks(text: str, title_end: int) -> list[int]:
    breaks = [found.end() for found in _SENTENCE_END.finditer(text) if not _is_abbreviation(text, found.start())]
    if title_end:
        breaks.append(title_end + 1)
    return sorted(set(breaks))


def _is_abbreviation(text: str, stop: int) -> bool:
    if text[stop] != ".":
        return False
    before = re.search(r"[^\W\d_]{1,4}$", text[max(0, stop - 5) : stop])
    return before is not None and (before.group().lower() in _ABBREVIATIONS or len(before.group()) == 1)
