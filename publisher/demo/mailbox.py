"""A mail server that delivers nowhere: it keeps what it is given, so that people can look at it."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_MESSAGE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it came, byte for byte, with its envelope."""

    number: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    source: bytes


class Mailbox:
    """The newest messages; the oldest go when there are too many or they grow too large.

    One thread keeps, any may read.
    """

    def __init__(self, *, max_messages: int = 2_000, max_bytes: int = 64_000_000) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._messages: deque[Received] = deque()
        self._size_bytes = 0
        self._next_number = 1

    def keep(self, source: bytes, *, sender: str, recipients: tuple[str, ...], at: datetime) -> Received:
        """Add a message; its number is never used again."""
        message = Received(self._next_number, at, sender, recipients, source)
        self._next_number += 1
        self._messages.append(message)
        self._size_bytes += len(source)
        while len(self._messages) > self._max_messages or self._size_bytes > self._max_bytes:
            self._size_bytes -= len(self._messages.popleft().source)
        return message

    def __len__(self) -> int:
        return len(self._messages)

    def newest_first(self, recipient: str | None = None) -> list[Received]:
        """What is here now, of one recipient or of all."""
        messages = reversed(tuple(self._messages))
        return [message for message in messages if recipient is None or recipient in message.recipients]

    def find(self, number: int) -> Received | None:
        """The message of that number, if it is still here."""
        return next((message for message in tuple(self._messages) if message.number == number), None)

    def counts(self) -> dict[str, int]:
        """How many messages are here for each recipient, in alphabetical order."""
        counts = Counter(address for message in tuple(self._messages) for address in message.recipients)
        return dict(sorted(counts.items()))


@asynccontextmanager
async def listen(
    mailbox: Mailbox, now: Callable[[], datetime], *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[int]:
    """Take mail by SMTP (RFC 5321) into the mailbox; yields the port, which the system chooses where it is 0."""
    handler = _Handler(mailbox, now)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _smtp(handler, loop), host, port)
    async with server:
        yield server.sockets[0].getsockname()[1]


class _Handler:
    def __init__(self, mailbox: Mailbox, now: Callable[[], datetime]) -> None:
        self._mailbox = mailbox
        self._now = now

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        source = envelope.original_content or b""
        self._mailbox.keep(source, sender=envelope.mail_from or "", recipients=tuple(envelope.rcpt_tos), at=self._now())
        return "250 2.0.0 Kept for you to look at"


def _smtp(handler: _Handler, loop: asyncio.AbstractEventLoop) -> SMTP:
    return SMTP(
        handler,
        data_size_limit=MAX_MESSAGE_BYTES,
        enable_SMTPUTF8=True,
        hostname="localhost",
        ident="Demo mailbox",
        loop=loop,
    )
