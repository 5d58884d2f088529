"""The last day to apply, and the days of an item's own happening."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from feeds.classify.calendar import PrintedDate, read_dates
from feeds.classify.context import Reading, dateline
from feeds.model import Match

LONGEST_AGO = timedelta(days=180)
FURTHEST_AHEAD = timedelta(days=730)
"""How far from its own day an item may happen; dates beyond are history or plans."""

MAX_EVENT = timedelta(days=120)

MAX_SINCE = 45
"""Characters from ``since`` to the date that it dates: ``since the bridge was closed on 3 May``."""


@dataclass(frozen=True, slots=True)
class Dates:
    deadline: date | None
    event_dates: tuple[date, date] | None
    matches: tuple[Match, ...]


def find_dates(reading: Reading, day: date | None) -> Dates:
    """Deadline and event dates, each with the date as printed."""
    rules = reading.rules
    printed = read_dates(reading.document.text, rules.date_patterns, language=rules.vocabulary.language, day=day)
    deadline = next((found for found in printed if _is_deadline(reading, found)), None)
    event = _event(reading, [found for found in printed if found is not deadline], day=day)
    return Dates(
        deadline.last if deadline else None,
        (event.first, event.last) if event else None,
        tuple(
            Match(label, reading.document.text[found.start : found.end])
            for label, found in (("deadline", deadline), ("event_dates", event))
            if found
        ),
    )


def _is_deadline(reading: Reading, found: PrintedDate) -> bool:
    """Whether one can apply until then: ``by``, ``until`` … before it, a word of applying beside it or in the title."""
    sentence = reading.document.sentence_of(found.start)
    cues = [cue for cue in reading.cues("deadline") if reading.document.sentence_of(cue.start) == sentence]
    applies = reading.cues("apply", "call", "call_open")
    if any(cue.start < found.start and found.start - cue.end < 60 for cue in cues):
        return bool(applies) and not _follows(reading, found, "replaced")
    is_near = any(
        reading.document.sentence_of(cue.start) == sentence or reading.document.is_in_title(cue.start)
        for cue in applies
    )
    return is_near and reading.rules.has("until", _word_before(reading, found))


def _event(reading: Reading, printed: Sequence[PrintedDate], *, day: date | None) -> PrintedDate | None:
    return next((found for found in printed if _is_own(reading, found, day=day)), None)


def _is_own(reading: Reading, found: PrintedDate, *, day: date | None) -> bool:
    """Whether a date is that of the item's own happening, not of its background, press line or deadline."""
    if day and not -LONGEST_AGO <= found.first - day <= FURTHEST_AHEAD:
        return False
    if found.last - found.first > MAX_EVENT or (found.start in dateline(reading.document) and found.first == day):
        return False
    if reading.rules.has("not_on", _word_before(reading, found)) or _follows(reading, found, "replaced"):
        return False
    if _follows(reading, found, "since", distance=MAX_SINCE):
        return False
    sentence = reading.document.sentence_of(found.start)
    return all(reading.document.sentence_of(cue.start) != sentence for cue in reading.cues("other_date"))


def _follows(reading: Reading, found: PrintedDate, cue: str, *, distance: int = 20) -> bool:
    """Whether a date stands at most so many characters behind a cue of its sentence."""
    sentence = reading.document.sentence_of(found.start)
    return any(
        0 <= found.start - hit.end <= distance and reading.document.sentence_of(hit.start) == sentence
        for hit in reading.cues(cue)
    )


def _word_before(reading: Reading, found: PrintedDate) -> str:
    """The word that governs a date: articles, weekdays and the like in between are passed over."""
    document = reading.document
    index = document.word_at(found.start) - 1
    while reading.rules.has("date_filler", reading.word(index)):
        index -= 1
    is_same = index >= 0 and document.sentence_of(document.words[index].start) == document.sentence_of(found.start)
    return reading.word(index) if is_same else ""
