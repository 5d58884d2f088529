"""A lane is the way to a relay or to a provider (a recipient domain): its bucket, its pace, its breaker."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import idna

from subscribers import breakers
from subscribers.breakers import CLOSED, Breaker, Fault
from subscribers.pacing import UNHURRIED, Bucket, Limits, Pace, fill, refill, slow_down, speed_up, take, use_fewer
from subscribers.replies import Kind, Verdict

MANY_PROVIDERS = 3
"""What so many of them say in one group, the relay says: it counts our messages itself."""

_SHARED = (Kind.POLICY, Kind.CONTENT)
"""Refused by a provider, or by a relay that looks into the messages: counted for both."""


def relay_key(name: str) -> str:
    """The key of a relay's lane."""
    return f"relay:{name}"


def provider_key(domain: str) -> str:
    """The key of a provider's lane: the recipient's domain in lower case, with A-labels (RFC 5890)."""
    if not domain.isascii():
        with suppress(UnicodeError):  # no mail goes to what is no name, but it has its lane
            domain = idna.encode(domain, uts46=True).decode("ascii")
    return f"domain:{domain.lower()}"


@dataclass(frozen=True, slots=True)
class Lane:
    """What is known of one way."""

    key: str
    bucket: Bucket | None = None
    """None where nothing limits the rate."""
    pace: Pace = UNHURRIED
    breaker: Breaker = CLOSED

    @property
    def is_troubled(self) -> bool:
        """Whether something was learnt that the next outcomes may change."""
        return self.pace.changed_at is not None or self.breaker.open_until is not None


def prepare(lane: Lane, limits: Limits, *, now: datetime) -> Lane:
    """The lane with its bucket at the rate that holds now, refilled."""
    rates = [rate for rate in (lane.pace.rate, limits.rate) if rate is not None]
    if not rates:
        return replace(lane, bucket=None)
    known = lane.bucket
    return replace(
        lane, bucket=fill(min(rates), now) if known is None else refill(replace(known, rate=min(rates)), now)
    )


def is_put_back(known: Lane | None, lane: Lane) -> bool:
    """Whether the bucket starts anew after a clock that was put back, which must be kept or it starts anew for ever."""
    return bool(known and known.bucket and lane.bucket and lane.bucket.at < known.bucket.at)


def wait_s(lane: Lane, now: datetime) -> float:
    """Seconds until a message may begin, as far as this lane can say; 0 where one may."""
    return max(lane.bucket.wait_s if lane.bucket else 0.0, breakers.wait_s(lane.breaker, now))


def pass_one(lane: Lane, now: datetime) -> Lane:
    """The lane after a message was let through."""
    bucket = take(lane.bucket) if lane.bucket else None
    return replace(lane, bucket=bucket, breaker=breakers.probe(lane.breaker, now))


@dataclass(slots=True)
class Heard:
    """What a group of replies said of one lane."""

    accepted: int = 0
    tried: int = 0
    faults: Counter[Kind] = field(default_factory=Counter)
    record: str = ""


def sort_by_lane(relay: str, outcomes: Iterable[tuple[str, Verdict]]) -> dict[str, Heard]:
    """What the verdicts on messages to these domains say of each lane that they say something of."""
    heard: defaultdict[str, Heard] = defaultdict(Heard)
    for domain, verdict in outcomes:
        if verdict.kind is Kind.NONE:  # no reply came
            continue
        keys = (relay_key(relay), provider_key(domain))
        for key in keys:
            heard[key].tried += 1
            heard[key].accepted += verdict.kind is Kind.ACCEPTED
        for key in _blamed(verdict, keys):
            heard[key].faults[verdict.kind] += 1
            heard[key].record = verdict.record or heard[key].record
    _blame_relay(heard, relay_key(relay))
    return dict(heard)


def adapt(lane: Lane, heard: Heard, limits: Limits, *, fault: Fault | None, now: datetime) -> Lane:
    """The lane after these replies; ``fault`` is what its tally says, a reason to open the breaker."""
    fault = fault or _failed_probe(lane.breaker, heard.faults)
    breaker = lane.breaker
    if fault is not None:
        told = Fault(fault.kind, heard.record) if fault.kind is Kind.DOMAIN and heard.record else fault
        breaker = breakers.trip(breaker, told, now=now)
    elif breaker.is_probing and heard.accepted:
        breaker = breakers.close(breaker)
    pace = _adapt_pace(lane.pace, heard, limits, now=now)
    if pace.rate is None and limits.rate is None:
        return replace(lane, bucket=None, pace=pace, breaker=breaker)
    is_slower = pace.rate is not None and pace.rate != lane.pace.rate and Kind.RATE in heard.faults
    bucket = Bucket(pace.rate, 0.0, now) if is_slower and pace.rate else lane.bucket
    return replace(lane, bucket=bucket, pace=pace, breaker=breaker)


def _blamed(verdict: Verdict, keys: tuple[str, str]) -> tuple[str, ...]:
    relay, provider = keys
    if verdict.scope == "relay":
        # Where staff are told and the run waits for them, a breaker would only make it wait longer.
        return () if verdict.pauses_run and verdict.kind is not Kind.AUTH else (relay,)
    if verdict.scope == "provider":
        return keys if verdict.kind in _SHARED else (provider,)
    return ()


def _blame_relay(heard: defaultdict[str, Heard], relay: str) -> None:
    for kind in (Kind.RATE, Kind.SENDER):
        complaining = sum(kind in one.faults for key, one in heard.items() if key != relay)
        if complaining >= MANY_PROVIDERS:
            heard[relay].faults[kind] += complaining


def _failed_probe(breaker: Breaker, faults: Mapping[Kind, int]) -> Fault | None:
    return breaker.fault if breaker.is_probing and faults.get(breaker.fault.kind) else None


def _adapt_pace(pace: Pace, heard: Heard, limits: Limits, *, now: datetime) -> Pace:
    if Kind.RATE in heard.faults:
        return slow_down(pace, limits, now=now)
    if Kind.RELAY in heard.faults:
        return use_fewer(pace, limits, now=now)
    return speed_up(pace, limits, now=now) if heard.accepted else pace
