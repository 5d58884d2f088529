"""The asyncio side of sending: a composer makes messages, a feeder talks to the ledger, the relays carry.

At most ``connections × 2`` intents are open at any moment; that is what a kill can leave uncertain.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from publisher.errors import RenderError, StateError
from publisher.failpoints import passing
from publisher.mail.dkim import has_relaxed_body
from publisher.mail.frame import Frame
from publisher.mail.signing import SigningPool
from publisher.store.batches import in_batches
from publisher.store.deliveries import Claim
from publisher.transport.messages import Attempt, Envelope, Outcome
from publisher.transport.pool import RelayPool
from publisher.usecases.addressing import make_envelope
from publisher.usecases.intents import claim_chunk, exchange, find_veto, give_back, load_frames, postpone
from publisher.usecases.later import Later
from publisher.usecases.preflight import check_size
from publisher.usecases.run import Begun, Finished, Run, Wanted
from subscribers.fairness import Contender, Turns, next_turn
from subscribers.replies import Verdict

CHUNK = 400
"""Deliveries claimed at a time."""

GATHER_S = 0.05
"""How long outcomes wait for company before they are committed."""

Progress = Callable[[int], None]
"""Called with the number of deliveries settled since the last call."""


@dataclass(frozen=True, slots=True)
class _Composed:
    """A claim with its message, ready to be begun."""

    claim: Claim
    envelope: Envelope


class Pump:
    """One run of the sender: ``run`` returns when nothing is left to begin and nothing is in flight."""

    def __init__(self, run: Run, *, stop: asyncio.Event, progress: Progress) -> None:
        self.trouble: str | None = None
        """Why the run ended early."""
        self.holds: dict[str, str] = {}
        """Editions of which nothing more began, and why."""
        self._run = run
        self._stop = stop
        self._progress = progress
        self._pool = RelayPool(run.app.config, self)
        self._group_max = run.app.config.smtp.connections * 2
        self._frames: dict[int, Frame] = {}
        self._relaxed: dict[int, bool] = {}
        self._composed: deque[_Composed] = deque()
        self._later = Later[_Composed]()
        self._finished: list[Finished] = []
        self._open = 0
        self._turns: Turns = {}
        self._wake = asyncio.Event()
        self._has_room = asyncio.Event()
        self._more = asyncio.Event()
        self._is_dry = False
        self._composer: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    async def run(self) -> None:
        """Send until done; TransportError where no relay can be used, and nothing was claimed then.

        What the ledger or a message did not expect ends the run; open intents stay open.
        """
        stopping: asyncio.Task[None] | None = None
        async with SigningPool(self._run.app.config) as signers:
            try:
                await self._pool.open()
                await asyncio.to_thread(self._check_size)
                self._composer = asyncio.create_task(self._compose(signers))
                self._composer.add_done_callback(lambda _task: self._wake.set())
                stopping = asyncio.create_task(self._watch_stop())
                while await self._feed():
                    await self._gather()
                self.trouble = self._pool.trouble
                await self._pool.end()
            finally:
                self._pool.abort()
                for task in (self._composer, stopping):
                    if task is not None:
                        task.cancel()

    # What the relays say, in the event loop

    def finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """An attempt has ended."""
        passing("send-after-reply")
        self._finished.append(Finished(attempt.claim, attempt.relay, outcome))
        self._wake.set()

    async def _watch_stop(self) -> None:
        await self._stop.wait()
        self._wake.set()

    async def recheck(self, attempt: Attempt) -> Outcome | None:
        """Whether an intent that has waited still holds; where that cannot be found out, the run ends."""
        asked = asyncio.ensure_future(asyncio.to_thread(find_veto, self._run, attempt.claim))
        await asyncio.wait([asked])
        if (error := asked.exception()) is None:
            return asked.result()
        self._failure = error
        self._wake.set()
        return Outcome(Verdict("planned"), f"not tried: {error}")

    def change(self) -> None:
        """A connection began or ended."""
        self._wake.set()
        self._pool.go()

    def look_again(self) -> None:
        """There may be something to claim: an edition has joined, or messages have come back."""
        self._more.set()
        self._wake.set()

    def _check_size(self) -> None:
        """Hold the editions of which a message is larger than the relay takes."""
        for edition_id in tuple(self._run.editions):
            try:
                check_size(self._run.app, edition_id, self._pool.size_limit)
            except StateError as error:
                self.holds[edition_id] = str(error)

    # The feeder

    async def _feed(self) -> bool:
        """Commit what finished and what may begin next; False when there is neither and nothing more will come."""
        self._raise_failure()
        self._pool.go()
        finished, self._finished = self._finished, []
        group = self._next_group()
        if finished or group:
            self._open += len(group) - len(finished)
            await self._exchange(finished, group)
        return self._open > 0 or bool(self._finished) or not self._is_exhausted()

    def _next_group(self) -> list[_Composed]:
        """What may begin now; what waits behind an end or a hold is dropped, as its claim is given back."""
        if self._stop.is_set() or self._pool.trouble is not None:
            self._composed.clear()
            self._later.clear()
        self._composed.extendleft(self._later.take_due())
        room = min(self._group_max - self._open, self._pool.room)
        group: list[_Composed] = []
        while room > len(group) and self._composed:
            composed = self._composed.popleft()
            if composed.claim.edition_id not in self.holds:
                group.append(composed)
        self._has_room.set()
        return group

    async def _exchange(self, finished: list[Finished], group: list[_Composed]) -> None:
        relays = self._pool.share_out(len(group))
        wanted = [Wanted(one.claim, relay) for one, relay in zip(group, relays, strict=True)]
        begun = await asyncio.to_thread(exchange, self._run, finished, wanted)
        passing("send-after-intent")
        now = asyncio.get_running_loop().time()
        self._open -= len(group) - len(begun.ids)
        for one, relay in zip(group, relays, strict=True):
            if one.claim.id in begun.ids:
                self._pool.push(Attempt(one.claim, one.envelope, now, relay))
            elif one.claim.id in begun.waits and one.claim.edition_id not in begun.holds:
                self._later.add(one, begun.waits[one.claim.id])
        for relay, connections in begun.connections.items():
            self._pool.limit(relay, connections)
        self._pool.go()
        await self._let_go(begun)
        if any(one.outcome.verdict.state == "planned" for one in finished):
            self.look_again()
        settled = [one for one in finished if one.outcome.verdict.state not in ("deferred", "planned")]
        self._progress(len(settled) + begun.refused)

    async def _let_go(self, begun: Begun) -> None:
        """Of editions that are held, and of what has to wait too long to be kept in hand."""
        for edition_id, hold in begun.holds.items():
            await self._hold(edition_id, hold)
        if surplus := self._later.take_surplus():
            await asyncio.to_thread(postpone, self._run, {one.claim: wait_s for one, wait_s in surplus})

    async def _hold(self, edition_id: str, reason: str) -> None:
        """Begin nothing more of an edition in this run, and let go of what is claimed of it."""
        self.holds[edition_id] = reason
        self._later.drop(lambda one: one.claim.edition_id == edition_id)
        await asyncio.to_thread(give_back, self._run, edition_id)

    async def _gather(self) -> None:
        """Wait until half of what is in flight has finished, but not long once something has."""
        enough = max(1, self._open // 2)
        while len(self._finished) < enough and not self._can_begin() and not self._is_over():
            self._wake.clear()
            try:
                async with asyncio.timeout(GATHER_S if self._finished else self._later.wait_s):
                    await self._wake.wait()
            except TimeoutError:
                return

    def _can_begin(self) -> bool:
        """Whether half of what may be in flight is free and composed: a smaller group is not worth a transaction.

        But where nothing is in flight nothing else will come, however few connections are left.
        """
        room = min(self._group_max - self._open, self._pool.room)
        worth = min(self._group_max // 2, len(self._composed)) if self._open else 1
        return bool(self._composed) and room >= worth

    def _is_over(self) -> bool:
        return self._failure is not None or self._pool.trouble is not None or (self._is_exhausted() and not self._open)

    def _is_exhausted(self) -> bool:
        """Whether nothing more can be begun in this run."""
        if self._stop.is_set() or self._pool.trouble is not None:
            return True
        is_dry = self._composer is None or self._composer.done() or (self._is_dry and not self._more.is_set())
        return is_dry and not (self._composed or self._later)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._composer is not None and self._composer.done() and not self._composer.cancelled():
            self._composer.result()  # raises what it did not expect

    # The composer

    async def _compose(self, signers: SigningPool) -> None:
        """Claim, compose and sign ahead of the feeder, fairly between editions; wait where nothing is due."""
        while not self._stop.is_set():
            self._more.clear()
            claims = await self._next_claims()
            if not claims:
                await self._wait_for_more()
                continue
            await self._load_frames({claim.variant_id for claim in claims})
            for batch in in_batches(claims, size=self._group_max):
                await self._wait_for_room()
                self._composed.extend(await self._sign(signers, self._make(batch)))
                self._wake.set()

    async def _wait_for_more(self) -> None:
        self._is_dry = True
        self._wake.set()
        await self._more.wait()
        self._is_dry = False

    async def _wait_for_room(self) -> None:
        while len(self._composed) > self._group_max:
            self._has_room.clear()
            await self._has_room.wait()

    async def _next_claims(self) -> list[Claim]:
        """A chunk of the edition whose turn it is; none where no edition has anything due."""
        waiting = {name: one for name, one in self._run.editions.items() if name not in self.holds}
        while waiting:
            contenders = [Contender(one.edition_id, one.cadence, one.cut_off, one.pending) for one in waiting.values()]
            chosen, self._turns = next_turn(contenders, self._turns)
            if claims := await asyncio.to_thread(claim_chunk, self._run, chosen.edition_id, limit=CHUNK):
                return claims
            del waiting[chosen.edition_id]
        return []

    async def _load_frames(self, wanted: Collection[int]) -> None:
        """Fetch the frames of newly claimed variants and forget the others."""
        kept = {key: frame for key, frame in self._frames.items() if key in wanted}
        self._relaxed = {key: is_relaxed for key, is_relaxed in self._relaxed.items() if key in wanted}
        self._frames = kept | await asyncio.to_thread(load_frames, self._run, set(wanted) - kept.keys())

    async def _sign(self, signers: SigningPool, composed: list[_Composed]) -> list[_Composed]:
        if not signers.is_signing:
            return composed
        are_relaxed = all(self._is_relaxed(one.claim.variant_id) for one in composed)
        signed = await signers.sign([one.envelope.message for one in composed], are_relaxed=are_relaxed)
        return [
            _Composed(one.claim, replace(one.envelope, message=message))
            for one, message in zip(composed, signed, strict=True)
        ]

    def _is_relaxed(self, variant_id: int) -> bool:
        if variant_id not in self._relaxed:
            self._relaxed[variant_id] = has_relaxed_body(self._frames[variant_id])
        return self._relaxed[variant_id]

    def _make(self, claims: Collection[Claim]) -> list[_Composed]:
        composed = []
        for claim in claims:
            try:
                composed.append(_Composed(claim, self._make_envelope(claim)))
            except RenderError as error:
                self._finished.append(Finished(claim, "", Outcome(Verdict("failed"), str(error))))
                self._open += 1
        return composed

    def _make_envelope(self, claim: Claim) -> Envelope:
        number = self._run.editions[claim.edition_id].digest_number
        return make_envelope(self._run.app, claim, self._frames[claim.variant_id], digest_number=number)
