"""What the classifier must know of English, French and Russian: normal forms of words, names of months."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache

from babel import Locale

from feeds.classify import Language

CLASSIFIED = ("en", "fr", "ru")
"""Languages that have rules. The first reads texts in all others."""

CACHED_WORDS = 50_000


@cache
def languages() -> dict[str, Language]:
    """The languages that are classified, by code. Stemmers load at their first word."""
    return {
        "en": Language("en", lru_cache(CACHED_WORDS)(english_normal), months("en"), are_demonyms_capitalised=True),
        "fr": Language("fr", lru_cache(CACHED_WORDS)(french_normal), months("fr")),
        "ru": Language("ru", lru_cache(CACHED_WORDS)(russian_normal), months("ru")),
    }


def rules_language(tag: str) -> str:
    """The code of the rules by which a text of this language tag is read."""
    code = tag.lower().partition("-")[0]
    return code if code in CLASSIFIED else CLASSIFIED[0]


def months(code: str) -> dict[str, int]:
    """Names of months as dates print them, lower case: wide, abbreviated, with and without a full stop."""
    names: dict[str, int] = {}
    locale = Locale(code)
    for width in ("wide", "abbreviated"):
        for number, name in locale.months["format"][width].items():
            names.setdefault(name.lower().rstrip("."), number)
    return names | ({"sept": 9} if code == "en" else {})


def english_normal(word: str) -> str:
    """The singular, without accents. Stems would not do: they make one word of ``integration`` and ``integrity``."""
    word = _without_accents(word)
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


def french_normal(word: str) -> str:
    """The Snowball stem, without accents."""
    return _without_accents(_french_stemmer()(word))


def russian_normal(word: str) -> str:
    """The lemma, ``ё`` as ``е``."""
    if not word.isalpha() or word.isascii():
        return word
    return _russian_lemma()(word).replace("ё", "е")


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    return "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))


@cache
def _french_stemmer() -> Callable[[str], str]:
    import snowballstemmer  # noqa: PLC0415 - a fifth of a second, for French text only

    stem: Callable[[str], str] = snowballstemmer.stemmer("french").stemWord
    return stem


_CYRILLIC = re.compile("[\u0400-\u04ff]")
_NAMED = re.compile("[\0-\u2fff]*")


@cache
def _russian_lemma() -> Callable[[str], str]:
    import pymorphy3  # noqa: PLC0415 - loads a dictionary, for Russian text only

    analyser = pymorphy3.MorphAnalyzer(lang="ru")

    def lemma(word: str) -> str:
        if not _CYRILLIC.search(word) or not _NAMED.fullmatch(word):
            return word.lower()  # the library raises for letters that Unicode has no name for
        form: str = analyser.parse(word)[0].normal_form
        return form

    return lemma
