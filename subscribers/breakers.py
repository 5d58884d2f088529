"""When a relay or provider is left alone for a while: what is wrong there would be wrong with every message."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from subscribers.replies import Kind


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault opens the breaker where it is ``share`` of what was tried, and ``least`` messages were."""

    share: float
    least: int
    pause: timedelta
    """How long at first; twice as long each time it opens again, up to ``LONGEST``."""


RULES: Mapping[Kind, Rule] = {
    Kind.DOMAIN: Rule(0, 1, timedelta(hours=1)),
    Kind.SENDER: Rule(0, 1, timedelta(hours=1)),
    Kind.AUTH: Rule(0, 1, timedelta(minutes=1)),
    Kind.RELAY: Rule(0.5, 20, timedelta(minutes=1)),
    Kind.CONTENT: Rule(0.02, 200, timedelta(minutes=15)),
    Kind.POLICY: Rule(0.1, 50, timedelta(minutes=15)),
    Kind.ADDRESS: Rule(0.3, 200, timedelta(minutes=15)),  # more than a list holds: the relay refuses whoever it is
}

LONGEST = timedelta(hours=4)

CALM = timedelta(days=1)
"""After so long an earlier opening is forgotten."""

PROBE_PAUSE = timedelta(minutes=2)
"""A half-open breaker lets one message through; if nothing is known of it then, another."""

MEMORY = 1000
"""Of so many messages half are forgotten, so that what is new counts."""

MEMORY_AGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many replies came since ``since``, and how many of them were which fault."""

    since: datetime
    tried: int = 0
    faults: Mapping[Kind, int] = field(default_factory=dict)


def add(tally: Tally, tried: int, faults: Mapping[Kind, int], *, now: datetime) -> Tally:
    """The tally with these replies; what is old or much is forgotten."""
    if abs(now - tally.since) > MEMORY_AGE:
        tally = Tally(now)
    elif tally.tried >= MEMORY:
        halves = {kind: count // 2 for kind, count in tally.faults.items() if count > 1}
        tally = Tally(tally.since, tally.tried // 2, halves)
    return Tally(tally.since, tally.tried + tried, Counter(tally.faults) + Counter(faults))


@dataclass(frozen=True, slots=True)
class Fault:
    """A reason to open a breaker."""

    kind: Kind
    detail: str = ""
    """What is wrong with our domain, else how much was refused: ``5 of 210``. Never text of a server."""


def find_fault(tally: Tally, kinds: Collection[Kind]) -> Fault | None:
    """The fault that is more than a few people's, if there is one of these kinds."""
    for kind, rule in RULES.items():
        count = tally.faults.get(kind, 0)
        if kind in kinds and count and tally.tried >= rule.least and count >= rule.share * tally.tried:
            return Fault(kind, f"{count} of {tally.tried}" if rule.share else "")
    return None


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed while ``open_until`` is None; half-open after that moment."""

    open_until: datetime | None = None
    is_probing: bool = False
    """Half-open, and a message is on its way to find out."""
    opened_at: datetime | None = None
    openings: int = 0
    """In a row, without a calm day between."""
    fault: Fault = Fault(Kind.NONE)
    """Why it was opened last."""


CLOSED = Breaker()

State = Literal["closed", "open", "half-open"]


def state_of(breaker: Breaker, now: datetime) -> State:
    """The state at this moment."""
    if breaker.open_until is None:
        return "closed"
    return "open" if now < breaker.open_until and not breaker.is_probing else "half-open"


def wait_s(breaker: Breaker, now: datetime) -> float:
    """Seconds until a message may begin; 0 where one may."""
    if breaker.open_until is None:
        return 0.0
    wait = breaker.open_until - now
    return max(0.0, min(wait, LONGEST).total_seconds())  # a clock that was ahead made it longer than any pause is


def probe(breaker: Breaker, now: datetime) -> Breaker:
    """The breaker after a message was let through."""
    if breaker.open_until is None:
        return breaker
    return replace(breaker, is_probing=True, open_until=now + PROBE_PAUSE)


def trip(breaker: Breaker, fault: Fault, *, now: datetime) -> Breaker:
    """The breaker opened for a fault. What was in flight when it opened does not open it further."""
    if state_of(breaker, now) == "open":
        return breaker
    is_calm = breaker.opened_at is None or abs(now - breaker.opened_at) > CALM
    openings = 1 if is_calm else breaker.openings + 1
    pause = min(LONGEST, RULES[fault.kind].pause * 2 ** min(openings - 1, 16))
    return Breaker(now + pause, opened_at=now, openings=openings, fault=fault)


def close(breaker: Breaker) -> Breaker:
    """The breaker closed by an acceptance; it remembers when it was open."""
    return replace(breaker, open_until=None, is_probing=False)
