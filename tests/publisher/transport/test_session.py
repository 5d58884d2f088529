"""One message over one connection, against a server that answers each of our lines by a script."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from publisher.config import Config
from publisher.errors import TransportError
from publisher.transport import smtp
from publisher.transport.smtp import Connection, Envelope, Outcome

GREETING = b"220 here\r\n"
PLAIN = b"250 here\r\n"
PIPELINING = b"250-here\r\n250 PIPELINING\r\n"
OK = b"250 2.0.0 ok\r\n"
GO_ON = b"354 go on\r\n"
MESSAGE = b"Subject: x\r\n\r\n.a line that begins with a dot\r\n"
LARGE = MESSAGE + b"0123456789abcdef\r\n" * 1_000_000


async def no_veto() -> Outcome | None:
    return None


async def try_message(
    answers: list[bytes], *, ehlo: bytes = PLAIN, message: bytes = MESSAGE, reads_body: bool = True
) -> tuple[Outcome, bool, bytes]:
    """What became of the message, whether the connection is still good, and what the server got after DATA."""
    script, got = iter(answers), bytearray()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (ehlo, next(script), next(script), next(script)):
            await reader.readline()
            writer.write(answer)
        if reads_body:
            got.extend(await reader.readuntil(b"\r\n.\r\n"))
        for answer in script:
            writer.write(answer)
            await reader.readline()

    async with serving(talk) as port, Connection(make_config(port)) as connection:
        envelope = Envelope("b@bounces.example.org", "ana@example.org", message)
        outcome = await connection.send(envelope, no_veto)
        return outcome, connection.is_open, bytes(got)


@asynccontextmanager
async def serving(talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:
    """A server that greets, talks and hangs up; its port. All its talks are over when the block is left."""
    talks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())  # type: ignore[arg-type]  # inside a task there is one
        writer.write(GREETING)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await talk(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=32_000_000)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*talks)


def make_config(port: int) -> Config:
    return Config(
        site={"name": "News", "base_url": "https://news.example.org", "postal_address": "1 Example Street"},
        mail={"from": "news@example.org", "bounce_domain": "bounces.example.org"},
        smtp={"port": port, "security": "none", "timeout_s": 5},
    )


@pytest.mark.parametrize("ehlo", [PLAIN, PIPELINING])
def test_an_accepted_message_is_sent_with_its_dots_doubled(ehlo: bytes) -> None:
    outcome, is_open, got = asyncio.run(try_message([OK, OK, GO_ON, OK], ehlo=ehlo))

    assert (outcome.verdict.state, outcome.reply) == ("sent", "250 2.0.0 ok")
    assert is_open
    assert got == MESSAGE.replace(b"\r\n.", b"\r\n..") + b".\r\n"


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (b"250-2.0.0 one\r\n250 two\r\n", "sent"),
        (b"250\r\n", "sent"),
        (b"451 4.3.0 later\r\n", "deferred"),
        (b"421 4.3.2 closing\r\n", "deferred"),
        (b"554 5.6.0 no\r\n", "failed"),
        (b"550 5.7.26 not authenticated\r\n", "deferred"),
        (b"354 again\r\n", "uncertain"),
        (b"550-no\r\n250 ok\r\n", "uncertain"),
        (b"2500 what\r\n", "uncertain"),
        (b"250garbage\r\n", "uncertain"),
        (b"hello\r\n", "uncertain"),
        (b"250-\r\n" * 6_000, "uncertain"),
        (b"250 " + b"x" * 40_000, "uncertain"),
        (b"", "uncertain"),
    ],
)
def test_only_a_plain_acceptance_of_the_body_is_one(last: bytes, state: str) -> None:
    outcome, is_open, _ = asyncio.run(try_message([OK, OK, GO_ON, last] if last else [OK, OK, GO_ON]))

    assert outcome.verdict.state == state
    assert is_open == (state in ("sent", "failed") or b"451" in last or b"5.7.26" in last)


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([b"451 4.3.0 later\r\n", OK, OK], "deferred"),
        ([OK, b"550 5.1.1 nobody\r\n", b"503 no\r\n"], "failed"),
        ([OK, b"450 4.2.0 greylisted\r\n", b"503 no\r\n"], "deferred"),
        ([OK, OK, b"250 what\r\n"], "deferred"),
        ([OK, OK, b"451 4.3.0 later\r\n"], "deferred"),
        ([OK, OK, b"503 5.5.1 bad sequence\r\n"], "deferred"),
        ([OK, OK, GO_ON + b"421 4.3.2 closing\r\n"], "deferred"),
        ([OK, OK, GO_ON + b"250 already\r\n"], "deferred"),
        ([OK + OK, OK, GO_ON], "deferred"),
    ],
)
@pytest.mark.parametrize("ehlo", [PLAIN, PIPELINING])
def test_what_fails_before_the_body_is_never_uncertain(answers: list[bytes], state: str, ehlo: bytes) -> None:
    outcome, _, _ = asyncio.run(try_message([*answers, OK], ehlo=ehlo, reads_body=False))

    if answers == [OK + OK, OK, GO_ON] and ehlo == PIPELINING:
        assert outcome.verdict.state in ("deferred", "uncertain")  # one answer too many looks like the next one
    else:
        assert outcome.verdict.state == state


def test_a_250_before_our_dot_is_no_acceptance() -> None:
    after_a_line = [OK, OK, GO_ON, b"", OK]

    outcome, is_open, _ = asyncio.run(try_message(after_a_line, message=LARGE, reads_body=False))

    assert outcome.verdict.state == "uncertain"
    assert not is_open


def test_silence_after_the_dot_is_uncertain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "BODY_TIMEOUT_S", 0.05)

    async def stay_silent() -> Outcome:
        is_over = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for answer in (PLAIN, OK, OK, GO_ON):
                await reader.readline()
                writer.write(answer)
            await is_over.wait()

        async with serving(talk) as port:
            async with Connection(make_config(port)) as connection:
                outcome = await connection.send(Envelope("b@example.org", "a@example.org", MESSAGE), no_veto)
            is_over.set()
            return outcome

    assert asyncio.run(stay_silent()).verdict.state == "uncertain"


def test_a_relay_that_is_not_there_is_named() -> None:
    async def connect() -> None:
        async with Connection(make_config(1)):
            pass

    with pytest.raises(TransportError, match=r"SMTP server 127\.0\.0\.1:1"):
        asyncio.run(connect())
