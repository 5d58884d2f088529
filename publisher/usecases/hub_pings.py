"""Telling hubs of changed feeds (WebSub §7, publishing): noted in rows after the change, sent until the hub answers.

A hub that is told twice fetches twice and finds nothing new; one that is not told would leave its readers waiting. So
what a crash leaves open is done again.
"""

import asyncio
import time
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from itertools import chain

import structlog

from feeds.criteria import Criteria
from feeds.model import Item
from feeds.paths import FORMATS, path_of
from feeds.render.icalendar import list_occasions
from publisher.app import App
from publisher.errors import FetchError
from publisher.fetch.fetcher import Fetcher, Limits, Origin
from publisher.fetch.freshness import retry_after_s
from publisher.fetch.identity import make_user_agent
from publisher.store import hubs as store
from publisher.store.batches import in_batches
from publisher.store.hubs import Ping
from publisher.store.items import read_items
from publisher.store.translations import find_relatives
from publisher.usecases.feeds import list_feeds, read_catalogue

ITEMS_AT_ONCE = 500
"""Changed items that one transaction takes note of."""
PINGS_AT_ONCE = 500
"""Read for one hub in one go; the rest waits for the next tick."""
PINGS_TOGETHER = 4
"""On their way to one hub at the same time."""
TURN_S = 10.0
"""A hub that takes longer for all that is due goes on at the next tick: until then the others would wait for it."""
LIMITS = Limits(total_s=10, per_host=PINGS_TOGETHER)
MOST_ATTEMPTS = 16
"""Some two days; the next change of the feed is told anyway."""
FIRST_RETRY_S = 60
LONGEST_RETRY_S = 6 * 3_600

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PingReport:
    """How many pings were sent, postponed and given up."""

    sent: int = 0
    postponed: int = 0
    given_up: int = 0

    def plus(self, other: "PingReport") -> "PingReport":
        """Both together."""
        return PingReport(self.sent + other.sent, self.postponed + other.postponed, self.given_up + other.given_up)


@dataclass(frozen=True, slots=True)
class _Outcome:
    ping: Ping
    problem: str = ""
    """Empty: the hub has taken note."""
    retry_after_s: int = 0
    is_hub_down: bool = False
    """Whether the next ping would fare no better."""


def note_changes(app: App) -> int:
    """Put down of which feeds the hubs are to be told since last time; how many. May be repeated."""
    noted = 0
    while app.config.web.hubs and (topics := _note_batch(app)) is not None:
        noted += len(topics)
    return noted


async def ping_hubs(app: App, *, fetcher: Fetcher | None = None) -> PingReport:
    """Tell the hubs what is due; what fails waits longer each time. A given ``fetcher`` is not entered yet."""
    now = app.clock()
    due = await asyncio.to_thread(_list_due, app, now)
    if not due:
        return PingReport()
    async with fetcher or Fetcher(make_user_agent(app.config), LIMITS) as opened:
        reports = await asyncio.gather(*(_tell(app, opened, pings, now=now) for pings in due))
    return reduce(PingReport.plus, reports)


def find_paths(items: Iterable[Item], feeds: Sequence[Criteria]) -> set[str]:
    """The paths of all formats of the feeds that hold one of these items; a calendar only where it has days."""
    paths: set[str] = set()
    alike: set[Hashable] = set()
    for item in items:
        found, has_days = item.classification, any(list_occasions(item))
        about = (item.language, found.themes, found.regions, found.kind, has_days)
        if about not in alike:
            alike.add(about)
            formats = [form for form in FORMATS if form != "ics" or has_days]
            paths |= {path_of(one, form) for one in feeds if one.is_met_by(item) for form in formats}
    return paths


def _note_batch(app: App) -> set[str] | None:
    """The topics of the next changed items, whose number is limited; None where there are no more."""
    feeds = list(list_feeds(read_catalogue(app)))
    with app.database.read() as tx:
        changed = store.read_unannounced(tx, limit=ITEMS_AT_ONCE)
        relatives = read_items(tx, find_relatives(tx, changed) - set(changed))
    if not changed:
        return None
    paths = find_paths(chain(relatives, *changed.values()), feeds)
    topics = {app.config.site.base_url + path for path in paths}
    with app.database.write() as tx:
        store.put_pings(tx, app.config.web.hubs, topics, now=app.clock())
        store.mark_announced(tx, {item_id: states[0].version for item_id, states in changed.items()})
    return topics


async def _tell(app: App, fetcher: Fetcher, pings: Sequence[Ping], *, now: datetime) -> PingReport:
    """Take a turn at one hub and write down what came of it, whatever the others do; what is left is due still.

    One feed goes first: where the hub is down, the rest is not tried.
    """
    ends_at = time.monotonic() + TURN_S
    outcomes: list[_Outcome] = []
    for few in (pings[:1], *in_batches(pings[1:], size=PINGS_TOGETHER)):
        down = next((one for one in outcomes[-PINGS_TOGETHER:] if one.is_hub_down), None)
        if down:
            outcomes += [replace(down, ping=ping) for ping in few]
        elif time.monotonic() < ends_at:
            outcomes += await asyncio.gather(*(_send(fetcher, ping, now=now) for ping in few))
    return await asyncio.to_thread(_record, app, outcomes, now=now)


async def _send(fetcher: Fetcher, ping: Ping, *, now: datetime) -> _Outcome:
    # The specification leaves the form to the hub; these three fields are what hubs take.
    form = {"hub.mode": "publish", "hub.topic": ping.topic, "hub.url": ping.topic}
    try:
        # Who configures a hub may mean one on the own network.
        answer = await fetcher.post(ping.hub, Origin.of(ping.hub, internal=True), form)
    except FetchError as error:
        return _Outcome(ping, str(error), is_hub_down=True)
    if 200 <= answer.status < 300:
        return _Outcome(ping)
    wait_s = retry_after_s(answer.headers, now)
    return _Outcome(ping, f"it answered {answer.status}", wait_s, is_hub_down=answer.status >= 500 or wait_s > 0)


def _list_due(app: App, now: datetime) -> list[list[Ping]]:
    """What each hub is to be told now; a hub that is configured no more is forgotten."""
    hubs = app.config.web.hubs
    with app.database.read() as tx:
        due = store.list_due_hubs(tx, now=now)
        pings = [store.list_due_pings(tx, hub, now=now, limit=PINGS_AT_ONCE) for hub in sorted(due & set(hubs))]
    if due - set(hubs):
        with app.database.write() as tx:
            store.drop_pings(tx, hubs=hubs)
    return pings


def _record(app: App, outcomes: Sequence[_Outcome], *, now: datetime) -> PingReport:
    failed = [one for one in outcomes if one.problem]
    lost = [one for one in failed if one.ping.attempts + 1 >= MOST_ATTEMPTS]
    with app.database.write() as tx:
        for one in outcomes:
            if one.problem and one not in lost:
                store.postpone_ping(tx, one.ping, until=now + timedelta(seconds=_wait_s(one)))
            else:
                store.end_ping(tx, one.ping)
    for hub, problem in {one.ping.hub: one.problem for one in failed}.items():
        log.warning("hub not told", hub=hub, problem=problem, feeds=sum(one.ping.hub == hub for one in failed))
    return PingReport(len(outcomes) - len(failed), len(failed) - len(lost), len(lost))


def _wait_s(outcome: _Outcome) -> int:
    return max(min(FIRST_RETRY_S << outcome.ping.attempts, LONGEST_RETRY_S), outcome.retry_after_s)
