"""When messages may begin, and what is learnt from replies; both inside the transaction that commits intents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from publisher.config import Config
from publisher.store.pace import read_lanes, write_lanes
from subscribers import breakers
from subscribers.breakers import Fault, Tally, find_fault
from subscribers.lanes import (
    Heard,
    Lane,
    adapt,
    is_put_back,
    pass_one,
    prepare,
    provider_key,
    relay_key,
    sort_by_lane,
    wait_s,
)
from subscribers.pacing import (
    Bucket,
    Limits,
    WarmUp,
    Window,
    daily_allowance,
    next_midnight,
    next_opening,
    parse_window,
)
from subscribers.replies import Kind, Verdict

WARM_UP = "warm-up"
"""The key of the lane that all relays share while a warm-up plan runs: what today still allows."""

FIRST_RELAY_RATE = 20.0
"""Messages a second after a relay's first complaint about haste, where none is configured."""

LONG_S = 60.0
"""What all messages have to wait longer for is worth no open connection."""

MAX_TALLIES = 10_000
"""Providers whose faults are counted at a time."""

_PACED = {Kind.RATE, Kind.RELAY}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says of pace."""

    relay: Limits
    providers: Mapping[str, Limits]
    """By key of lane."""
    window: Window | None
    warm_up: WarmUp | None
    zone: ZoneInfo

    def limits(self, key: str) -> Limits:
        """The limits of a lane."""
        return self.relay if key.startswith("relay:") else self.providers.get(key, _UNLIMITED)


_UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing may begin."""

    wait_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Granted:
    """The answer to each message that asked."""

    waits: Sequence[float]
    """In the order of the question: 0.0 where the message may begin now, else after how many seconds to ask again."""
    connections: int | None = None
    """How many connections to the relay may be open at most; None: as many as are configured."""
    hold: str = ""
    """Why nothing may begin for a while, by whichever relay."""
    rest_s: float = 0.0
    """How long the relay is to get nothing: what waits no longer by itself waits for that alone."""
    closed: Hold | None = None
    """The relay is left alone for longer than a connection is worth keeping."""


def make_rules(config: Config) -> Rules:
    """The rules of this configuration."""
    smtp, pace = config.smtp, config.pace
    return Rules(
        relay=Limits(smtp.messages_per_second, smtp.connections, FIRST_RELAY_RATE),
        providers={provider_key(one.domain): Limits(one.messages_per_second) for one in pace.domains},
        window=None if pace.window is None else parse_window(pace.window),
        warm_up=None if pace.warm_up is None else pace.warm_up.plan,
        zone=config.site.zone,
    )


class Pacer:
    """One for each process that sends, however many relays. Both methods are called within write transactions.

    Buckets, learnt limits and breakers are rows, shared by all senders. What has been refused so far is counted here:
    a share needs many messages, and those of one process tell it as well as those of all.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._tallies: dict[str, Tally] = {}
        self._watched: set[str] = set()
        """Lanes that the next acceptances may change, as their rows were read last."""

    def grant(
        self, tx: Connection, relay: str, domains: Sequence[str], *, now: datetime, is_urgent: bool = False
    ) -> Granted:
        """Take a token for each message to these recipient domains that may begin now.

        ``is_urgent`` is for what somebody waits for, like a confirmation: the window of the day does not hold it.
        """
        if (closed := self.find_closed(now)) is not None and not is_urgent:
            return Granted([closed.wait_s] * len(domains), hold=closed.reason)
        keys = [provider_key(domain) for domain in domains]
        shared = relay_key(relay)
        rows, lanes = self._open_lanes(tx, {shared, *keys}, now)
        if not lanes:
            return Granted([0.0] * len(domains))
        before = dict(lanes)
        if (hold := self._find_hold(lanes, WARM_UP, now)) is not None:
            return Granted([hold.wait_s] * len(domains), hold=hold.reason)
        if (closed := self._find_hold(lanes, shared, now)) is not None:
            return Granted([closed.wait_s] * len(domains), rest_s=closed.wait_s, closed=closed)
        waits = [self._ask(lanes, (WARM_UP, shared, key), now) for key in keys]
        changed = [lane for key, lane in lanes.items() if lane is not before[key] or is_put_back(rows.get(key), lane)]
        write_lanes(tx, changed)
        rest_s = max((self._wait_s(lanes[key], now) for key in (WARM_UP, shared) if key in lanes), default=0.0)
        return Granted(waits, lanes[shared].pace.connections if shared in lanes else None, rest_s=rest_s)

    def find_left_alone(self, tx: Connection, relays: Sequence[str], *, now: datetime) -> dict[str, Hold]:
        """The relays that get no message now, by name: no connection to them is worth opening."""
        lanes = read_lanes(tx, [relay_key(name) for name in relays])
        waits = {key: breakers.wait_s(lane.breaker, now) for key, lane in lanes.items()}
        closed = [name for name in relays if waits.get(relay_key(name))]
        return {name: self._hold(relay_key(name), waits[relay_key(name)], now) for name in closed}

    def learn(
        self, tx: Connection, relay: str, outcomes: Sequence[tuple[str, Verdict]], *, now: datetime
    ) -> list[Lane]:
        """Take in what became of messages to these recipient domains; the lanes whose breaker this opened.

        Costs no statement where all is well and was before.
        """
        if not self._watched and all(verdict.kind is Kind.ACCEPTED for _, verdict in outcomes):
            self._count(relay_key(relay), Heard(len(outcomes), len(outcomes)), now)
            return []
        heard = sort_by_lane(relay, outcomes)
        faults = {key: self._count(key, one, now) for key, one in heard.items()}
        touched = [
            key for key, one in heard.items() if faults[key] or key in self._watched or _PACED & one.faults.keys()
        ]
        return self._adapt(tx, {key: heard[key] for key in touched}, faults, now) if touched else []

    def _adapt(
        self, tx: Connection, heard: Mapping[str, Heard], faults: Mapping[str, Fault | None], now: datetime
    ) -> list[Lane]:
        rows = read_lanes(tx, heard.keys())
        before = {key: rows.get(key, Lane(key)) for key in heard}
        after = {
            key: adapt(before[key], one, self._rules.limits(key), fault=faults[key], now=now)
            for key, one in heard.items()
        }
        self._watch(after)
        write_lanes(tx, [lane for key, lane in after.items() if lane != before[key]])
        opened = [lane for key, lane in after.items() if lane.breaker.opened_at != before[key].breaker.opened_at]
        for lane in opened:
            self._tallies[lane.key] = Tally(now)
        return opened

    def find_closed(self, now: datetime) -> Hold | None:
        """How long the window of the day is closed yet; None while it is open or there is none."""
        rules = self._rules
        opening = None if rules.window is None else next_opening(rules.window, now, rules.zone)
        if opening is None:
            return None
        local = opening.astimezone(rules.zone)
        return Hold((opening - now).total_seconds(), f"no mail goes out before {local:%Y-%m-%d %H:%M} (pace.window)")

    def _find_hold(self, lanes: Mapping[str, Lane], key: str, now: datetime) -> Hold | None:
        """How long a lane that all messages take makes them wait, where that is long."""
        wait_s = self._wait_s(lanes[key], now) if key in lanes else 0.0
        return self._hold(key, wait_s, now) if wait_s > LONG_S else None

    def _hold(self, key: str, wait_s: float, now: datetime) -> Hold:
        until = (now + timedelta(seconds=wait_s)).astimezone(self._rules.zone)
        why = "today's share of the warm-up is used up" if key == WARM_UP else f"{key} is left alone"
        return Hold(wait_s, f"{why} until {until:%Y-%m-%d %H:%M:%S}")

    def _open_lanes(self, tx: Connection, keys: set[str], now: datetime) -> tuple[Mapping[str, Lane], dict[str, Lane]]:
        """The rows of these keys, and the lanes that have a row or a limit, with buckets as of now."""
        plan = self._rules.warm_up
        today = now.astimezone(self._rules.zone).date()
        allowance = None if plan is None else daily_allowance(plan, today)
        rows = read_lanes(tx, keys if allowance is None else keys | {WARM_UP})
        self._watched -= keys
        self._watch(rows)
        limits = {key: self._rules.limits(key) for key in keys}
        lanes = {
            key: prepare(rows.get(key, Lane(key)), limits[key], now=now)
            for key in keys
            if key in rows or limits[key].rate is not None
        }
        if allowance is not None:
            lanes[WARM_UP] = self._todays(rows.get(WARM_UP, Lane(WARM_UP)), allowance, now)
        return rows, lanes

    def _todays(self, lane: Lane, allowance: int, now: datetime) -> Lane:
        """The warm-up lane, its bucket filled once a local day."""
        zone, known = self._rules.zone, lane.bucket
        if known is not None and known.at.astimezone(zone).date() >= now.astimezone(zone).date():
            return lane
        return replace(lane, bucket=Bucket(0.0, allowance, now))

    def _ask(self, lanes: dict[str, Lane], keys: Sequence[str], now: datetime) -> float:
        """0 where every lane lets a message through, which then has passed all of them."""
        there = [lanes[key] for key in keys if key in lanes]
        wait = max((self._wait_s(lane, now) for lane in there), default=0.0)
        if not wait:
            lanes.update({lane.key: pass_one(lane, now) for lane in there})
        return wait

    def _wait_s(self, lane: Lane, now: datetime) -> float:
        if lane.key != WARM_UP:
            return wait_s(lane, now)
        is_left = lane.bucket is not None and lane.bucket.tokens >= 1
        return 0.0 if is_left else (next_midnight(now, self._rules.zone) - now).total_seconds()

    def _watch(self, lanes: Mapping[str, Lane]) -> None:
        self._watched |= {key for key, lane in lanes.items() if lane.is_troubled}
        self._watched -= {key for key, lane in lanes.items() if not lane.is_troubled}

    def _count(self, key: str, heard: Heard, now: datetime) -> Fault | None:
        """Count replies of a lane; the fault that is now too frequent. Providers are counted from their first fault."""
        known = self._tallies.get(key)
        if known is None and not (heard.faults or key.startswith("relay:")):
            return None
        if known is None and len(self._tallies) >= MAX_TALLIES:
            self._tallies = {key: tally for key, tally in self._tallies.items() if key.startswith("relay:")}
        tally = breakers.add(known or Tally(now), heard.tried, heard.faults, now=now)
        self._tallies[key] = tally
        return find_fault(tally, heard.faults.keys()) if heard.faults else None
