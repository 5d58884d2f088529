"""Kinds: what sort of news an item is. The first that fits, in the order of ``feeds.model.KINDS``."""

from collections.abc import Callable, Iterable

from feeds.classify.context import NEAR, Reading, clause
from feeds.classify.terms import Hit
from feeds.model import Match

LEAD_SENTENCES = 3
"""Title and the two sentences below it: what comes later tells of other things."""


def find_kind(reading: Reading, *, has_deadline: bool, is_dated: bool) -> tuple[str, Match | None]:
    """The kind with its proof; ``news`` needs none."""
    finders: tuple[tuple[str, Callable[[Reading], Hit | None]], ...] = (
        ("call", lambda found: _call(found, has_deadline=has_deadline)),
        ("opinion", _opinion),
        ("appointment", _appointment),
        ("publication", _publication),
        ("training", _training),
        ("event", lambda found: _event(found, is_dated=is_dated)),
    )
    for kind, find in finders:
        hit = find(reading)
        if hit:
            return kind, Match(f"kind:{kind}", reading.document.text[hit.start : hit.end])
    return "news", None


def _call(reading: Reading, *, has_deadline: bool) -> Hit | None:
    """A call that is open: one can apply, a date is given, or the title announces it."""
    if reading.cues("call_closed"):
        return None
    is_announced = _first(hit for hit in reading.cues("call") if reading.document.is_in_title(hit.start))
    hit = _first(reading.cues("call_open")) or is_announced
    return hit or (_first(reading.cues("call", "apply")) if has_deadline else None)


def _opinion(reading: Reading) -> Hit | None:
    others = reading.cues("not_opinion")
    in_title = [hit for hit in reading.cues("opinion_title") if reading.document.is_in_title(hit.start)]
    return _first(hit for hit in (*reading.cues("opinion"), *in_title) if not _is_inside(hit, others))


def _appointment(reading: Reading) -> Hit | None:
    """A post with the verb that fills it; of some verbs only where the post follows."""
    passing, posts = reading.cues("not_appointment"), reading.cues("post")
    verbs = [hit for hit in _lead(reading, "appointment") if not _is_inside(hit, passing)]
    leading = [hit for hit in _lead(reading, "appointing") if any(0 <= post.first - hit.last <= NEAR for post in posts)]
    return _pair(reading, [*verbs, *leading], others=posts) or _first(_lead(reading, "appointed"))


def _publication(reading: Reading) -> Hit | None:
    longer = reading.cues("event", "training", "not_publication")
    found = reading.cues("publication") if not reading.document.title_end else _lead(reading, "publication")
    nouns = [hit for hit in found if not _is_inside(hit, longer)]
    in_title = [hit for hit in nouns if _is_title_subject(reading, hit)]
    return _pair(reading, nouns, others=reading.cues("published")) or _first(in_title)


def _is_inside(hit: Hit, others: Iterable[Hit]) -> bool:
    return any(other.start <= hit.start and hit.end <= other.end and other.length > hit.length for other in others)


def _is_title_subject(reading: Reading, hit: Hit) -> bool:
    """Whether the title is the thing's own name or begins with it, and not with what was done about it."""
    if not reading.document.is_in_title(hit.start):
        return False
    clashes = ("training", "event", "publication_ahead")
    return not any(reading.document.is_in_title(cue.start) for cue in reading.cues(*clashes))


def _training(reading: Reading) -> Hit | None:
    """A training that was given: named as such by the title or with a verb beside it."""
    others = reading.cues("not_training")
    nouns = [hit for hit in _unframed(reading, _lead(reading, "training")) if not _is_inside(hit, others)]
    if any(reading.document.is_in_title(hit.start) for hit in others):
        return None
    in_title = (hit for hit in nouns if reading.document.is_in_title(hit.start))
    held = _pair(reading, nouns, others=reading.cues("held"))
    return _first(in_title) or held or _first(_lead(reading, "trained"))


def _event(reading: Reading, *, is_dated: bool) -> Hit | None:
    """A gathering: named in the lead, held further down, or people who met on days that the item gives."""
    nouns = _unframed(reading, reading.cues("event"))
    lead = _first(hit for hit in nouns if reading.document.sentence_of(hit.start) < LEAD_SENTENCES)
    one = [hit for hit in nouns if not reading.document.text[hit.start : hit.end].endswith("s")]
    met = _first(_lead(reading, "gathered")) if is_dated else None
    return lead or _pair(reading, one, others=reading.cues("held")) or met


def _unframed(reading: Reading, hits: list[Hit]) -> list[Hit]:
    """Hits that are not part of what a thing was done for: ``in the framework of the … course``."""
    framed = {index for cue in reading.cues("project_frame") for index in clause(reading, cue)}
    return [hit for hit in hits if hit.first not in framed]


def _lead(reading: Reading, cue: str) -> list[Hit]:
    return [hit for hit in reading.cues(cue) if reading.document.sentence_of(hit.start) < LEAD_SENTENCES]


def _pair(reading: Reading, nouns: list[Hit], *, others: list[Hit]) -> Hit | None:
    """The first noun with one of the other words near it in its sentence."""
    for noun in nouns:
        sentence = reading.document.sentence_of(noun.start)
        for other in others:
            is_same = reading.document.sentence_of(other.start) == sentence
            is_apart = other.last <= noun.first or noun.last <= other.first or other.length > noun.length
            if is_same and is_apart and abs(other.first - noun.first) <= NEAR:
                return noun
    return None


def _first(hits: Iterable[Hit]) -> Hit | None:
    return next(iter(hits), None)
