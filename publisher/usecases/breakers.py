"""What holds mail up at relays and providers, in words for staff."""

from collections.abc import Mapping
from datetime import datetime

from publisher.app import App
from publisher.store.pace import read_breakers
from subscribers.breakers import state_of
from subscribers.lanes import Lane
from subscribers.replies import Kind


def describe_breakers(app: App) -> list[str]:
    """A line for staff on each relay or provider that is left alone or slower than configured now."""
    with app.database.read() as tx:
        lanes = read_breakers(tx)
    return [describe_lane(lane, app.clock()) for lane in lanes]


def describe_lane(lane: Lane, now: datetime) -> str:
    """What holds mail up on this lane, since when, and what to do."""
    scope, _, name = lane.key.partition(":")
    subject = f"relay {name}" if scope == "relay" else name
    breaker = lane.breaker
    if breaker.open_until is None:
        return f"{subject}: {_describe_pace(lane)}"
    words = _WORDS.get(breaker.fault.kind, "").format(detail=breaker.fault.detail)
    if state_of(breaker, now) == "half-open":
        return f"{subject}: one message at a time goes there to find out whether it is over: {words}"
    return f"{subject}: no mail goes there until {breaker.open_until:%Y-%m-%d %H:%M} UTC: {words}"


def _describe_pace(lane: Lane) -> str:
    rate, count = lane.pace.rate, lane.pace.connections
    pool = [] if count is None else ["one connection" if count == 1 else f"{count} connections"]
    if rate is None:
        return f"it was in trouble, so it gets {' '.join(pool)} at most"
    return f"it told us that we are too fast, so it gets {', '.join([f'{rate:.3g} messages a second', *pool])} at most"


_WORDS: Mapping[Kind, str] = {
    Kind.DOMAIN: "it refuses our domain ({detail}). Correct that in DNS or at the relay",
    Kind.SENDER: "it refuses our sender. See mail.bounce_domain: it needs an MX record",
    Kind.AUTH: "it refuses our password. See smtp.username and smtp.password_file",
    Kind.RELAY: "it is in trouble ({detail} messages). See its own log",
    Kind.CONTENT: "it refuses what we write ({detail} messages). Read the replies in the report of deliveries",
    Kind.POLICY: "it refuses us by its own rules ({detail} messages). Ask whether our address is on a blocklist",
    Kind.ADDRESS: "it knows too few of our addresses ({detail} messages). Check list and relay",
}
"""By kind of the replies that opened a breaker."""
