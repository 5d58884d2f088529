"""Countries and regions: which names of places say where an item belongs."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from feeds.classify.context import Reading, longest
from feeds.classify.exclusions import excluded_regions, excluded_settlements, excluded_words
from feeds.classify.mentions import Project
from feeds.classify.taxonomy import Taxonomy
from feeds.classify.terms import Hit
from feeds.classify.towns import TOWN_SORTS
from feeds.model import GLOBAL, Match

_RANK = {"name": 0, "demonym": 1, "tongue": 1, "area": 2, "capital": 3, "city": 4}
_WORLD_FIGURE = re.compile(r"\d\s?(?:m\b|million|billion|млн|миллион|milliard)|\d{1,3}[ ,.\u00a0]\d{3}[ ,.\u00a0]\d{3}")

_WORLD_COUNT = re.compile(
    r"(?<![\d.,])(?:[6-9]\d|1\d\d)\s(?:countries|(?:member\s)?states|nations|pays|états|стран|государств)(?!\w)",
    re.IGNORECASE,
)
"""More countries than the largest regional body has."""


def find_places(
    reading: Reading, taxonomy: Taxonomy, *, projects: Iterable[Project]
) -> tuple[tuple[Match, ...], tuple[Match, ...]]:
    """Countries in alphabetical order and regions in the order of the taxonomy, a match each."""
    accepted = _accepted(reading)
    countries: dict[str, Match] = {}
    for hit in accepted:
        if hit.entry.axis == "country":
            countries.setdefault(hit.entry.code, Match(f"country:{hit.entry.code}", _printed(reading, hit)))
    regions: dict[str, Match] = {}
    for region, text in _region_texts(reading, taxonomy, accepted=accepted, projects=projects):
        regions.setdefault(region, Match(f"region:{region}", text))
    ordered = tuple(regions[region] for region in taxonomy.region_ids if region in regions)
    return tuple(countries[code] for code in sorted(countries)), ordered


def _region_texts(
    reading: Reading, taxonomy: Taxonomy, *, accepted: Iterable[Hit], projects: Iterable[Project]
) -> Iterator[tuple[str, str]]:
    for hit in accepted:
        text = _printed(reading, hit)
        if hit.entry.axis == "region":
            yield hit.entry.code, text
        for region in taxonomy.regions_of.get(hit.entry.code, ()):
            yield region, text
    for project in projects:
        for region in taxonomy.project_regions.get(project.key, ()):
            yield region, project.text
    yield from ((GLOBAL, text) for text in _world_days(reading))
    yield from ((GLOBAL, found[0]) for found in _WORLD_COUNT.finditer(reading.document.text))


def _world_days(reading: Reading) -> Iterator[str]:
    """World days where the item gives a figure of millions: they speak of the whole world."""
    if _WORLD_FIGURE.search(reading.document.text):
        yield from (_printed(reading, hit) for hit in reading.cues("world_day"))


def _printed(reading: Reading, hit: Hit) -> str:
    return reading.document.text[hit.start : hit.end]


def _accepted(reading: Reading) -> list[Hit]:
    """The places and regions that count, in the order of the text."""
    nowhere, no_towns, no_regions = excluded_words(reading), excluded_settlements(reading), excluded_regions(reading)
    accepted: list[Hit] = []
    for hit in _places(reading):
        words = range(hit.first, hit.last)
        excluded = nowhere
        if hit.entry.sort in TOWN_SORTS:
            excluded |= no_towns
        elif hit.entry.axis == "region":
            excluded |= no_regions
        if excluded.isdisjoint(words) and (hit.entry.sort != "city" or _is_located(reading, hit, accepted=accepted)):
            accepted.append(hit)
    return _without_partners(reading, accepted)


def _without_partners(reading: Reading, accepted: list[Hit]) -> list[Hit]:
    """Places without the far half of ``North-South Cooperation`` where the item is otherwise about the near half."""
    pairs = [(left, right) for left, right in pairwise(accepted) if _is_partnership(reading, left, right=right)]
    paired = {id(hit) for pair in pairs for hit in pair}
    elsewhere = {hit.entry.code for hit in accepted if id(hit) not in paired}
    far = {id(hit) for pair in pairs for hit in pair if any(near.entry.code in elsewhere for near in pair)}
    return [hit for hit in accepted if id(hit) not in far]


def _is_partnership(reading: Reading, left: Hit, *, right: Hit) -> bool:
    if left.last != right.first or reading.gap(right.first) not in {"-", "–"}:
        return False
    return reading.rules.has("project_noun", reading.word(right.last)) and reading.printed(right.last)[0].isupper()


def _places(reading: Reading) -> list[Hit]:
    """Names of places that are no part of a longer name, one for each stretch of text."""
    masks = ("not_a_place", "organisation")
    named = longest(
        hit for hit in reading.hits if hit.entry.axis in {"country", "region", "project"} or hit.entry.code in masks
    )
    best: dict[tuple[int, int], Hit] = {}
    for hit in named:
        if hit.entry.axis not in {"country", "region"}:
            best[hit.first, hit.last] = hit
            continue
        other = best.setdefault((hit.first, hit.last), hit)
        if _rank(hit) < _rank(other):
            best[hit.first, hit.last] = hit
    return [hit for hit in best.values() if hit.entry.axis in {"country", "region"}]


def _rank(hit: Hit) -> int:
    return _RANK.get(hit.entry.sort, 0) if hit.entry.axis == "country" else -1


def _is_located(reading: Reading, hit: Hit, *, accepted: list[Hit]) -> bool:
    """Whether a town's name stands where a place stands: behind a preposition, in a list of places, before a colon.

    Towns share their names with persons and common words; capitals and countries are taken without this.
    """
    before = hit.first - 1
    if reading.rules.has("locative", reading.word(before)) and not _is_sentence_head(reading, hit.first):
        return True
    if accepted and accepted[-1].last >= before - 1 and _is_joined(reading, hit.first):
        return True
    return hit.start == 0 and reading.gap(hit.last).lstrip().startswith(":")


def _is_sentence_head(reading: Reading, index: int) -> bool:
    gap = reading.gap(index)
    return bool(re.search(r"[.!?\n;]", gap))


def _is_joined(reading: Reading, index: int) -> bool:
    is_and = reading.rules.has("and", reading.word(index - 1))
    return is_and or "," in reading.gap(index) or reading.gap(index) in {"/", "-", "–"}
