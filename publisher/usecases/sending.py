"""Sending an edition, and what happens to it before and after."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from publisher.app import App
from publisher.errors import StateError, TransportError
from publisher.store import deliveries as ledger
from publisher.store.editions import Edition, Variant, change_edition, count_variants, forget_errors, read_edition
from publisher.store.lock import sender_lock
from publisher.store.newsroom import NumberedDigest, read_digest
from publisher.transport import smtp
from publisher.usecases.addressing import check_signing
from publisher.usecases.intents import Holder, give_back
from publisher.usecases.pump import Progress, Pump
from publisher.usecases.rendering import render_variants
from subscribers.schedule import expires_at

RETRY_PAUSE = timedelta(minutes=1)
"""After a relay could not be used, the service leaves it alone for so long (and no account is locked)."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What an edition's deliveries are after a run of the sender."""

    edition: str
    planned: int
    states: dict[str, int]
    variants: int
    trouble: str | None = None
    """Why the run ended early; what was not begun waits for the next one."""
    next_due_at: datetime | None = None
    """When the first deferred delivery may be tried again."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing failed, nothing is in doubt and the run came to its end."""
        return self.trouble is None and not self.states.keys() & {"failed", "uncertain"}


def send_edition(app: App, edition_id: str, *, start: Callable[[int], Progress] | None = None) -> SendResult:
    """As ``send``, from synchronous code."""
    return asyncio.run(send(app, edition_id, stop=asyncio.Event(), start=start))


async def send(
    app: App, edition_id: str, *, stop: asyncio.Event, start: Callable[[int], Progress] | None = None
) -> SendResult:
    """Send what is due of a planned edition until nothing is left to try now, ``stop`` is set, or the relay fails.

    May be repeated at any time, also after a kill: intents that were left open become ``uncertain`` and are not
    repeated. ``start`` is told how many deliveries are pending and returns what to call with progress.
    SenderBusyError where another process sends.
    """
    check_signing(app.config)
    with sender_lock(app.database):
        edition, digest, pending = await asyncio.to_thread(_prepare, app, edition_id)
        if edition.state != "planned" or not pending:
            return await asyncio.to_thread(read_result, app, edition_id)
        if (trouble := await _try_relay(app)) is not None:
            await asyncio.to_thread(_close_when_done, app, edition_id, trouble)
            return await asyncio.to_thread(read_result, app, edition_id, trouble)
        unrendered = await asyncio.to_thread(render_variants, app, edition_id, stop=stop.is_set)
        holder = Holder(app, edition.id, digest.digest.cadence)
        pump = Pump(holder, digest.number, stop=stop, progress=start(pending) if start else _ignore)
        try:
            await pump.run()
        finally:
            await asyncio.to_thread(give_back, holder)
        trouble = pump.trouble or _describe_unrendered(edition_id, unrendered)
        await asyncio.to_thread(_close_when_done, app, edition_id, trouble)
        return await asyncio.to_thread(read_result, app, edition_id, trouble)


def read_result(app: App, edition_id: str, trouble: str | None = None) -> SendResult:
    """The figures of an edition, counted from its rows."""
    with app.database.read() as tx:
        read_edition(tx, edition_id)
        states = ledger.count_states(tx, edition_id)
        return SendResult(
            edition=edition_id,
            planned=sum(states.values()),
            states=states,
            variants=count_variants(tx, edition_id),
            trouble=trouble,
            next_due_at=ledger.next_due_at(tx, edition_id),
        )


async def _try_relay(app: App) -> str | None:
    """Why the relay cannot be used now, found out by one connection before ten ask for the password to be refused."""
    try:
        async with smtp.Connection(app.config):
            return None
    except TransportError as error:
        return str(error)


def _prepare(app: App, edition_id: str) -> tuple[Edition, NumberedDigest, int]:
    """Take over from a sender that died, expire what is too old; the edition, its digest and how much is pending."""
    now = app.clock()
    with app.database.write() as tx:
        edition = read_edition(tx, edition_id)
        if edition.state in ("open", "approved"):
            raise StateError(f"{edition_id} is not planned. Run: publisher digest plan {edition_id}")
        digest = read_digest(tx, edition.digest_id)
        ledger.take_over(tx, now)
        forget_errors(tx, edition_id)
        if edition.state == "cancelled":
            ledger.close_pending(tx, edition_id, state="cancelled", reply=edition.outcome or "", now=now)
        elif now >= expires_at(digest.digest, edition.window_end):
            ledger.close_pending(tx, edition_id, state="expired", reply="the next edition is due", now=now)
        _close(tx, app, edition_id)
        pending = _count_pending(tx, edition_id)
    return edition, digest, pending


def _close_when_done(app: App, edition_id: str, trouble: str | None) -> None:
    with app.database.write() as tx:
        edition = read_edition(tx, edition_id)
        if edition.state == "cancelled":  # while this run had messages in flight
            ledger.close_pending(tx, edition_id, state="cancelled", reply=edition.outcome or "", now=app.clock())
        elif edition.paused_at is None:
            retry_at = app.clock() + RETRY_PAUSE if trouble else None
            change_edition(tx, edition_id, outcome=f"held: {trouble}" if trouble else None, retry_at=retry_at)
        _close(tx, app, edition_id)


def _close(tx: Connection, app: App, edition_id: str) -> None:
    """An edition with nothing pending is done, and says how it ended."""
    edition = read_edition(tx, edition_id)
    states = ledger.count_states(tx, edition_id)
    if edition.state != "planned" or _count_pending(tx, edition_id):
        return
    outcome = ", ".join(f"{count} {state}" for state, count in states.items())
    change_edition(tx, edition_id, state="done", outcome=outcome, done_at=app.clock())


def _describe_unrendered(edition_id: str, variants: list[Variant]) -> str | None:
    if not variants:
        return None
    remedy = f"Mend the template, then run: publisher digest send {edition_id}"
    return f"{len(variants)} variants could not be rendered ({variants[0].error}) and wait. {remedy}"


def _count_pending(tx: Connection, edition_id: str) -> int:
    states = ledger.count_states(tx, edition_id)
    return sum(states.get(state, 0) for state in ledger.PENDING)


def _ignore(settled: int) -> None:
    """No progress is wanted."""
