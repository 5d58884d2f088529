"""Places that are named without the item being about them: donors, offices, aggressors, languages, persons."""

from collections.abc import Iterator

from feeds.classify.context import Reading, backward_scope, clause, dateline, forward_scope
from feeds.classify.terms import Hit
from feeds.classify.towns import TOWN_SORTS

_CURRENCIES = frozenset("$€£")

MAX_INSTRUMENT_GAP = 2
"""Words between ``Convention`` and its town: ``Convention de Genève``."""


def excluded_words(reading: Reading) -> frozenset[int]:
    """The words that are no place of the item, whatever they name."""
    return frozenset(_excluded(reading))


def excluded_regions(reading: Reading) -> frozenset[int]:
    """The words that are no region of the item: the EU as donor, partner or benchmark."""
    before = (index for cue in reading.cues("benchmark_before") for index in range(cue.first - 1, cue.first))
    after = (index for cue in reading.cues("benchmark_after") for index in forward_scope(reading, cue))
    return frozenset((*before, *after))


def excluded_settlements(reading: Reading) -> frozenset[int]:
    """The words that are no place of the item if they name a town: datelines, conventions, offices."""
    return frozenset(_excluded_settlements(reading))


def _excluded(reading: Reading) -> Iterator[int]:
    for cue in reading.cues("donor_after", "office_after", "aggression_after"):
        yield from forward_scope(reading, cue)
    for cue in reading.cues("donor_before", "office_before", "aggression_before"):
        yield from backward_scope(reading, cue)
    yield from _former_posts(reading)
    yield from _languages(reading)
    for hit in reading.of("country"):
        is_money = reading.document.text[hit.end : hit.end + 1] in _CURRENCIES
        if hit.length == 1 and (is_money or _is_person(reading, hit)):
            yield hit.first


def _excluded_settlements(reading: Reading) -> Iterator[int]:
    span = dateline(reading.document)
    towns = [hit for hit in reading.of("country") if hit.entry.sort in TOWN_SORTS]
    if any(hit.start - span.start <= 1 for hit in towns if hit.start in span):
        yield from (hit.first for hit in towns if hit.start in span)
    for cue in reading.cues("instrument"):
        if reading.document.text[cue.start].isupper() or reading.rules.vocabulary.language.code == "ru":
            yield from range(cue.first - 1, cue.first)
            yield from range(cue.last, cue.last + MAX_INSTRUMENT_GAP)


def _former_posts(reading: Reading) -> Iterator[int]:
    """Where somebody who is appointed worked before."""
    if reading.cues("appointment", "appointing", "appointed"):
        for cue in reading.cues("former_post"):
            yield from clause(reading, cue)


def _languages(reading: Reading) -> Iterator[int]:
    """Names of languages: ``in English, Russian and Czech``, but not ``in Czech schools``."""
    tongues = {hit.first: hit for hit in reading.of("country") if hit.length == 1 and _is_tongue(reading, hit)}
    for index in tongues:
        if reading.rules.has("in_language", reading.word(_run_start(reading, tongues, index) - 1)):
            yield from _language_run(reading, tongues, index)
        if reading.rules.has("language", reading.word(index + 1)) or reading.rules.has(
            "language", reading.word(index - 1)
        ):
            yield index


def _is_tongue(reading: Reading, hit: Hit) -> bool:
    """Whether a hit can name a language; with a capital it does so only where such names have one."""
    are_capitalised = reading.rules.vocabulary.language.are_demonyms_capitalised
    return hit.entry.sort == "tongue" and reading.document.text[hit.start].isupper() == are_capitalised


def _run_start(reading: Reading, tongues: dict[int, Hit], index: int) -> int:
    """The first word of an enumeration of languages."""
    first = index
    for before in range(index - 1, max(-1, index - 12), -1):
        if before in tongues or reading.rules.has("tongue", reading.word(before)):
            first = before
        elif not reading.rules.has("and", reading.word(before)):
            break
    return first


def _language_run(reading: Reading, tongues: dict[int, Hit], index: int) -> Iterator[int]:
    run = [index]
    after = index + 1
    while after in tongues or any(reading.rules.has(words, reading.word(after)) for words in ("and", "tongue")):
        if after in tongues:
            run.append(after)
        after += 1
    is_noun_next = reading.gap(after).isspace() and "\n" not in reading.gap(after)
    if not is_noun_next or any(reading.rules.has(words, reading.word(after)) for words in ("scope_end", "language")):
        yield from run


def _is_person(reading: Reading, hit: Hit) -> bool:
    """Whether a name of a place is part of a person's name: ``Mr Jordan``, ``Michael Jordan``, ``Jordan Smith``."""
    first = hit.first
    if reading.gap(first) in {" ", ". "} and (
        reading.rules.has("honorific", reading.word(first - 1))
        or reading.rules.has("given_name", reading.word(first - 1))
        or (reading.gap(first - 1) in {" ", ". "} and reading.rules.has("honorific", reading.word(first - 2)))
    ):
        return reading.printed(first - 1)[0].isupper()
    return reading.rules.has("also_given_name", reading.word(first)) and _has_surname(reading, first)


def _has_surname(reading: Reading, index: int) -> bool:
    after = index + 1
    if reading.gap(after) != " " or not reading.printed(after)[:1].isupper() or reading.printed(after).isupper():
        return False
    if reading.rules.has("of_a_state", reading.word(after)) or reading.rules.has("locative", reading.word(index - 1)):
        return False
    return not _is_title_case(reading, index)


def _is_title_case(reading: Reading, index: int) -> bool:
    """Whether every longer word around is capitalised, so that a capital says nothing."""
    around = (reading.printed(i) for i in range(max(0, index - 6), index + 8))
    return all(not word[0].islower() for word in around if len(word) > 4)
