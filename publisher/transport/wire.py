"""Commands out, replies in, in order: what makes an SMTP reply trustworthy (RFC 5321 §4.2, RFC 2920)."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from publisher.transport.dialogue import Step, Timeouts
from publisher.transport.messages import Attempt
from publisher.transport.replies import MalformedReplyError, Reply, ReplyReader


@dataclass(frozen=True, slots=True)
class Command:
    """Octets to send, the step they are, and the message they belong to."""

    step: Step
    attempt: Attempt | None
    octets: bytes


@dataclass(frozen=True, slots=True)
class Awaited:
    """A reply to come: to which step, of which message, and where in the stream its command ends."""

    step: Step
    attempt: Attempt | None
    ends_at: int


class Wire(asyncio.Protocol):
    """Hands out each reply with what it answers. A reply that nobody waits for, or that comes before its command is on
    the wire, that is malformed, overlong or late, ends the connection: no later one could be trusted.

    To a transport that was lost meanwhile it is as if that happened next.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        timeouts: Timeouts,
        *,
        answer: Callable[[Awaited, Reply], None],
        end: Callable[[str, Sequence[Awaited]], None],
    ) -> None:
        self.is_open = True
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._beneath = _find_beneath(transport)
        self._timeouts = timeouts
        self._answer = answer
        self._on_end = end
        self._reader = ReplyReader()
        self._awaited: deque[Awaited] = deque()
        self._written = 0
        self._head_since = 0.0
        self._watch: asyncio.TimerHandle | None = None
        transport.set_protocol(self)
        if transport.is_closing():  # whoever had it before was told
            self._loop.call_soon(self.connection_lost, None)

    @property
    def is_quiet(self) -> bool:
        """Whether no reply is awaited."""
        return not self._awaited

    def awaits(self, attempt: Attempt) -> bool:
        """Whether a reply that concerns this message is still to come."""
        return any(one.attempt is attempt for one in self._awaited)

    def may_speak(self) -> bool:
        """Whether the server lets us; it ends the connection where a reply has begun that nobody asked for."""
        if self.is_open and not self._awaited and self._reader.has_more:
            self.abort("unsolicited reply")
        return self.is_open

    def write(self, commands: Sequence[Command]) -> None:
        """Send the commands in one write; on a connection that has ended nothing happens."""
        if not commands or not self.may_speak():
            return
        if not self._awaited:
            self._head_since = self._loop.time()
        for one in commands:
            self._written += len(one.octets)
            self._awaited.append(Awaited(one.step, one.attempt, self._written))
        self._transport.write(b"".join([one.octets for one in commands]))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeouts.tick_s, self._check_time)

    def write_in_part(self, octets: bytes) -> None:
        """Send the beginning of a command whose rest follows by ``write``."""
        self._written += len(octets)
        self._transport.write(octets)

    def abort(self, reason: str) -> None:
        """End at once: what is not on the wire by now never will be."""
        if self.is_open:
            self.is_open = False
            self._finish(reason)

    def data_received(self, data: bytes) -> None:
        try:
            for reply in self._reader.feed(data):
                if not self.is_open:
                    return
                self._take(reply)
        except MalformedReplyError as error:
            self.abort(str(error))

    def eof_received(self) -> None:
        self.abort("the server closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self.abort(f"the server closed the connection{f' ({exc})' if exc else ''}")

    def _take(self, reply: Reply) -> None:
        is_early = bool(self._awaited) and self._is_unsent(self._awaited[0].ends_at)
        if not self._awaited or (is_early and (reply.code < 400 or self._awaited[0].step != "body")):
            self.abort(f"unsolicited reply {reply}")
            return
        awaited = self._awaited.popleft()
        self._head_since = self._loop.time()
        if not is_early:
            self._answer(awaited, reply)
            return
        self.is_open = False  # refused before it was through: what is left of it would be read as commands
        self._answer(awaited, reply)
        self._finish(f"refused early: {reply}")

    def _is_unsent(self, position: int) -> bool:
        unsent = self._transport.get_write_buffer_size()
        if self._beneath is not None:
            unsent += self._beneath.get_write_buffer_size()
        return unsent > 0 and self._written - unsent < position

    def _finish(self, reason: str) -> None:
        self._transport.abort()
        if self._watch is not None:
            self._watch.cancel()
        left = tuple(self._awaited)
        self._awaited.clear()
        self._on_end(reason, left)

    def _check_time(self) -> None:
        self._watch = None
        if not self._awaited or not self.is_open:
            return
        limit_s = self._timeouts.of(self._awaited[0].step)
        if self._loop.time() - self._head_since >= limit_s:
            self.abort(f"no reply within {limit_s:g} s to {self._awaited[0].step}")
        else:
            self._watch = self._loop.call_later(self._timeouts.tick_s, self._check_time)


def _find_beneath(transport: asyncio.Transport) -> asyncio.WriteTransport | None:
    """The transport under TLS. What is not on the wire yet waits there, but asyncio shows it only to itself."""
    beneath = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    return beneath if isinstance(beneath, asyncio.WriteTransport) else None
