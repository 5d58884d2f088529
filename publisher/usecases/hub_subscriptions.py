"""Being told of changes by the hubs of sources (WebSub, subscribing).

A hub only shortens the wait: a source is still collected in its own time, so a hub that falls silent loses nothing.
"""

import asyncio
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Connection

from feeds.discovery import find_hub, read_link_header
from feeds.sources import Source
from publisher.app import App
from publisher.errors import FetchError
from publisher.fetch.addresses import is_public, parse_address
from publisher.fetch.fetcher import Fetcher, Origin
from publisher.fetch.identity import make_user_agent
from publisher.store import hub_subscriptions as store
from publisher.store.hub_subscriptions import Callback, HubSubscription
from publisher.store.sources import change_source, find_source, read_sources
from publisher.usecases.reading import Read

CALLBACK = "/websub/"
LEASE_S = 10 * 86_400
"""Asked for; the hub decides."""
SHORTEST_LEASE_S = 300
LONGEST_LEASE_S = 90 * 86_400
PENDING = timedelta(hours=1)
"""How long a hub has to ask whether a request was meant."""
BETWEEN_FETCHES = timedelta(minutes=1)
"""However often a hub tells of changes, its source is not read more often than that."""
AT_ONCE = 50
FIRST_RETRY_S = 300
LONGEST_RETRY_S = 86_400
MOST_FAREWELLS = 5
"""Attempts to unsubscribe; then the lease runs out by itself."""

log = structlog.get_logger()


def keep_hub(tx: Connection, app: App, source: Source, *, read: Read, now: datetime) -> None:
    """Have the hub asked for that a source names as it was just read; have any other of it ended."""
    if read.document is None:
        return
    header = list(read_link_header(read.response.headers.get("link", "")))
    found = find_hub(header, read.document.links, url=read.response.url)
    if not source.websub or not can_be_reached(app, source):
        found = None
    store.end_subscriptions_but(tx, source.id, found, now=now)
    if found:
        callback = Callback(secrets.token_urlsafe(24), secrets.token_urlsafe(32))
        store.add_subscription(tx, source.id, found, callback=callback, now=now)


def can_be_reached(app: App, source: Source) -> bool:
    """Whether a hub could call us back: the site is public and encrypted, or the source as internal as the site."""
    site = urlsplit(app.config.site.base_url)
    host = site.hostname or ""
    address = parse_address(host)
    is_private = host == "localhost" or host.endswith(".localhost") or (address is not None and not is_public(address))
    return source.internal or (site.scheme == "https" and not is_private)


async def renew_subscriptions(app: App, *, fetcher: Fetcher | None = None) -> int:
    """Ask for, renew and end what is due; how many requests went out. A given ``fetcher`` is not entered yet."""
    now = app.clock()
    due = await asyncio.to_thread(_begin, app, now)
    if not due:
        return 0
    async with fetcher or Fetcher(make_user_agent(app.config)) as opened:
        await asyncio.gather(*(_ask(app, opened, one, source=source) for one, source in due))
    return len(due)


def confirm(app: App, token: str, *, mode: str, topic: str, lease_s: int) -> bool:
    """Whether we asked the hub for just that, and it has not asked us yet; True makes it so (WebSub §5.3)."""
    now = app.clock()
    with app.database.write() as tx:
        found = store.find_by_token(tx, token)
        if found is None or (found.wanted, found.topic) != (mode, topic):
            return False
        if found.pending_until is None or found.pending_until < now:
            return False
        if mode == "unsubscribe":
            store.remove_subscription(tx, found.id)
            return True
        lease = timedelta(seconds=min(max(lease_s, SHORTEST_LEASE_S), LONGEST_LEASE_S))
        renewed = {"lease_until": now + lease, "next_attempt_at": now + lease * 0.8}
        store.change_subscription(tx, found.id, pending_until=None, attempts=0, error=None, **renewed)
    log.info("hub subscribed", source=found.source_id, days=lease.days)
    return True


def accept_denial(app: App, token: str, *, topic: str) -> bool:
    """Take note that the hub will not, or no longer, tell us (WebSub §5.2); False where we never asked for that."""
    now = app.clock()
    with app.database.write() as tx:
        found = store.find_by_token(tx, token)
        if found is None or found.topic != topic:
            return False
        again = {"next_attempt_at": now + timedelta(seconds=LONGEST_RETRY_S), "error": "denied by the hub"}
        store.change_subscription(tx, found.id, pending_until=None, lease_until=None, **again)
    log.warning("hub denied", source=found.source_id)
    return True


def find_signing_secret(app: App, token: str) -> bytes | None:
    """What the hub signs with that may call there; None where no hub may."""
    with app.database.read() as tx:
        found = store.find_by_token(tx, token)
    return found.secret.encode() if found else None


def mark_due(app: App, token: str) -> None:
    """A hub has told of a change and has proved who it is: the source is collected at the next tick.

    A source that fails waits as long as it would without: it may have asked for that.
    """
    now = app.clock()
    with app.database.write() as tx:
        found = store.find_by_token(tx, token)
        state = find_source(tx, found.source_id) if found else None
        if found is None or state is None:
            return
        due_at = max(now, found.notified_at + BETWEEN_FETCHES) if found.notified_at else now
        store.change_subscription(tx, found.id, notified_at=now)
        if not state.failures and state.next_due_at and state.next_due_at > due_at:
            change_source(tx, state.source.id, next_due_at=due_at)
    log.info("hub told of a change", source=found.source_id)


def _begin(app: App, now: datetime) -> list[tuple[HubSubscription, Source]]:
    """What is due, each put down as begun: the hub may ask back before it has answered."""
    with app.database.read() as tx:
        if not store.has_subscriptions(tx):
            return []
    with app.database.write() as tx:
        wanted = [state.source.id for state in read_sources(tx) if state.source.websub]
        store.end_subscriptions_of_others(tx, wanted, now=now)
        due = store.list_due_subscriptions(tx, now=now, limit=AT_ONCE)
        return [(one, source) for one, source in due if _put_begun(tx, one, now=now)]


def _put_begun(tx: Connection, one: HubSubscription, *, now: datetime) -> bool:
    if one.wanted == "unsubscribe" and (one.attempts >= MOST_FAREWELLS or not _is_held(one, now)):
        store.remove_subscription(tx, one.id)
        return False
    wait_s = min(FIRST_RETRY_S << min(one.attempts, 20), LONGEST_RETRY_S)
    values = {"pending_until": now + PENDING, "attempts": one.attempts + 1}
    store.change_subscription(tx, one.id, next_attempt_at=now + timedelta(seconds=wait_s), **values)
    return True


def _is_held(one: HubSubscription, now: datetime) -> bool:
    return one.lease_until is not None and one.lease_until > now


async def _ask(app: App, fetcher: Fetcher, one: HubSubscription, *, source: Source) -> None:
    form = {
        "hub.mode": one.wanted,
        "hub.topic": one.topic,
        "hub.callback": app.config.site.base_url + CALLBACK + one.token,
    }
    if one.wanted == "subscribe":
        form |= {"hub.secret": one.secret, "hub.lease_seconds": str(LEASE_S)}
    try:
        answer = await fetcher.post(one.hub, _origin(one, source), form)
        problem = "" if 200 <= answer.status < 300 else f"{one.hub} answered {answer.status}"
    except FetchError as error:
        problem = str(error)
    if problem:
        log.warning("hub not asked", source=one.source_id, mode=one.wanted, problem=problem)
        await asyncio.to_thread(_put_problem, app, one, problem)


def _put_problem(app: App, one: HubSubscription, problem: str) -> None:
    with app.database.write() as tx:
        store.change_subscription(tx, one.id, error=problem)


def _origin(one: HubSubscription, source: Source) -> Origin:
    """The hub of an internal source may be at another port of the same host; others are public, at the usual ports."""
    at, hub = Origin.of(source.url, internal=source.internal), urlsplit(one.hub)
    is_beside = source.internal and hub.hostname == at.host
    return replace(at, port=hub.port if is_beside else None)
