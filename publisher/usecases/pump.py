"""The asyncio side of sending: a feeder that talks to the ledger, and a worker for each connection.

At most ``connections × 2`` intents are open at any moment; that is what a kill can leave uncertain.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from publisher.errors import RenderError, TransportError
from publisher.failpoints import passing
from publisher.mail.frame import Frame
from publisher.store.deliveries import Claim
from publisher.transport.smtp import Connection, Envelope, Outcome
from publisher.usecases.addressing import make_envelope
from publisher.usecases.intents import Finished, Holder, claim_chunk, exchange, find_veto, load_frames
from subscribers.replies import Verdict

CHUNK = 400
"""Deliveries claimed at a time."""

STALE_INTENT_S = 1.0
"""An intent older than this when its body would begin is read again first."""

GATHER_S = 0.05
"""How long outcomes wait for company before they are committed."""

MAX_LOST_CONNECTIONS = 10
"""A worker gives up after so many connections in a row that carried nothing."""

Progress = Callable[[int], None]
"""Called with the number of deliveries settled since the last call."""


class Pump:
    """One run of the sender: ``run`` returns when nothing is left to begin and nothing is in flight."""

    def __init__(self, holder: Holder, digest_number: int, *, stop: asyncio.Event, progress: Progress) -> None:
        self.trouble: str | None = None
        """Why the run ended early."""
        self._holder = holder
        self._digest_number = digest_number
        self._stop = stop
        self._progress = progress
        self._smtp = holder.app.config.smtp
        self._workers: list[asyncio.Task[None]] = []
        self._claims: deque[Claim] = deque()
        self._frames: dict[int, Frame] = {}
        self._ready: asyncio.Queue[tuple[Claim, float] | None] = asyncio.Queue()
        self._finished: list[Finished] = []
        self._open = 0
        self._wake = asyncio.Event()
        self._is_held = False
        self._next_slot = 0.0

    async def run(self) -> None:
        """Send until done. An exception of a worker or of the ledger ends the run; open intents stay open."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._smtp.connections)]
        try:
            while await self._feed():
                await self._gather()
            for _ in self._workers:
                self._ready.put_nowait(None)
            await asyncio.gather(*self._workers)
        finally:
            for worker in self._workers:
                worker.cancel()

    async def _feed(self) -> bool:
        """Commit what finished and what may begin next; False when there is neither."""
        if self._is_without_workers():
            self._give_up_ready()
        finished, self._finished = self._finished, []
        self._open -= len(finished)
        group = await self._next_group()
        if not (finished or group):
            return self._open > 0
        begun = await asyncio.to_thread(exchange, self._holder, finished, group)
        if begun.hold is not None:
            self._is_held, self.trouble = True, begun.hold
        self._open += len(begun.claims)
        started = time.monotonic()
        for claim in begun.claims:
            self._ready.put_nowait((claim, started))
        self._progress(sum(one.outcome.verdict.state != "deferred" for one in finished) + begun.refused)
        return True

    async def _next_group(self) -> list[Claim]:
        if self._stop.is_set() or self._is_held or self._is_without_workers():
            return []
        room = self._smtp.connections * 2 - self._open
        if room and not self._claims:
            self._claims.extend(await asyncio.to_thread(claim_chunk, self._holder, limit=CHUNK))
            await self._load_frames()
        return [self._claims.popleft() for _ in range(min(room, len(self._claims)))]

    async def _load_frames(self) -> None:
        """Fetch the frames of newly claimed variants and forget those that nothing in flight needs."""
        wanted = {claim.variant_id for claim in self._claims}
        missing = wanted - self._frames.keys()
        fetched = await asyncio.to_thread(load_frames, self._holder, missing)
        recent = list(self._frames.items())[-self._smtp.connections * 2 :]
        self._frames = dict(recent) | {key: self._frames[key] for key in wanted - missing} | fetched

    async def _gather(self) -> None:
        """Wait until half of what is in flight has finished, but not long once something has."""
        enough = max(1, self._open // 2)
        while self._open and len(self._finished) < enough and not self._is_without_workers():
            self._wake.clear()
            try:
                async with asyncio.timeout(GATHER_S if self._finished else None):
                    await self._wake.wait()
            except TimeoutError:
                return

    def _is_without_workers(self) -> bool:
        return all(worker.done() for worker in self._workers)

    def _give_up_ready(self) -> None:
        for worker in self._workers:
            worker.result()  # raises what a worker did not expect
        while not self._ready.empty():
            entry = self._ready.get_nowait()
            if entry is not None:
                self._finish(entry[0], Outcome(Verdict("deferred"), f"not tried: {self.trouble}"))

    async def _work(self) -> None:
        """Send what is ready on one connection after another, until told to end or the relay cannot be used."""
        lost = 0
        entry = await self._ready.get()
        while entry is not None:
            try:
                async with Connection(self._holder.app.config) as connection:
                    while entry is not None and connection.is_open:
                        outcome = await self._try(connection, *entry)
                        lost = 0 if connection.is_open else lost + 1
                        self._finish(entry[0], outcome)
                        entry = None if lost == MAX_LOST_CONNECTIONS else await self._ready.get()
            except TransportError as error:
                if entry is not None:
                    self._finish(entry[0], Outcome(Verdict("deferred"), str(error)))
                self._leave(str(error))
                return
        if lost == MAX_LOST_CONNECTIONS:
            self._leave("the relay keeps closing connections")

    async def _try(self, connection: Connection, claim: Claim, begun_at: float) -> Outcome:
        passing("send-after-intent")
        await self._keep_pace()

        async def veto() -> Outcome | None:
            if time.monotonic() - begun_at < STALE_INTENT_S:
                return None
            return await asyncio.to_thread(find_veto, self._holder, claim)

        try:
            envelope = self._make_envelope(claim)
        except RenderError as error:
            return Outcome(Verdict("failed"), str(error))
        outcome = await connection.send(envelope, veto)
        passing("send-after-reply")
        return outcome

    def _make_envelope(self, claim: Claim) -> Envelope:
        frame = self._frames[claim.variant_id]
        holder = self._holder
        return make_envelope(holder.app, claim, frame, edition_id=holder.edition_id, digest_number=self._digest_number)

    async def _keep_pace(self) -> None:
        if self._smtp.messages_per_second is None:
            return
        slot = max(time.monotonic(), self._next_slot)
        self._next_slot = slot + 1 / self._smtp.messages_per_second
        await asyncio.sleep(slot - time.monotonic())

    def _finish(self, claim: Claim, outcome: Outcome) -> None:
        self._finished.append(Finished(claim, outcome))
        self._wake.set()

    def _leave(self, reason: str) -> None:
        """This worker ends. With the last one the run ends, and says why."""
        self.trouble = reason
        asyncio.get_running_loop().call_soon(self._wake.set)
