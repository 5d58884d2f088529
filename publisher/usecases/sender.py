"""One run of the sender, under its lock: who takes part, and what keeps it the one that sends."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta

import structlog

from publisher.app import App
from publisher.errors import ConfigError, DnsError, PublisherError, StateError, TransportError
from publisher.store.editions import Variant
from publisher.store.leases import LEASE, end_lease, take_lease, take_over
from publisher.usecases.endings import close_when_done, prepare
from publisher.usecases.intents import find_hold, give_back, stay_alive
from publisher.usecases.pacing import Pacer, make_rules
from publisher.usecases.preflight import check_before_rendering
from publisher.usecases.pump import Progress, Pump
from publisher.usecases.rendering import render_variants
from publisher.usecases.resolving import settle_uncertain
from publisher.usecases.restoring import begin_run, check_epoch
from publisher.usecases.run import Run

LOOK_PAUSE = timedelta(seconds=5)
"""How often a run looks for editions that became due, or go on, after it began."""

KNOWN_PAUSE = timedelta(minutes=1)
"""How often it is written down that it goes on, so that copies of the database made meanwhile are known as old."""

FindMore = Callable[[], Sequence[str]]
"""Names of the editions that are due."""

log = structlog.get_logger()


def begin_sending(app: App) -> Run:
    """Take over from senders that died, and be known as the one that sends now; StateError on a restored database."""
    check_epoch(app)
    begin_run(app)
    with app.database.write() as tx:
        take_over(tx, app.clock(), is_alone=app.database.is_sqlite)
        fence = take_lease(tx, f"{socket.gethostname()}:{os.getpid()}")
    return Run(app, fence, Pacer(make_rules(app.config)))


def end_sending(run: Run) -> None:
    """Give back what was not begun."""
    give_back(run)
    with run.app.database.write() as tx:
        end_lease(tx, run.fence)
    begin_run(run.app)


class Sender:
    """Sends some editions, and those that ``find_more`` finds meanwhile."""

    def __init__(self, run: Run, stop: asyncio.Event, find_more: FindMore | None) -> None:
        self.seen: list[str] = []
        """The editions that took part, or could not."""
        self.troubles: dict[str, str] = {}
        """Why not all of an edition was sent."""
        self._run = run
        self._app = run.app
        self._stop = stop
        self._find_more = find_more
        self._over = asyncio.Event()
        self._pump: Pump | None = None
        """From when on the relays carry."""
        self._failure: Exception | None = None
        self._unrendered: dict[str, list[Variant]] = {}

    async def send(self, edition_ids: Sequence[str], *, start: Callable[[int], Progress]) -> None:
        """Send until nothing is left to try now. What is wrong with a named edition is raised."""
        keeping = [asyncio.create_task(one) for one in self._keep()]
        try:
            await self._send(edition_ids, start)
        finally:
            self._over.set()  # and waited for: nothing of this run is written after its lock is let go
            await asyncio.wait(keeping)

    async def _send(self, edition_ids: Sequence[str], start: Callable[[int], Progress]) -> None:
        for edition_id in edition_ids:
            self.seen.append(edition_id)
            await self._join_or_wait(edition_id)
        await self._join_more()
        if self._failure is not None:
            raise self._failure
        if self._run.editions:
            await self._carry(start)
        for edition_id, variants in self._unrendered.items():
            if variants:
                self.troubles.setdefault(edition_id, _describe_unrendered(edition_id, variants))

    async def _carry(self, start: Callable[[int], Progress]) -> None:
        if (closed := self._run.pacer.find_closed(self._app.clock())) is not None:
            self._blame(closed.reason)
            return
        pending = sum(one.pending for one in self._run.editions.values())
        pump = self._pump = Pump(self._run, stop=self._stop, progress=start(pending))
        try:
            await pump.run()
            self._blame(pump.trouble)
        except TransportError as error:
            self._blame(str(error))
        finally:
            self.troubles |= pump.holds

    def _blame(self, trouble: str | None) -> None:
        if trouble is not None:
            self.troubles |= dict.fromkeys(self._run.editions, trouble)

    def _keep(self) -> list[Coroutine[None, None, None]]:
        async def be_alive() -> None:
            await asyncio.to_thread(stay_alive, self._run)

        async def be_known() -> None:
            await asyncio.to_thread(begin_run, self._app)

        every = ((LOOK_PAUSE, self._look), (LEASE / 4, be_alive), (KNOWN_PAUSE, be_known))
        return [self._repeat(act, pause) for pause, act in every]

    async def _look(self) -> None:
        """Let editions take part that became due, or go on, since the relays carry."""
        if (pump := self._pump) is None:
            return
        for name in await asyncio.to_thread(self._find_released, pump):
            pump.release(name)
        if await self._join_more():
            pump.look_again()

    async def _repeat(self, act: Callable[[], Awaitable[None]], pause: timedelta) -> None:
        """Do it again and again until the run is over; what goes wrong with it ends the run."""
        while not await self._is_over_within(pause):
            try:
                await act()
            except Exception as error:  # noqa: BLE001  (raised by the run itself)
                self._fail(error)
                return

    def _fail(self, error: Exception) -> None:
        self._failure = error
        if self._pump is not None:
            self._pump.fail(error)

    async def _is_over_within(self, pause: timedelta) -> bool:
        try:
            async with asyncio.timeout(pause.total_seconds()):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    def _find_released(self, pump: Pump) -> list[str]:
        """The editions whose hold has ended."""
        with self._app.database.read() as tx:
            return [name for name in tuple(pump.holds) if find_hold(tx, self._run, name) is None]

    async def _join_more(self) -> bool:
        """Let editions that are due by now take part: none waits for the end of a large one, or fails with another."""
        found = await asyncio.to_thread(self._find_more) if self._find_more else ()
        new = [name for name in found if name not in self.seen]
        for name in new:
            if self._stop.is_set() or self._over.is_set():
                break
            self.seen.append(name)
            try:
                await self._join_or_wait(name)
            except PublisherError as error:
                self.troubles[name] = str(error)
                log.warning("not sent", edition=name, reason=str(error))
        return bool(new)

    async def _join_or_wait(self, edition_id: str) -> None:
        """As ``_join``; where no name server can say whether our keys are published, the edition waits."""
        try:
            await self._join(edition_id)
        except DnsError as error:
            self.troubles[edition_id] = str(error)

    async def _join(self, edition_id: str) -> None:
        """Render what is not yet and let the edition take part; what a person must mend first is raised, and said."""
        await asyncio.to_thread(settle_uncertain, self._app, edition_id)
        sending = await asyncio.to_thread(prepare, self._app, edition_id)
        if sending is None:
            return
        try:
            await asyncio.to_thread(check_before_rendering, self._app, edition_id)
        except (ConfigError, StateError) as error:
            await asyncio.to_thread(close_when_done, self._app, edition_id, str(error))
            raise
        unrendered = await asyncio.to_thread(render_variants, self._app, edition_id, stop=self._is_stopped)
        self._unrendered[edition_id] = unrendered
        self._run.editions[edition_id] = sending

    def _is_stopped(self) -> bool:
        return self._stop.is_set() or self._over.is_set()


def _describe_unrendered(edition_id: str, variants: list[Variant]) -> str:
    remedy = f"Mend the template, then run: publisher digest send {edition_id}"
    return f"{len(variants)} variants could not be rendered ({variants[0].error}) and wait. {remedy}"
