"""One relay: what waits for it, its connections, its health."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Protocol

from publisher.config import Config
from publisher.errors import AuthenticationError, PublisherError
from publisher.sections import Relay
from publisher.transport.dialogue import Timeouts
from publisher.transport.messages import Attempt, Outcome
from publisher.transport.session import LEFT, Session
from publisher.transport.smtp import Connected, connect, name_relay
from subscribers.replies import Verdict

LEFT_ALONE_S = 60.0
"""A relay that could not be used is not tried again before (and no account is locked)."""

LOST_MAX = 10
"""After so many connections in a row that settled nothing, a relay is taken for unusable."""


class Owner(Protocol):
    """Who gave the messages."""

    def finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """An attempt has ended."""

    def recheck(self, attempt: Attempt) -> Awaitable[Outcome | None]:
        """Whether an intent that has waited still holds; the outcome where it does not."""

    def change(self) -> None:
        """A connection began or ended: there may be room, or none any more."""

    def refuse_login(self, relay: str) -> None:
        """A relay refuses our password: each further try could lock the account."""


class Route:
    """Connections to one relay, opened as there is work: one alone first, where ten would all be refused."""

    def __init__(self, config: Config, relay: Relay, owner: Owner) -> None:
        self.relay = relay
        self.connections = config.smtp.connections
        """As many as it may have now."""
        self.in_hand = 0
        """Attempts given to it that have not ended."""
        self.trouble: str | None = None
        self.size_limit: int | None = None
        """Largest message it takes, in octets, where it says so."""
        self._config = config
        self._owner = owner
        self._ready: deque[Attempt] = deque()
        self._sessions: set[Session] = set()
        self._lines: set[asyncio.Task[None]] = set()
        self._dials: set[asyncio.Task[None]] = set()
        """The lines that have no session yet."""
        self._lost = 0
        self._usable_from = 0.0
        self._closed_until = 0.0
        self._rests_until = 0.0
        self._sent_away = 0
        self._is_leaving = False

    @property
    def is_usable(self) -> bool:
        """Whether messages given to it have a chance now."""
        return not self._is_closed() and (bool(self._sessions) or self._is_worth_dialling())

    @property
    def is_given_up(self) -> bool:
        """Whether no message has a chance now, not even by a connection that is being opened."""
        return not self._lines and not self._is_worth_dialling()

    @property
    def room(self) -> int:
        """How many more intents it can take: two for each connection, one on the wire and one to follow."""
        return max(0, self.connections * 2 - self.in_hand) if self.is_usable and not self.rest_s else 0

    @property
    def rest_s(self) -> float:
        """For how many seconds it is to get nothing."""
        return max(0.0, self._rests_until - asyncio.get_running_loop().time())

    def push(self, attempt: Attempt) -> None:
        """Take charge of a message; ``go`` starts it."""
        self.in_hand += 1
        self._ready.append(attempt)

    def rest(self, seconds: float) -> None:
        """Give it nothing for so long: that is its pace."""
        self._rests_until = asyncio.get_running_loop().time() + seconds

    def leave_alone(self, seconds: float, reason: str) -> None:
        """Give it nothing for so long, and keep no connection meanwhile."""
        self.trouble = reason
        self._closed_until = self._usable_from = asyncio.get_running_loop().time() + seconds
        for session in tuple(self._sessions):
            session.leave()
        self._give_up()

    def limit(self, connections: int | None) -> None:
        """Have no more connections than the relay was found to bear; None: as many as are configured."""
        most = self._config.smtp.connections
        self.connections = max(1, min(most, connections or most) - self._sent_away)
        for session in list(self._sessions)[self.connections :]:
            session.leave()

    def go(self) -> None:
        """Let every connection take what it can, and open further ones for what is left."""
        for session in tuple(self._sessions):
            session.go()
        if not self._is_worth_dialling():
            if not self._lines:
                self._give_up()
            return
        most = self.connections if self._sessions else 1
        for _ in range(min(len(self._ready), most - len(self._lines))):
            dial = asyncio.create_task(self._dial())
            self._dials.add(dial)
            self._begin(dial)

    async def open(self) -> None:
        """Have a first connection; TransportError where there is none to be had."""
        session = self._start(await self._connect())
        self._begin(asyncio.create_task(self._carry(session)))

    async def end(self) -> None:
        """Take nothing more; return when everything under way has ended and the connections are closed.

        A connection that is being opened is left in order if it comes about soon: nothing waits for it.
        """
        self._is_leaving = True
        for session in tuple(self._sessions):
            session.leave()
        if self._dials:
            await asyncio.wait(self._dials, timeout=Timeouts.scaled(self._config.smtp.timeout_scale).quit_s)
            for dial in self._dials:
                dial.cancel()
        if self._lines:
            await asyncio.wait(self._lines)
        self._give_up()

    def abort(self) -> None:
        """End everything at once."""
        self._is_leaving = True
        for session in tuple(self._sessions):
            session.abort("ended")
        for line in self._lines:
            line.cancel()

    def take(self) -> Attempt | None:
        """The next message for a connection."""
        return self._ready.popleft() if self._ready else None

    def finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """Pass on what became of a message."""
        self.in_hand -= 1
        self._owner.finish(attempt, outcome)

    def recheck(self, attempt: Attempt) -> Awaitable[Outcome | None]:
        """Pass on the question."""
        return self._owner.recheck(attempt)

    def _is_closed(self) -> bool:
        return asyncio.get_running_loop().time() < self._closed_until

    def _is_worth_dialling(self) -> bool:
        return not self._is_leaving and asyncio.get_running_loop().time() >= self._usable_from

    def _begin(self, line: asyncio.Task[None]) -> None:
        self._lines.add(line)
        line.add_done_callback(self._end_line)

    def _end_line(self, line: asyncio.Task[None]) -> None:
        self._lines.discard(line)
        self._dials.discard(line)
        if not line.cancelled() and (error := line.exception()) is not None:  # a bug: without a pause it would repeat
            self._fail(f"{name_relay(self.relay)}: {error!r}")
            context = {"message": f"a connection to {name_relay(self.relay)} failed", "exception": error, "task": line}
            asyncio.get_running_loop().call_exception_handler(context)
        self._owner.change()

    async def _dial(self) -> None:
        try:
            connected = await self._connect()
        except PublisherError:
            return
        self._dials -= {asyncio.current_task()}
        await self._carry(self._start(connected))

    async def _connect(self) -> Connected:
        try:
            connected = await connect(self._config, self.relay)
        except PublisherError as error:  # also a ConfigError: the password file may have gone
            self._fail(str(error))
            if isinstance(error, AuthenticationError):
                self._owner.refuse_login(self.relay.name)
            raise
        self.size_limit = connected.offers.size_limit
        return connected

    def _start(self, connected: Connected) -> Session:
        session = connected.start(self, messages_max=self._config.smtp.messages_per_connection)
        self._sessions.add(session)
        if self._is_leaving:
            session.leave()
        self._owner.change()
        return session

    async def _carry(self, session: Session) -> None:
        try:
            reason = await session.closed
        finally:
            session.abort("ended")
            self._sessions.discard(session)
        self._learn(session, reason)

    def _learn(self, session: Session, reason: str) -> None:
        if session.was_sent_away:  # 421: one connection fewer suits it better for the rest of this run
            self._sent_away += 1
            self.connections = max(1, self.connections - 1)
        self._lost = 0 if session.settled or reason == LEFT else self._lost + 1
        if self._lost >= LOST_MAX:
            self._fail(f"{name_relay(self.relay)} keeps closing connections ({reason})")

    def _fail(self, trouble: str) -> None:
        self.trouble = trouble
        self._usable_from = asyncio.get_running_loop().time() + LEFT_ALONE_S

    def _give_up(self) -> None:
        """What waits for a relay that cannot be used has not been tried."""
        while (attempt := self.take()) is not None:
            self.finish(attempt, Outcome(Verdict("planned"), f"not tried: {self.trouble or 'the run has ended'}"))
