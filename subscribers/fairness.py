"""Whose turn it is: several editions share the way out, and a small one does not wait for one of a million."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

PRIORITIES = {"confirmation": 0, "immediate": 1}
"""Lower goes first; every other cadence comes after these."""

_LAST = max(PRIORITIES.values()) + 1


@dataclass(frozen=True, slots=True)
class Contender:
    """An edition that has something to send."""

    edition_id: str
    cadence: str
    """Or ``confirmation``."""
    cut_off: datetime
    pending: int
    """How many deliveries it has still to send."""


Turns = Mapping[str, float]
"""By edition: how much of its share it has had, in chunks by weight."""


def next_turn(contenders: Sequence[Contender], turns: Turns) -> tuple[Contender, Turns]:
    """Who claims the next chunk, and the turns to pass with the next call; ``{}`` at first.

    Confirmations go before immediate digests, these before all others. Within a class turns go round: an edition ten
    times as large has one chunk more for each of a small one's. A newcomer begins level with the one that had least.
    """
    if not contenders:
        raise ValueError("nobody has anything to send")
    first = min(_priority(one) for one in contenders)
    ready = [one for one in contenders if _priority(one) == first]
    level = min((turns[one.edition_id] for one in ready if one.edition_id in turns), default=0.0)
    had = {one.edition_id: turns.get(one.edition_id, level) for one in ready}
    chosen = min(ready, key=lambda one: (had[one.edition_id], one.cut_off, one.edition_id))
    waiting = {one.edition_id: turns[one.edition_id] for one in contenders if one.edition_id in turns}
    return chosen, waiting | had | {chosen.edition_id: had[chosen.edition_id] + 1 / _weight(chosen)}


def _priority(contender: Contender) -> int:
    return PRIORITIES.get(contender.cadence, _LAST)


def _weight(contender: Contender) -> float:
    return 1 + math.log10(max(1, contender.pending))
