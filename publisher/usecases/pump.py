"""The asyncio side of sending: a composer makes messages, a feeder talks to the ledger, the relays carry.

At most ``connections × 2`` intents are open at any moment; that is what a kill can leave uncertain.
"""

import asyncio
from collections.abc import Callable

from publisher.failpoints import passing
from publisher.mail.signing import SigningPool
from publisher.store.deliveries import Claim
from publisher.transport.messages import Attempt, Outcome
from publisher.transport.pool import RelayPool
from publisher.usecases.composer import Composed, Composer
from publisher.usecases.intents import (
    exchange,
    find_left_alone,
    find_veto,
    give_back,
    note_refused_logins,
    postpone,
)
from publisher.usecases.later import KEPT_S, Later
from publisher.usecases.run import Begun, Finished, Run, Wanted
from subscribers.replies import Verdict

GATHER_S = 0.05
"""How long outcomes wait for company before they are committed."""

REST_S = 1.0
"""A relay is asked for again so soon, whatever its pace says: a message to find out may have found out by then."""

Progress = Callable[[int], None]
"""Called with the number of deliveries settled since the last call."""


class Pump:
    """One run of the sender: ``run`` returns when nothing is left to begin and nothing is in flight."""

    def __init__(self, run: Run, *, stop: asyncio.Event, progress: Progress) -> None:
        self.trouble: str | None = None
        """Why the run ended early."""
        self._run = run
        self._stop = stop
        self._progress = progress
        self._pool = RelayPool(run.app.config, self)
        self._group_max = run.app.config.smtp.connections * 2
        self._composer = Composer(
            run, self._pool, kept_max=self._group_max, fail=self._fail_unsent, change=self._wake_up
        )
        self._later = Later[Composed]()
        self._finished: list[Finished] = []
        self._open = 0
        self._wake = asyncio.Event()
        self._failure: BaseException | None = None
        self._refused_logins: set[str] = set()

    @property
    def holds(self) -> dict[str, str]:
        """Editions of which nothing more began, and why."""
        return self._composer.holds

    async def run(self) -> None:
        """Send until done; TransportError where no relay can be used, and nothing was claimed then.

        What the ledger or a message did not expect ends the run; open intents stay open.
        """
        async with SigningPool(self._run.app.config) as signers:
            tasks = []
            try:
                await self._open_relays()
                tasks = [asyncio.create_task(self._compose(signers)), asyncio.create_task(self._watch_stop())]
                while await self._feed():
                    await self._gather()
                self.trouble = self._pool.trouble
                await self._pool.end()
            finally:
                self._pool.abort()
                self._composer.end()  # and waited for: a claim that is being written is given back with the others
                if tasks:
                    tasks[1].cancel()
                    await asyncio.wait(tasks)
                if self._refused_logins:
                    await asyncio.to_thread(note_refused_logins, self._run, self._refused_logins)

    def look_again(self) -> None:
        """There may be something to claim: an edition has joined."""
        self._composer.look_again()
        self._wake_up()

    def release(self, edition_id: str) -> None:
        """An edition that was held goes on."""
        self._composer.release(edition_id)
        self._wake_up()

    def fail(self, error: BaseException) -> None:
        """End the run: something it depends on does not hold any more."""
        self._failure = error
        self._wake_up()

    # What the relays say, in the event loop

    def finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """An attempt has ended."""
        passing("send-after-reply")
        self._finished.append(Finished(attempt.claim, attempt.relay, outcome))
        self._wake_up()

    async def recheck(self, attempt: Attempt) -> Outcome | None:
        """Whether an intent that has waited still holds; where that cannot be found out, the run ends."""
        asked = asyncio.ensure_future(asyncio.to_thread(find_veto, self._run, attempt.claim))
        await asyncio.wait([asked])
        if (error := asked.exception()) is None:
            return asked.result()
        self.fail(error)
        return Outcome(Verdict("planned"), f"not tried: {error}")

    def change(self) -> None:
        """A connection began or ended."""
        self._wake_up()
        self._pool.go()

    def refuse_login(self, relay: str) -> None:
        """A relay refuses our password; it is written down, so that no other run tries again at once."""
        self._refused_logins.add(relay)

    # The feeder

    async def _open_relays(self) -> None:
        for relay, hold in (await asyncio.to_thread(find_left_alone, self._run)).items():
            self._pool.leave_alone(relay, hold.wait_s, hold.reason)
        await self._pool.open()

    async def _compose(self, signers: SigningPool) -> None:
        try:
            await self._composer.work(signers)
        except BaseException as error:
            self.fail(error)
            raise

    async def _watch_stop(self) -> None:
        await self._stop.wait()
        self._wake_up()

    async def _feed(self) -> bool:
        """Commit what finished and what may begin next; False when there is neither and nothing more will come."""
        if self._failure is not None:
            raise self._failure
        self._pool.go()
        finished, self._finished = self._finished, []
        self._open -= len(finished)  # their places are free for what begins in the same transaction
        group = self._next_group()
        if finished or group:
            self._open += len(group)
            await self._exchange(finished, group)
        return self._open > 0 or bool(self._finished) or not self._is_exhausted()

    def _next_group(self) -> list[Composed]:
        """What may begin now."""
        if self._is_ended():
            self._composer.end()
            self._later.clear()
            return []
        self._composer.put_back(self._later.take_due())
        room = self._room()
        group: list[Composed] = []
        while room > len(group) and (composed := self._composer.take()) is not None:
            group.append(composed)
        return group

    async def _exchange(self, finished: list[Finished], group: list[Composed]) -> None:
        relays = self._pool.share_out(len(group))
        wanted = [Wanted(one.claim, relay) for one, relay in zip(group, relays, strict=True)]
        asked_at = asyncio.get_running_loop().time()  # not later: the process may be stopped before it hears of it
        begun = await asyncio.to_thread(exchange, self._run, finished, wanted)
        passing("send-after-intent")
        self._open -= len(group) - len(begun.ids)
        for one, relay in zip(group, relays, strict=True):
            if one.claim.id in begun.ids:
                self._pool.push(Attempt(one.claim, one.envelope, asked_at, relay))
        self._obey(begun)
        self._pool.go()
        await self._let_go(begun, group)
        if any(one.outcome.verdict.state == "planned" for one in finished):
            self._composer.look_again()
        settled = [one for one in finished if one.outcome.verdict.state not in ("deferred", "planned")]
        self._progress(len(settled) + begun.refused)

    def _obey(self, begun: Begun) -> None:
        """What is known of the relays by now."""
        for relay, connections in begun.connections.items():
            self._pool.limit(relay, connections)
        for relay, rest_s in begun.rests.items():
            self._pool.rest(relay, min(rest_s, REST_S))
        for relay, hold in begun.closed.items():
            self._pool.leave_alone(relay, hold.wait_s, hold.reason)

    async def _let_go(self, begun: Begun, group: list[Composed]) -> None:
        """Of editions that are held; keep what waits for its pace, but not what would wait too long."""
        for edition_id, hold in begun.holds.items():
            await self._hold(edition_id, hold)
        going = [one for one in group if one.claim.edition_id not in self.holds]
        self._composer.put_back(one for one in going if one.claim.id in begun.back)
        for one in going:
            if one.claim.id in begun.waits:
                self._later.add(one, begun.waits[one.claim.id])
        if surplus := self._later.take_surplus():
            await asyncio.to_thread(postpone, self._run, {one.claim: wait_s for one, wait_s in surplus})
            if any(wait_s <= KEPT_S for _, wait_s in surplus):  # it is worth while to go on until it is due
                self._composer.expect_return()

    async def _hold(self, edition_id: str, reason: str) -> None:
        """Begin nothing more of an edition, and let go of what is claimed of it."""
        self._composer.holds[edition_id] = reason
        self._later.drop(lambda one: one.claim.edition_id == edition_id)
        await asyncio.to_thread(give_back, self._run, edition_id)

    async def _gather(self) -> None:
        """Wait until much of what is in flight has finished, but not long once something has."""
        enough = max(1, _share(self._open))
        while len(self._finished) < enough and not self._can_begin() and not self._is_over():
            self._wake.clear()
            try:
                async with asyncio.timeout(GATHER_S if self._finished else self._pause_s()):
                    await self._wake.wait()
            except TimeoutError:
                return

    def _pause_s(self) -> float | None:
        """When something that waits may be asked for again."""
        waits = (self._later.wait_s, self._pool.rest_s)
        return min((wait_s for wait_s in waits if wait_s is not None), default=None)

    def _can_begin(self) -> bool:
        """Whether much of what may be in flight is free and composed: a smaller group is not worth a transaction.

        But where nothing is in flight nothing else will come, however few connections are left.
        """
        in_flight = self._open - len(self._finished)
        room = min(self._group_max - in_flight, self._pool.room)
        worth = min(_share(self._group_max), len(self._composer.ready)) if in_flight else 1
        return bool(self._composer.ready) and room >= worth and not self._is_ended()

    def _room(self) -> int:
        return min(self._group_max - self._open, self._pool.room)

    def _is_ended(self) -> bool:
        """Whether nothing more is to begin, whatever is left."""
        return self._stop.is_set() or self._pool.trouble is not None

    def _is_over(self) -> bool:
        return self._failure is not None or (self._is_exhausted() and not self._open)

    def _is_exhausted(self) -> bool:
        """Whether nothing more can be begun in this run."""
        return self._is_ended() or (self._composer.is_dry and not (self._composer.ready or self._later))

    def _fail_unsent(self, claim: Claim, reason: str) -> None:
        """A message that cannot be made is recorded with the others."""
        self._open += 1
        self._finished.append(Finished(claim, "", Outcome(Verdict("failed"), reason)))

    def _wake_up(self) -> None:
        self._wake.set()


def _share(count: int) -> int:
    """How many of so many are worth a transaction: two thirds. The rest keeps the connections busy meanwhile."""
    return count * 2 // 3
