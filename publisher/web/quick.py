"""The short way of a feed: from memory to the wire, ahead of the framework and, where it can be, of ASGI."""

import asyncio
import math
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from publisher.web.documents import Answer
from publisher.web.feeds import FeedDesk

HEAD_BYTES_MAX = 65_536
"""Of request line and headers together."""

HEAD_WITHIN_S = 20.0
"""From the connection, or the answer before, to the end of a request's head."""
BODY_WITHIN_S = 300.0
"""From there to the end of its body; also for what waits to be read by the client."""

_METHODS = (b"GET", b"HEAD")


class QuickApp:
    """An ASGI application: feeds that are in memory, and everything else by the application behind it."""

    def __init__(self, desk: FeedDesk, behind: Starlette) -> None:
        self.desk = desk
        self.behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope) if scope["type"] == "http" else None
        if found is None:
            await self.behind(scope, receive, send)
            return
        body = b"" if scope["method"] == "HEAD" else found.body
        await send({"type": "http.response.start", "status": found.status, "headers": found.headers})
        await send({"type": "http.response.body", "body": body})

    def _find(self, scope: Scope) -> Answer | None:
        if scope["method"] not in ("GET", "HEAD"):
            return None
        query = scope["query_string"].decode("latin-1")
        target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        peer = scope["client"][0] if scope["client"] else None
        return self.desk.answer(target, scope["headers"], peer)


class QuickProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, which gives out what a ``QuickApp`` has in memory without making a task for it.

    That is three times as fast; all else goes its usual way. It also cuts off who sends headers without end, and
    who does not send what was begun: Uvicorn waits for that for ever.
    """

    _due_at: float | None = None
    """By the clock of the loop: when the client must have sent what comes next; None while it has sent all."""
    _overdue_check: asyncio.TimerHandle | None = None

    _is_in_head = False
    _head_bytes = 0
    """Of the head that has not ended, beyond what came in one piece with its beginning."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as Uvicorn has it
        super().connection_made(transport)
        self._due_at = self.loop.time() + HEAD_WITHIN_S
        self._end_overdue()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._overdue_check:
            self._overdue_check.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data) if self._is_in_head else 0
        super().data_received(data)
        if self._is_in_head and self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("The request line and headers are too long.")

    def on_message_begin(self) -> None:
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._due_at = self.loop.time() + BODY_WITHIN_S
        found = self._find()
        if found is None:
            super().on_headers_complete()
        else:
            self._write(found)

    def on_message_complete(self) -> None:
        if not self.cycle.response_complete:
            self._due_at = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete:  # else the next one is under way
            is_read = not self.transport.get_write_buffer_size()
            self._due_at = self.loop.time() + (HEAD_WITHIN_S if is_read else BODY_WITHIN_S)

    def _end_overdue(self) -> None:
        """One timer a connection, which looks now and then: one for each request would cost what this class saves."""
        now = self.loop.time()
        if self._due_at is not None and self._due_at <= now:
            self.transport.abort()
        else:
            next_at = min(self._due_at or math.inf, now + HEAD_WITHIN_S)
            self._overdue_check = self.loop.call_at(next_at, self._end_overdue)

    def _find(self) -> Answer | None:
        """Only where nothing is under way on this connection: answers go out in the order of requests."""
        if (self.cycle and not self.cycle.response_complete) or self.flow.write_paused:
            return None
        app = self.config.app
        if not isinstance(app, QuickApp) or self.parser.get_method() not in _METHODS:
            return None
        peer = self.client[0] if self.client else None
        return app.desk.answer(self.url.decode("latin-1"), self.headers, peer)

    def _write(self, found: Answer) -> None:
        is_kept_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        lines = [STATUS_LINE[found.status]]
        lines += [b"%b: %b\r\n" % pair for pair in self.server_state.default_headers]
        lines += [b"%b: %b\r\n" % pair for pair in found.headers]
        lines.append(b"\r\n" if is_kept_alive else b"connection: close\r\n\r\n")
        if self.parser.get_method() != b"HEAD":
            lines.append(found.body)
        self.cycle = _ANSWERED
        self.transport.write(b"".join(lines))
        if not is_kept_alive:
            self.transport.close()
        self.on_response_complete()


class _Answered:
    """Stands where Uvicorn keeps its request, for one that has its answer."""

    response_complete = True
    disconnected = False

    class message_event:  # noqa: N801  # as Uvicorn names it
        @staticmethod
        def set() -> None:
            """Nobody waits."""


_ANSWERED: Any = _Answered()
"""In place of a RequestResponseCycle, hence ``Any``."""
