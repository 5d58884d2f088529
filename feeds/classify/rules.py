"""The form of rules: what a taxonomy is written in. All of it is data; ``compile_taxonomy`` makes it fast."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Terms = Mapping[str, tuple[str, ...]]
"""Terms by language. A term is words in any inflection; ``word*`` (last word only) any word that begins so;
``a & b`` both in one sentence; a term in capitals is met in capitals only."""

PlaceSort = Literal["name", "demonym", "tongue", "area", "capital", "city"]
"""``tongue`` is a demonym that also names a language; ``area`` a part of a country."""


@dataclass(frozen=True, slots=True)
class ThemeRule:
    """A theme, its name in each interface language, and the terms that name it as a topic."""

    id: str
    title: Mapping[str, str]
    terms: Terms = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegionRule:
    """A region: the countries that make it and the terms that name it as a whole."""

    id: str
    title: Mapping[str, str]
    countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2."""
    terms: Terms = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProjectRule:
    """A dialogue or programme that everyone in the field knows, with what its name alone says."""

    id: str
    terms: Terms
    themes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A name by which a text can mean a country."""

    text: str
    country: str
    sort: PlaceSort


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that is compiled into a taxonomy."""

    themes: tuple[ThemeRule, ...]
    regions: tuple[RegionRule, ...]
    projects: tuple[ProjectRule, ...] = ()
    places: Mapping[str, tuple[PlaceName, ...]] = field(default_factory=dict)
    """Names of places by language."""
    cues: Mapping[str, Terms] = field(default_factory=dict)
    """By name of the cue, then by language: the words around a label that decide over it (``data/cues.toml``)."""
    words: Mapping[str, Terms] = field(default_factory=dict)
    """Lists of single words that are looked at around a label (prepositions, titles of persons …)."""
    organisations: frozenset[str] = frozenset()
    """Acronyms of organisations: never a project."""
