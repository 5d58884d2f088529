"""Sending an edition, and what happens to it before and after."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from publisher.app import App
from publisher.errors import ConfigError, DnsError, PublisherError, StateError, StoreError, TransportError
from publisher.store import deliveries as ledger
from publisher.store.editions import Variant, change_edition, count_variants, forget_errors, read_edition
from publisher.store.leases import end_lease, take_lease, take_over
from publisher.store.lock import sender_lock
from publisher.store.newsroom import read_digest
from publisher.usecases.intents import NOT_SENT_ANY_MORE, give_back
from publisher.usecases.pacing import Pacer, make_rules
from publisher.usecases.preflight import check_before_rendering
from publisher.usecases.pump import Progress, Pump
from publisher.usecases.rendering import render_variants
from publisher.usecases.resolving import settle_uncertain
from publisher.usecases.restoring import begin_run, check_epoch
from publisher.usecases.run import Run, Sending
from subscribers.schedule import expires_at

RETRY_PAUSE = timedelta(minutes=1)
"""After a relay could not be used, the service leaves it alone for so long (and no account is locked)."""

JOIN_PAUSE_S = 5.0
"""How often a run looks for editions that became due after it began."""

KNOWN_PAUSE_S = 60.0

FindMore = Callable[[], Sequence[str]]
"""Names of the editions that are due."""

log = structlog.get_logger()


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
    """Send what is due of a planned edition until nothing is left to try now, ``stop`` is set, or the relays fail.

    May be repeated at any time, also after a kill: intents that were left open become ``uncertain`` and are not
    repeated. ``start`` is told how many deliveries are pending and returns what to call with progress.
    SenderBusyError where another process sends.
    """
    (result,) = await send_all(app, [edition_id], stop=stop, start=start)
    return result


async def send_all(
    app: App,
    edition_ids: Sequence[str],
    *,
    stop: asyncio.Event,
    start: Callable[[int], Progress] | None = None,
    find_more: FindMore | None = None,
) -> list[SendResult]:
    """As ``send``, several editions side by side. ``find_more`` is asked at once, and now and then, for others.

    What is wrong with one of these editions is logged and keeps none of the others.
    """
    with sender_lock(app.database):
        run = await asyncio.to_thread(_begin_run, app)
        try:
            results = await _Sender(run, stop).send(
                edition_ids, start=start or (lambda _pending: _ignore), find_more=find_more
            )
        except StoreError:  # a disk that failed is not written to again; the next run takes over
            raise
        except BaseException:
            await asyncio.to_thread(_end_run, run)
            raise
        await asyncio.to_thread(_end_run, run)
        return results


class _Sender:
    """One run: which editions take part, and how each ends."""

    def __init__(self, run: Run, stop: asyncio.Event) -> None:
        self._run = run
        self._app = run.app
        self._stop = stop
        self._pump_at_work: Pump | None = None
        self._trouble: str | None = None
        self._holds: dict[str, str] = {}
        self._unrendered: dict[str, list[Variant]] = {}

    async def send(
        self,
        edition_ids: Sequence[str],
        *,
        start: Callable[[int], Progress],
        find_more: FindMore | None,
    ) -> list[SendResult]:
        seen = list(edition_ids)
        for edition_id in seen:
            await self._join_or_wait(edition_id)
        await self._join_more(seen, find_more)
        if self._run.editions:
            keeping = [
                asyncio.create_task(self._keep_joining(seen, find_more)),
                asyncio.create_task(self._keep_known()),
            ]
            try:
                pending = sum(one.pending for one in self._run.editions.values())
                await self._pump(start(pending))
            finally:
                for task in keeping:
                    task.cancel()
        return [await asyncio.to_thread(self._end_edition, name) for name in seen]

    async def _pump(self, progress: Progress) -> None:
        if (closed := self._run.pacer.find_closed(self._app.clock())) is not None:
            self._trouble = closed.reason
            return
        self._pump_at_work = pump = Pump(self._run, stop=self._stop, progress=progress)
        try:
            await pump.run()
            self._trouble = pump.trouble
            self._holds |= pump.holds
        except TransportError as error:
            self._trouble = str(error)

    async def _join_or_wait(self, edition_id: str) -> None:
        """As ``_join``; where no name server can say whether our keys are published, the edition waits."""
        try:
            await self._join(edition_id)
        except DnsError as error:
            self._holds[edition_id] = str(error)

    async def _join(self, edition_id: str) -> None:
        """Render what is not yet and let the edition take part; what a person must mend first is raised, and said."""
        await asyncio.to_thread(settle_uncertain, self._app, edition_id)
        sending = await asyncio.to_thread(_prepare, self._app, edition_id)
        if sending is None:
            return
        try:
            await asyncio.to_thread(check_before_rendering, self._app, edition_id)
        except (ConfigError, StateError) as error:
            await asyncio.to_thread(_close_when_done, self._app, edition_id, str(error))
            raise
        unrendered = await asyncio.to_thread(render_variants, self._app, edition_id, stop=self._stop.is_set)
        self._unrendered[edition_id] = unrendered
        self._run.editions[edition_id] = sending
        if self._pump_at_work is not None:
            self._pump_at_work.look_again()

    async def _keep_joining(self, seen: list[str], find_more: FindMore | None) -> None:
        while True:
            await asyncio.sleep(JOIN_PAUSE_S)
            await self._join_more(seen, find_more)

    async def _keep_known(self) -> None:
        """Let copies of the database that are made during a long run be known as old ones, too."""
        while True:
            await asyncio.sleep(KNOWN_PAUSE_S)
            await asyncio.to_thread(begin_run, self._app)

    async def _join_more(self, seen: list[str], find_more: FindMore | None) -> None:
        """Let editions that are due by now take part: none waits for the end of a large one, or fails with another."""
        for name in await asyncio.to_thread(find_more) if find_more else ():
            if name in seen or self._stop.is_set():
                continue
            try:
                await self._join_or_wait(name)
            except PublisherError as error:
                log.warning("not sent", edition=name, reason=str(error))
            else:
                seen.append(name)

    def _end_edition(self, edition_id: str) -> SendResult:
        trouble = self._holds.get(edition_id) or self._trouble
        trouble = trouble or _describe_unrendered(edition_id, self._unrendered.get(edition_id, []))
        _close_when_done(self._app, edition_id, trouble)
        return read_result(self._app, edition_id, trouble)


def _begin_run(app: App) -> Run:
    """Take over from senders that died, and be known as the one that sends now; StateError on a restored database."""
    check_epoch(app)
    begin_run(app)
    with app.database.write() as tx:
        take_over(tx, app.clock(), is_alone=app.database.is_sqlite)
        fence = take_lease(tx, f"{socket.gethostname()}:{os.getpid()}")
    return Run(app, fence, Pacer(make_rules(app.config)))


def _end_run(run: Run) -> None:
    give_back(run)
    with run.app.database.write() as tx:
        end_lease(tx, run.fence)
    begin_run(run.app)


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


def _prepare(app: App, edition_id: str) -> Sending | None:
    """Expire what is too old; the edition where something of it is to be sent."""
    now = app.clock()
    with app.database.write() as tx:
        edition = read_edition(tx, edition_id)
        if edition.state in ("open", "approved"):
            raise StateError(f"{edition_id} is not planned. Run: publisher digest plan {edition_id}")
        digest = read_digest(tx, edition.digest_id)
        expiry = expires_at(digest.digest, edition.window_end)
        forget_errors(tx, edition_id)
        if edition.state == "cancelled":
            ledger.close_pending(tx, edition_id, state="cancelled", reply=edition.outcome or "", now=now)
        elif now >= expiry:
            ledger.close_pending(tx, edition_id, state="expired", reply=NOT_SENT_ANY_MORE, now=now)
        _close(tx, app, edition_id)
        pending = _count_pending(tx, edition_id)
    if not (edition.state == "planned" and pending):
        return None
    return Sending(edition_id, digest.number, digest.digest.cadence, edition.window_end, expiry, pending)


def _close_when_done(app: App, edition_id: str, trouble: str | None) -> None:
    with app.database.write() as tx:
        edition = read_edition(tx, edition_id)
        if edition.state == "cancelled":  # while this run had messages in flight
            ledger.close_pending(tx, edition_id, state="cancelled", reply=edition.outcome or "", now=app.clock())
        elif edition.state == "planned" and edition.paused_at is None:
            retry_at = app.clock() + RETRY_PAUSE if trouble else None
            change_edition(tx, edition_id, outcome=_held(trouble), retry_at=retry_at)
        _close(tx, app, edition_id)


def _held(trouble: str | None) -> str | None:
    return trouble and (trouble if trouble.startswith("held: ") else f"held: {trouble}")


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
