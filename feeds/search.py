"""Feeds found by words: ``asile afrique`` means the feed of asylum in Africa."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from itertools import product

from feeds.criteria import Criteria

Names = Mapping[str, Collection[str]]
"""Code → its names in all languages."""

_WORD = re.compile(r"\w+")
_WORDS_MAX = 12
_SHORTEST_BEGINNING = 3
"""Shorter words, like "of", must be met whole."""
_FOUND_PER_AXIS_MAX = 12


def find_feeds(text: str, *, themes: Names, regions: Names, kinds: Names) -> list[Criteria]:
    """The feeds of at most one theme, region and kind that the words of the text name, the broadest first.

    A word is met by a name of which a word begins so, whatever its case and accents. Words that no name meets are
    passed over. Of the rest the feeds meet as many as any feed does, and have no label that no word asks for.
    """
    words = split_words(text)[:_WORDS_MAX]
    axes = [_met_by_label(words, names) for names in (themes, regions, kinds)]
    found = {
        (theme, region, kind): axes[0][theme] | axes[1][region] | axes[2][kind]
        for theme, region, kind in product(*axes)
    }
    most = max(len(met) for met in found.values())
    if not most:
        return []
    best = [labels for labels, met in found.items() if len(met) == most and _is_needed(labels, axes)]
    return [
        Criteria.of(*([label] if label else [] for label in labels[:2]), kinds=[labels[2]] if labels[2] else [])
        for labels in sorted(best, key=lambda labels: sum(map(bool, labels)))
    ]


def split_words(text: str) -> list[str]:
    """The distinct words of the text, without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return list(dict.fromkeys(_WORD.findall(plain)))


def _met_by_label(words: Sequence[str], names: Names) -> dict[str, frozenset[str]]:
    """For each label that some word means, these words; for no label, none."""
    met = {code: frozenset(_met_words(words, [code, *spellings])) for code, spellings in names.items()}
    by_most = sorted((code for code in met if met[code]), key=lambda code: -len(met[code]))
    return {"": frozenset(), **{code: met[code] for code in by_most[:_FOUND_PER_AXIS_MAX]}}


def _met_words(words: Sequence[str], names: Sequence[str]) -> list[str]:
    parts = {part for name in names for part in split_words(name)}
    return [word for word in words if any(_is_met(word, part) for part in parts)]


def _is_met(word: str, part: str) -> bool:
    return part.startswith(word) if len(word) >= _SHORTEST_BEGINNING else part == word


def _is_needed(labels: Sequence[str], axes: Sequence[Mapping[str, frozenset[str]]]) -> bool:
    """Whether each label meets a word that the others do not."""
    met = [axis[label] for axis, label in zip(axes, labels, strict=True)]
    others = [frozenset().union(*met[:place], *met[place + 1 :]) for place in range(len(met))]
    return all(not label or own - rest for label, own, rest in zip(labels, met, others, strict=True))
