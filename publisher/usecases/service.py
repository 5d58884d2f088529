"""What a tick does: all that is due by the rows, so that a missed or doubled tick changes nothing."""

import asyncio

import structlog

from publisher.app import App
from publisher.errors import PublisherError, SenderBusyError
from publisher.store.deliveries import find_sendable
from publisher.store.editions import list_editions
from publisher.store.newsroom import read_digest
from publisher.usecases.collect import collect_due
from publisher.usecases.feed_shelf import FRESH_FOR_S
from publisher.usecases.feed_tree import refresh_static
from publisher.usecases.hub_pings import PingReport, note_changes, ping_hubs
from publisher.usecases.hub_subscriptions import renew_subscriptions
from publisher.usecases.opening import open_due_editions
from publisher.usecases.planning import plan
from publisher.usecases.resolving import find_unsettled, settle_uncertain
from publisher.usecases.sending import send_all
from subscribers.schedule import expires_at

log = structlog.get_logger()


async def collect_tick(app: App) -> None:
    """Collect the sources that are due."""
    report = await collect_due(app)
    if report.sources:
        log.info(
            "collected",
            new=report.new,
            changed=report.changed,
            failed=[one.id for one in report.sources if one.has_failed],
        )


async def edition_tick(app: App) -> None:
    """Open the editions that should exist and plan the approved ones."""
    for edition in await asyncio.to_thread(open_due_editions, app):
        log.info("opened", edition=edition.id, state=edition.state, outcome=edition.outcome)
    for name in await asyncio.to_thread(_find_plannable, app):
        await _plan(app, name)


async def send_tick(app: App, stop: asyncio.Event) -> None:
    """Settle what is in doubt, then send what is due, all editions side by side.

    It lasts as long as its slowest server takes, so it has a loop of its own.
    """
    for name in await asyncio.to_thread(find_unsettled, app):
        await _settle(app, name)
    if not await asyncio.to_thread(_find_sendable, app):
        return
    try:
        results = await send_all(app, (), stop=stop, find_more=lambda: _find_sendable(app))
    except SenderBusyError as error:
        log.info("waiting for the other sender", reason=str(error))
    except PublisherError as error:
        log.warning("not sent", reason=str(error))
    else:
        for result in results:
            log.info("sent", edition=result.edition, trouble=result.trouble, **result.states)


async def hub_tick(app: App) -> None:
    """Tell hubs of changed feeds, once they are shown, and ask the hubs of sources to tell us."""
    if await asyncio.to_thread(note_changes, app):
        await asyncio.sleep(2 * FRESH_FOR_S)  # until whoever serves feeds shows the change: a hub comes at once
    if await asyncio.to_thread(_refresh_tree, app):
        report = await ping_hubs(app)
        if report != PingReport():
            log.info("hubs told", feeds=report.sent, postponed=report.postponed, given_up=report.given_up)
    await renew_subscriptions(app)


def _refresh_tree(app: App) -> bool:
    """Whether the files of feeds, if there are any, show all changes: hubs would fetch old ones."""
    directory = app.config.web.feeds_dir
    if directory is None:
        return True
    try:
        report = refresh_static(app, directory)
    except PublisherError as error:
        log.warning("feeds not built", reason=str(error))
        return False
    if report:
        log.info("feeds built", written=len(report.written), removed=len(report.removed), failed=list(report.failed))
    return True


async def _plan(app: App, edition_id: str) -> None:
    try:
        added = await asyncio.to_thread(plan, app, edition_id)
    except PublisherError as error:
        log.warning("not planned", edition=edition_id, reason=str(error))
    else:
        log.info("planned", edition=edition_id, deliveries=added)


async def _settle(app: App, edition_id: str) -> None:
    try:
        result = await asyncio.to_thread(settle_uncertain, app, edition_id)
    except PublisherError as error:
        log.warning("not settled", edition=edition_id, reason=str(error))
    else:
        log.info("settled", edition=edition_id, uncertain=result.left, **result.settled)


def _find_plannable(app: App) -> list[str]:
    with app.database.read() as tx:
        return [edition.id for edition in list_editions(tx, states=("approved",)) if edition.paused_at is None]


def _find_sendable(app: App) -> list[str]:
    """Editions with something to send, and those that are too old and wait to be closed."""
    now = app.clock()
    with app.database.read() as tx:
        planned = list_editions(tx, states=("planned",))
        late = [one.id for one in planned if now >= expires_at(read_digest(tx, one.digest_id).digest, one.window_end)]
        return [*late, *(name for name in find_sendable(tx, now) if name not in late)]
