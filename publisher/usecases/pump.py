"""The asyncio side of sending: a feeder that talks to the ledger, and a worker for each connection.

At most ``connections × 2`` intents are open at any moment; that is what a kill can leave uncertain.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

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
        self._ready: asyncio.Queue[_Ready | None] = asyncio.Queue()
        self._last_trouble: str | None = None
        self._finished: list[Finished] = []
        self._open = 0
        self._wake = asyncio.Event()
        self._is_held = False
        self._next_slot = 0.0

    async def run(self) -> None:
        """Send until done. What a worker or the ledger did not expect ends the run; open intents stay open."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._smtp.connections)]
        for worker in self._workers:
            worker.add_done_callback(lambda _worker: self._wake.set())
        try:
            while await self._feed():
                await self._gather()
            if self._is_without_workers():
                self.trouble = self._last_trouble
            for _ in self._workers:
                self._ready.put_nowait(None)
            await asyncio.gather(*self._workers)
        finally:
            for worker in self._workers:
                worker.cancel()

    async def _feed(self) -> bool:
        """Commit what finished and what may begin next; False when there is neither."""
        for worker in self._workers:
            if worker.done():
                worker.result()  # raises what it did not expect
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
            self._ready.put_nowait(_Ready(claim, self._frames[claim.variant_id], started))
        settled = [one for one in finished if one.outcome.verdict.state not in ("deferred", "planned")]
        self._progress(len(settled) + begun.refused)
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
        """Fetch the frames of newly claimed variants and forget the others: what is ready carries its own."""
        wanted = {claim.variant_id for claim in self._claims}
        kept = {key: frame for key, frame in self._frames.items() if key in wanted}
        self._frames = kept | await asyncio.to_thread(load_frames, self._holder, wanted - kept.keys())

    async def _gather(self) -> None:
        """Wait until half of what is in flight has finished, but not long once something has."""
        enough = max(1, self._open // 2)
        while self._open and len(self._finished) < enough and not self._needs_look():
            self._wake.clear()
            try:
                async with asyncio.timeout(GATHER_S if self._finished else None):
                    await self._wake.wait()
            except TimeoutError:
                return

    def _needs_look(self) -> bool:
        """Whether no worker is left, or one ended by what it did not expect."""
        ended = [worker for worker in self._workers if worker.done()]
        return len(ended) == len(self._workers) or any(worker.exception() for worker in ended)

    def _is_without_workers(self) -> bool:
        return all(worker.done() for worker in self._workers)

    def _give_up_ready(self) -> None:
        while not self._ready.empty():
            entry = self._ready.get_nowait()
            if entry is not None:
                self._finish(entry, Outcome(Verdict("planned"), f"not tried: {self._last_trouble}"))

    async def _work(self) -> None:
        """Send what is ready on one connection after another, until told to end or the relay cannot be used."""
        lost = 0
        entry = await self._ready.get()
        while entry is not None:
            try:
                async with Connection(self._holder.app.config) as connection:
                    while entry is not None and connection.is_open:
                        outcome = await self._try(connection, entry)
                        is_lost = not connection.is_open and outcome.verdict.state in ("deferred", "uncertain")
                        lost = lost + 1 if is_lost else 0
                        self._finish(entry, outcome)
                        entry = None if lost == MAX_LOST_CONNECTIONS else await self._ready.get()
            except TransportError as error:
                self._last_trouble = str(error)
                if entry is not None:
                    self._finish(entry, Outcome(Verdict("planned"), f"not tried: {error}"))
                return
        if lost == MAX_LOST_CONNECTIONS:
            self._last_trouble = "the relay keeps closing connections"

    async def _try(self, connection: Connection, entry: "_Ready") -> Outcome:
        passing("send-after-intent")
        await self._keep_pace()

        async def veto() -> Outcome | None:
            if time.monotonic() - entry.begun_at < STALE_INTENT_S:
                return None
            return await asyncio.to_thread(find_veto, self._holder, entry.claim)

        try:
            envelope = self._make_envelope(entry)
        except RenderError as error:
            return Outcome(Verdict("failed"), str(error))
        outcome = await connection.send(envelope, veto)
        passing("send-after-reply")
        return outcome

    def _make_envelope(self, entry: "_Ready") -> Envelope:
        holder = self._holder
        return make_envelope(
            holder.app, entry.claim, entry.frame, edition_id=holder.edition_id, digest_number=self._digest_number
        )

    async def _keep_pace(self) -> None:
        if self._smtp.messages_per_second is None:
            return
        slot = max(time.monotonic(), self._next_slot)
        self._next_slot = slot + 1 / self._smtp.messages_per_second
        await asyncio.sleep(slot - time.monotonic())

    def _finish(self, entry: "_Ready", outcome: Outcome) -> None:
        self._finished.append(Finished(entry.claim, outcome))
        self._wake.set()


@dataclass(frozen=True, slots=True)
class _Ready:
    """A committed intent with its frame: waiting for a connection may outlast the frame's place in memory."""

    claim: Claim
    frame: Frame
    begun_at: float
