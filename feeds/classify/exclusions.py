"""Places that are named without the item being about them: donors, offices, aggressors, languages, persons."""

from collections.abc import Iterator

from feeds.classify.context import Reading, backward_scope, dateline, forward_scope
from feeds.classify.terms import Hit

MAX_INSTRUMENT_GAP = 2
"""Words between ``Convention`` and its town: ``Convention de Genève``."""


def excluded_words(reading: Reading) -> frozenset[int]:
    """The words that are no place of the item, whatever they name."""
    return frozenset(_excluded(reading))


def excluded_settlements(reading: Reading) -> frozenset[int]:
    """The words that are no place of the item if they name a town: datelines, conventions, offices."""
    return frozenset(_excluded_settlements(reading))


def _excluded(reading: Reading) -> Iterator[int]:
    for cue in reading.cues("donor_after", "office_after", "aggression_after"):
        yield from forward_scope(reading, cue)
    for cue in reading.cues("donor_before", "office_before", "aggression_before"):
        yield from backward_scope(reading, cue)
    yield from _languages(reading)
    for hit in reading.of("country"):
        if hit.length == 1 and _is_person(reading, hit):
            yield hit.first


def _excluded_settlements(reading: Reading) -> Iterator[int]:
    span = dateline(reading.document)
    towns = [hit for hit in reading.of("country") if hit.entry.sort in {"capital", "city"}]
    if any(hit.start - span.start <= 1 for hit in towns if hit.start in span):
        yield from (hit.first for hit in towns if hit.start in span)
    for cue in reading.cues("instrument"):
        if reading.document.text[cue.start].isupper() or reading.rules.vocabulary.language.code == "ru":
            yield from range(cue.first - 1, cue.first)
            yield from range(cue.last, cue.last + MAX_INSTRUMENT_GAP)


def _languages(reading: Reading) -> Iterator[int]:
    """Names of languages: ``in English, Russian and Czech``, but not ``in Czech schools``."""
    tongues = {hit.first: hit for hit in reading.of("country") if hit.entry.sort == "tongue" and hit.length == 1}
    for index in tongues:
        if reading.rules.has("in_language", reading.word(index - 1)):
            yield from _language_run(reading, tongues, index)
        if reading.rules.has("language", reading.word(index + 1)) or reading.rules.has(
            "language", reading.word(index - 1)
        ):
            yield index


def _language_run(reading: Reading, tongues: dict[int, Hit], index: int) -> Iterator[int]:
    run = [index]
    after = index + 1
    while after in tongues or reading.rules.has("and", reading.word(after)):
        if after in tongues:
            run.append(after)
        after += 1
    is_noun_next = reading.gap(after).isspace() and "\n" not in reading.gap(after)
    if not is_noun_next or reading.rules.has("scope_end", reading.word(after)):
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
    """Whether nearly every word around is capitalised, so that a capital says nothing."""
    around = [reading.printed(i) for i in range(index - 6, index + 8) if len(reading.printed(i)) > 3]
    return sum(word[0].isupper() for word in around) > 0.7 * len(around)
