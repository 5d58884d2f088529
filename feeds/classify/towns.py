"""Towns: thousands of names that have no inflection worth a stem, looked up by the word as printed."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from feeds.classify.rules import PlaceName
from feeds.classify.terms import Entry, Hit
from feeds.classify.text import Document

TOWN_SORTS = frozenset({"capital", "city"})


@dataclass(frozen=True, slots=True)
class Towns:
    """Towns of one language by folded name."""

    entries: Mapping[str, Entry]
    heads: Mapping[str, int]
    """First word of a name → words of the longest name that begins so."""

    def find(self, document: Document) -> Iterator[Hit]:
        """Towns in the text, the longest name at each capital letter."""
        for index, word in enumerate(document.words):
            if document.text[word.start].isupper():
                hit = self._longest(document, index)
                if hit:
                    yield hit

    def _longest(self, document: Document, first: int) -> Hit | None:
        longest = max(self.heads.get(spelling, 0) for spelling in _spellings(document, first))
        for count in range(min(longest, len(document.words) - first), 0, -1):
            for name in _names(document, first, count=count):
                entry = self.entries.get(name)
                if entry:
                    return _hit(document, entry, first=first, last=first + count)
        return None


def compile_towns(places: Iterable[PlaceName]) -> Towns:
    """Towns by name; the first of two with one name stays."""
    entries: dict[str, Entry] = {}
    for place in places:
        name = fold_name(place.text).replace("'", " ").replace("’", " ").replace("-", " ")
        entries.setdefault(" ".join(name.split()), Entry("country", place.country, place.sort))
    heads: dict[str, int] = {}
    for name in entries:
        words = name.split(" ")
        heads[words[0]] = max(heads.get(words[0], 0), len(words))
    return Towns(entries, heads)


def fold_name(text: str) -> str:
    """Lower case without accents; ``й`` stays itself."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.lower().replace("й", "\0"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter)).replace("\0", "й")


def _spellings(document: Document, index: int) -> tuple[str, ...]:
    """A word as printed and, in Russian, its nominative."""
    word = document.words[index]
    printed = fold_name(document.text[word.start : word.end])
    return (printed, fold_name(word.normal)) if word.is_cyrillic else (printed,)


def _names(document: Document, first: int, *, count: int) -> list[str]:
    """The names that so many words can spell; none where punctuation parts them."""
    if count == 1:
        return list(_spellings(document, first))
    words = document.words[first : first + count]
    gaps = {document.text[left.end : right.start] for left, right in pairwise(words)}
    if not gaps <= {" ", "-", "'", "’", ". ", "\u00a0"}:
        return []
    head = "".join(fold_name(document.text[word.start : word.end]) + " " for word in words[:-1])
    return [head + last for last in _spellings(document, first + count - 1)]


def _hit(document: Document, entry: Entry, *, first: int, last: int) -> Hit | None:
    """The hit; none for capitals throughout, which are an acronym unless they name a capital city."""
    start, end = document.words[first].start, document.words[last - 1].end
    is_acronym = document.text[start:end].isupper() and entry.sort != "capital"
    return None if is_acronym else Hit(entry, first, last, start, end)
