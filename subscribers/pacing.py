"""How fast mail may go: token buckets, what haste teaches, warming up, and the hours in which it goes."""

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BURST_S = 1.0
"""A bucket holds what may go in so long, and one message at least."""

CLOCK_STEP = timedelta(minutes=1)
"""Moments of two processes may be a little out of order; a clock that is put back by more than this starts anew."""

SLOWEST = 0.1
"""Messages a second that haste never brings the rate below."""

FASTEST = 500.0
"""Messages a second from where a learnt rate that no configuration bounds is no limit any more."""

SLOW_DOWN_PAUSE = timedelta(seconds=30)
"""The rate is halved once in so long: what was in flight at the first complaint complains too."""

SPEED_UP_PAUSE = timedelta(minutes=1)
SPEED_UP = 1.25
"""After each pause without a complaint the rate grows by this factor, and the pool by one connection."""

_GRAIN = 1e-6  # moments are microseconds: a token is whole when this little is missing


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens, one a message, that come at ``rate`` a second until there are ``burst``."""

    rate: float
    tokens: float
    at: datetime
    """Until when tokens have been added."""

    @property
    def burst(self) -> float:
        """The most that is there at once."""
        return max(1.0, self.rate * BURST_S)

    @property
    def wait_s(self) -> float:
        """Seconds until there is a token; 0 where there is one."""
        missing = 1 - self.tokens
        return 0.0 if missing <= _GRAIN else missing / self.rate


def fill(rate: float, now: datetime) -> Bucket:
    """A full bucket."""
    return refill(Bucket(rate, math.inf, now), now)


def refill(bucket: Bucket, now: datetime) -> Bucket:
    """The bucket with what came in until ``now``.

    A ``now`` a little before ``at`` changes nothing, or the same second would be granted twice. After a larger step
    back of the clock nothing is added, but time counts again from there.
    """
    elapsed = now - bucket.at
    if elapsed < timedelta():
        return bucket if -elapsed <= CLOCK_STEP else replace(bucket, at=now)
    tokens = min(bucket.burst, bucket.tokens + elapsed.total_seconds() * bucket.rate)
    return Bucket(bucket.rate, tokens, now)


def take(bucket: Bucket) -> Bucket:
    """The bucket with a token less; only where ``wait_s`` is 0."""
    return replace(bucket, tokens=bucket.tokens - 1)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration says of a relay or provider."""

    rate: float | None = None
    """Messages a second."""
    connections: int | None = None
    """The size of the relay's pool; a provider has none of its own."""
    first_rate: float = 2.0
    """Where haste is answered with a complaint and no rate is configured, this is the first one."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What was learnt of haste: limits below those of the configuration; None where there is none."""

    rate: float | None = None
    connections: int | None = None
    changed_at: datetime | None = None


UNHURRIED = Pace()


def slow_down(pace: Pace, limits: Limits, *, now: datetime) -> Pace:
    """After "too fast": half the rate, and one connection."""
    if pace.rate is not None and _is_recent(pace, SLOW_DOWN_PAUSE, now):
        return pace
    known = pace.rate or limits.rate
    rate = limits.first_rate if known is None else max(SLOWEST, known / 2)
    return Pace(rate, None if limits.connections is None else 1, now)


def use_fewer(pace: Pace, limits: Limits, *, now: datetime) -> Pace:
    """After trouble of the relay itself: a connection less."""
    known = pace.connections or limits.connections
    if known is None or _is_recent(pace, SLOW_DOWN_PAUSE, now):
        return pace
    return replace(pace, connections=max(1, known - 1), changed_at=now)


def speed_up(pace: Pace, limits: Limits, *, now: datetime) -> Pace:
    """After acceptances: a little more, if nobody has complained for a while, until nothing is left of it."""
    if pace.changed_at is None or _is_recent(pace, SPEED_UP_PAUSE, now):
        return pace
    rate = _below(None if pace.rate is None else pace.rate * SPEED_UP, limits.rate or FASTEST)
    more = None if pace.connections is None else pace.connections + 1
    connections = None if more is None or more >= (limits.connections or 0) else more
    return Pace(rate, connections, None if rate is None and connections is None else now)


def _below(rate: float | None, limit: float) -> float | None:
    return None if rate is None or rate >= limit else rate


def _is_recent(pace: Pace, pause: timedelta, now: datetime) -> bool:
    return pace.changed_at is not None and abs(now - pace.changed_at) < pause


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A new address or domain earns its reputation by growing slowly."""

    start: date
    first_day: int
    growth: float
    """Each day allows so many times what the day before did."""
    until: int
    """From where a day's allowance is no limit any more."""


def daily_allowance(plan: WarmUp, day: date) -> int | None:
    """How many messages may begin on that local day; None once the plan is through."""
    days = max(0, (day - plan.start).days)
    if days * math.log(plan.growth) >= math.log(plan.until / plan.first_day):
        return None
    return int(plan.first_day * plan.growth**days)


def next_midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """When the next local day begins, in UTC."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of a local day, ``[opens, closes)``, in which digests go out; it may span midnight."""

    opens: time
    closes: time


def parse_window(text: str) -> Window:
    """The window of a text like ``08:00-20:00``; ValueError says how to write it."""
    clock = "((?:[01][0-9]|2[0-3]):[0-5][0-9])"
    found = re.fullmatch(f"{clock}-{clock}", text)
    if found is None or found[1] == found[2]:
        raise ValueError('is not a window of the day. Use two times, like "08:00-20:00"')
    return Window(time.fromisoformat(found[1]), time.fromisoformat(found[2]))


def next_opening(window: Window, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the window opens next, in UTC; None while it is open.

    Times are those of the wall clock: an opening that a change of clocks skips comes as much later as they jump.
    """
    local = now.astimezone(zone)
    if _is_within(window, local.time()):
        return None
    day = local.date() + timedelta(days=local.time() >= window.opens)
    return datetime.combine(day, window.opens, tzinfo=zone).astimezone(UTC)


def _is_within(window: Window, clock: time) -> bool:
    if window.opens < window.closes:
        return window.opens <= clock < window.closes
    return clock >= window.opens or clock < window.closes
