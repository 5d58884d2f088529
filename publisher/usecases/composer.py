"""Claims what is due, and makes signed messages of it, ahead of whoever begins them."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from publisher.errors import RenderError, StateError
from publisher.mail.dkim import has_relaxed_body
from publisher.mail.frame import Frame
from publisher.mail.signing import SigningPool
from publisher.store.batches import in_batches
from publisher.store.deliveries import Claim
from publisher.transport.messages import Envelope
from publisher.transport.pool import RelayPool
from publisher.usecases.addressing import make_envelope
from publisher.usecases.intents import claim_chunk, load_frames
from publisher.usecases.preflight import check_size
from publisher.usecases.run import Run, Sending
from subscribers.fairness import Contender, Turns, next_turn

CHUNK = 400
"""Deliveries claimed at a time."""

RETURN_S = 60.0
"""What was given back for its pace is looked for again so much later, while the run goes on."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A claim with its message, ready to be begun."""

    claim: Claim
    envelope: Envelope


class Composer:
    """Editions in turn, a chunk each, until nothing is due; then it waits for more. ``work`` is its task."""

    def __init__(
        self,
        run: Run,
        pool: RelayPool,
        *,
        kept_max: int,
        fail: Callable[[Claim, str], None],
        change: Callable[[], None],
    ) -> None:
        self.holds: dict[str, str] = {}
        """Editions of which nothing is claimed, and why."""
        self.ready: deque[Composed] = deque()
        """What may be begun, next first."""
        self._run = run
        self._pool = pool
        self._kept_max = kept_max
        self._fail = fail
        self._change = change
        self._frames: dict[int, Frame] = {}
        self._relaxed: dict[int, bool] = {}
        self._turns: Turns = {}
        self._measured: set[tuple[str, int | None]] = set()
        self._has_room = asyncio.Event()
        self._more = asyncio.Event()
        self._is_dry = False
        self._is_ending = False
        self._returns_at = 0.0

    @property
    def is_dry(self) -> bool:
        """Whether nothing is due or will be in this run, as far as it knows."""
        return self._is_ending or (self._is_dry and not self._more.is_set() and not self._is_return_due())

    async def work(self, signers: SigningPool) -> None:
        """Claim and compose until ``end``; what a claim in hand cannot become any more stays claimed."""
        while not self._is_ending:
            self._more.clear()
            claims = await self._next_claims()
            if not claims:
                await self._wait_for_more()
                continue
            await self._load_frames({claim.variant_id for claim in claims})
            for batch in in_batches(claims, size=self._kept_max):
                await self._wait_for_room()
                if self._is_ending:
                    return
                self.ready.extend(await self._sign(signers, self._make(batch)))
                self._change()

    def look_again(self) -> None:
        """There may be something to claim: an edition has joined or goes on, or messages have come back."""
        self._more.set()

    def expect_return(self) -> None:
        """Something was given back to the ledger for its pace: it is due again before long."""
        self._returns_at = asyncio.get_running_loop().time() + RETURN_S + 1

    def take(self) -> Composed | None:
        """The next message that may begin; those of held editions are dropped, as their claims are given back."""
        while self.ready:
            composed = self.ready.popleft()
            if composed.claim.edition_id not in self.holds:
                self._has_room.set()
                return composed
        self._has_room.set()
        return None

    def put_back(self, composed: Iterable[Composed]) -> None:
        """They come next again, in their order."""
        self.ready.extendleft(reversed(list(composed)))

    def end(self) -> None:
        """Compose nothing more; ``work`` returns as soon as what it is at has ended."""
        self._is_ending = True
        self.ready.clear()
        self._more.set()
        self._has_room.set()

    async def _wait_for_more(self) -> None:
        self._is_dry = True
        self._change()
        wait_s = self._returns_at - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(wait_s if wait_s > 0 else None):
                await self._more.wait()
        except TimeoutError:
            self._returns_at = 0.0
        self._is_dry = False

    def _is_return_due(self) -> bool:
        return self._returns_at > 0

    async def _wait_for_room(self) -> None:
        while len(self.ready) > self._kept_max and not self._is_ending:
            self._has_room.clear()
            await self._has_room.wait()

    async def _next_claims(self) -> list[Claim]:
        """A chunk of the edition whose turn it is; none where no edition has anything due."""
        waiting = {name: one for name, one in self._run.editions.items() if name not in self.holds}
        while waiting:
            chosen = self._choose(waiting.values())
            if await self._is_small_enough(chosen) and (claims := await self._claim(chosen)):
                return claims
            del waiting[chosen]
        return []

    def _choose(self, editions: Collection[Sending]) -> str:
        contenders = [Contender(one.edition_id, one.cadence, one.cut_off, one.pending) for one in editions]
        chosen, self._turns = next_turn(contenders, self._turns)
        return chosen.edition_id

    async def _claim(self, edition_id: str) -> list[Claim]:
        return await asyncio.to_thread(claim_chunk, self._run, edition_id, limit=CHUNK)

    async def _is_small_enough(self, edition_id: str) -> bool:
        """Whether the relays take its messages; it is held where not."""
        limit = self._pool.size_limit  # another one where a further relay has answered
        if (edition_id, limit) not in self._measured:
            try:
                await asyncio.to_thread(check_size, self._run.app, edition_id, limit)
            except StateError as error:
                self.holds[edition_id] = str(error)
                return False
            self._measured.add((edition_id, limit))
        return True

    async def _load_frames(self, wanted: Collection[int]) -> None:
        """Fetch the frames of newly claimed variants and forget the others."""
        kept = {key: frame for key, frame in self._frames.items() if key in wanted}
        self._relaxed = {key: is_relaxed for key, is_relaxed in self._relaxed.items() if key in wanted}
        self._frames = kept | await asyncio.to_thread(load_frames, self._run, set(wanted) - kept.keys())

    def _make(self, claims: Iterable[Claim]) -> list[Composed]:
        composed = []
        for claim in claims:
            number = self._run.editions[claim.edition_id].digest_number
            try:
                envelope = make_envelope(self._run.app, claim, self._frames[claim.variant_id], digest_number=number)
            except RenderError as error:
                self._fail(claim, str(error))
            else:
                composed.append(Composed(claim, envelope))
        return composed

    async def _sign(self, signers: SigningPool, composed: list[Composed]) -> list[Composed]:
        if not signers.is_signing:
            return composed
        are_relaxed = all(self._is_relaxed(one.claim.variant_id) for one in composed)
        signed = await signers.sign([one.envelope.message for one in composed], are_relaxed=are_relaxed)
        return [
            Composed(one.claim, replace(one.envelope, message=message))
            for one, message in zip(composed, signed, strict=True)
        ]

    def _is_relaxed(self, variant_id: int) -> bool:
        if variant_id not in self._relaxed:
            self._relaxed[variant_id] = has_relaxed_body(self._frames[variant_id])
        return self._relaxed[variant_id]
