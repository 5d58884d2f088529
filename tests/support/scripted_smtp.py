"""An SMTP server that answers by a script, and one connection of ours that talks to it over real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from publisher.config import Config
from publisher.sections import Relay
from publisher.transport.dialogue import Timeouts
from publisher.transport.messages import Attempt, Envelope, Outcome
from publisher.transport.session import Session
from publisher.transport.smtp import connect

GREETING = b"220 here\r\n"
PLAIN = b"250 here\r\n"
PIPELINING = b"250-here\r\n250 PIPELINING\r\n"
OK = b"250 2.0.0 ok\r\n"
GO_ON = b"354 go on\r\n"
GROUP = OK + OK + GO_ON
"""The answers to MAIL, RCPT, DATA."""
MESSAGE = b"Subject: x\r\n\r\n.a line that begins with a dot\r\n"
LARGE = MESSAGE + b"0123456789abcdef\r\n" * 1_000_000
"""More than the buffers of both sockets hold."""

HANGS_S = 20
"""A test that takes so long has found a hang."""

Found = TypeVar("Found")


def run(test: Coroutine[Any, Any, Found]) -> Found:
    """The result of the test; TimeoutError where it hangs."""

    async def limited() -> Found:
        async with asyncio.timeout(HANGS_S):
            return await test

    return asyncio.run(limited())


@dataclass
class Client:
    """Our side of a connection, as the server sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def greet(self, ehlo: bytes = PLAIN) -> None:
        """Greeting and the answer to EHLO."""
        self.say(GREETING)
        await self.line()
        self.say(ehlo)

    def say(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def dribble(self, octets: bytes) -> None:
        """Say it in single octets, each in a packet of its own."""
        for octet in octets:
            self.writer.write(bytes([octet]))
            await self.writer.drain()
            await asyncio.sleep(0.0005)

    async def line(self) -> bytes:
        """The next command without its CRLF; IncompleteReadError where there is none."""
        return (await self.reader.readuntil(b"\r\n"))[:-2]

    async def lines(self, count: int) -> list[bytes]:
        return [await self.line() for _ in range(count)]

    async def body(self) -> bytes:
        """The message with its final dot."""
        return await self.reader.readuntil(b"\r\n.\r\n")

    async def envelope(self) -> list[bytes]:
        """Take MAIL, RCPT and DATA, in one group or one by one; what was said."""
        got = []
        for answer in (OK, OK, GO_ON):
            got.append(await self.line())
            self.say(answer)
        return got

    async def part(self) -> None:
        """Answer the QUIT that must come next."""
        assert await self.line() == b"QUIT"
        self.say(b"221 bye\r\n")

    async def rest(self) -> bytes:
        """Whatever comes until our side hangs up."""
        return await self.reader.read()


Talk = Callable[[Client], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that talks and hangs up; its port. All its talks are over when the block is left."""
    talks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())  # type: ignore[arg-type]  # inside a task there is one
        try:
            with suppress(asyncio.IncompleteReadError, OSError):
                await talk(Client(reader, writer))
        finally:
            writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=32_000_000, ssl=tls)
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            failures = await asyncio.gather(*talks, return_exceptions=True)
        for failure in failures:
            if failure is not None:
                raise failure


def make_config(port: int, *, scale: float = 0.02, **smtp: object) -> Config:
    """A deployment whose relay is on that port, its time-outs scaled."""
    return Config(
        site={"name": "News", "base_url": "https://news.example.org", "postal_address": "1 Example Street"},
        mail={"from": "news@example.org", "bounce_domain": "bounces.example.org"},
        smtp={"port": port, "security": "none", "timeout_scale": scale, **smtp},
    )


def make_envelope(name: str, message: bytes = MESSAGE, **more: Any) -> Envelope:
    return Envelope("b@bounces.example.org", f"{name}@example.org", message, **more)


def make_attempt(name: str, message: bytes = MESSAGE, *, age_s: float = 0, relay: str = "main", **more: Any) -> Attempt:
    return Attempt(name, make_envelope(name, message, **more), asyncio.get_running_loop().time() - age_s, relay)


@dataclass
class Tray:
    """A feed of messages; what became of each, by name, in order."""

    waiting: list[Attempt]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    vetoes: dict[str, list[Outcome | None]] = field(default_factory=dict)
    """By name, the answers to each question whether an intent still holds; none left: it does."""
    asked: list[str] = field(default_factory=list)
    pause: asyncio.Event | None = None
    """To answer a question only when it is set."""
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.count = len(self.waiting)

    def take(self) -> Attempt | None:
        return self.waiting.pop(0) if self.waiting else None

    def finish(self, attempt: Attempt, outcome: Outcome) -> None:
        assert attempt.claim not in self.outcomes, f"{attempt.claim} finished twice"
        self.outcomes[attempt.claim] = outcome
        if len(self.outcomes) == self.count:
            self.is_over.set()

    async def recheck(self, attempt: Attempt) -> Outcome | None:
        self.asked.append(attempt.claim)
        if self.pause is not None:
            await self.pause.wait()
        answers = self.vetoes.get(attempt.claim, [])
        return answers.pop(0) if answers else None

    @property
    def states(self) -> dict[str, str]:
        return {name: outcome.verdict.state for name, outcome in self.outcomes.items()}


@dataclass
class Ended:
    """A session after its end."""

    tray: Tray
    session: Session
    reason: str

    @property
    def states(self) -> dict[str, str]:
        return self.tray.states

    def reply(self, name: str) -> str:
        return self.tray.outcomes[name].reply


async def hold_session(port: int, tray: Tray, *, messages_max: int = 1000, scale: float = 0.02, **smtp: Any) -> Ended:
    """Offer what is in the tray over one connection until all of it or the connection has ended, then leave."""
    config = make_config(port, scale=1, **smtp)
    connected = await connect(config, config.smtp.pool[0])
    session = replace(connected, timeouts=Timeouts.scaled(scale)).start(tray, messages_max=messages_max)
    session.go()
    over = asyncio.ensure_future(tray.is_over.wait())
    await asyncio.wait([over, session.closed], return_when=asyncio.FIRST_COMPLETED)
    over.cancel()
    session.leave()
    return Ended(tray, session, await session.closed)


async def converse(talk: Talk, attempts: Iterable[Attempt], **options: Any) -> Ended:
    """What became of these messages over one connection to a server that talks so."""
    async with serving(talk) as port:
        return await hold_session(port, Tray(list(attempts)), **options)


def make_relay(port: int, name: str = "main", **more: Any) -> Relay:
    return Relay(name=name, port=port, **{"security": "none", **more})
