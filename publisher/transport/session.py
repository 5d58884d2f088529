"""The SMTP dialogue of one connection, on a transport that is connected, secured and authenticated already.

Replies are matched to commands strictly in order (RFC 5321 §4.2); one that nobody waits for, or that is overlong or
malformed, ends the session: after it, no reply could be trusted to be the one of its command.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass

MAX_REPLY_BYTES = 32 * 1024

_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\r\n]*))?\r?\n")


class SessionLostError(Exception):
    """The connection is gone, or its replies cannot be trusted any more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of the server, its lines joined by spaces."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Session(asyncio.Protocol):
    """Writes commands, hands out their replies in order."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._buffer = b""
        self._code: int | None = None
        self._lines: list[str] = []
        self._reply_bytes = 0
        self._lost: str | None = None
        self._loop = asyncio.get_running_loop()
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent."""
        return self._lost is None and not self._transport.is_closing()

    def write(self, data: bytes, *, replies: int = 1) -> list[asyncio.Future[Reply]]:
        """Send commands or a body; the replies to come, in order. SessionLostError where the session is over."""
        if not self.is_open:
            raise SessionLostError(self._lost or "the connection is closing")
        futures = [self._loop.create_future() for _ in range(replies)]
        self._waiting.extend(futures)
        self._transport.write(data)
        return futures

    async def wait(self, reply: asyncio.Future[Reply], timeout_s: float) -> Reply:
        """The reply; SessionLostError, and the session closed, where it does not come in time."""
        if reply.done():
            return reply.result()
        try:
            async with asyncio.timeout(timeout_s):
                return await reply
        except TimeoutError as error:
            self._end(f"no reply within {timeout_s:g} s")
            raise SessionLostError(self._lost) from error

    def close(self) -> None:
        """Close the connection; replies still waited for are lost."""
        self._end("closed")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._lost is None and (found := _REPLY_LINE.match(self._buffer)):
            self._buffer = self._buffer[found.end() :]
            self._reply_bytes += found.end()
            text = (found[3] or b"").decode("utf-8", "replace")
            self._take_line(int(found[1]), text, is_last=found[2] != b"-")
        if b"\n" in self._buffer:
            self._end(f"malformed reply {self._buffer[:60]!r}")
        elif len(self._buffer) + self._reply_bytes > MAX_REPLY_BYTES:
            self._end("overlong reply")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"the server closed the connection{f' ({exc})' if exc else ''}")

    def _take_line(self, code: int, text: str, *, is_last: bool) -> None:
        if self._code not in (None, code):
            self._end(f"reply of two codes, {self._code} and {code}")
            return
        self._code = code
        self._lines.append(text)
        if is_last:
            reply = Reply(code, " ".join(self._lines))
            self._code, self._lines, self._reply_bytes = None, [], 0
            self._hand_out(reply)

    def _hand_out(self, reply: Reply) -> None:
        is_early = self._transport.get_write_buffer_size() > 0  # what it could answer is not on the wire yet
        if not self._waiting or (is_early and reply.code < 400):
            self._end(f"unsolicited reply {reply}")
            return
        waiting = self._waiting.popleft()
        if not waiting.done():
            waiting.set_result(reply)
        if is_early:
            self._end(f"refused early: {reply}")

    def _end(self, reason: str) -> None:
        if self._lost is None:
            self._lost = reason
            self._transport.close()
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(SessionLostError(self._lost))
                waiting.exception()  # not everybody's reply is waited for; that is no error of its own
