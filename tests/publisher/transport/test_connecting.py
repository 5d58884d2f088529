"""From a socket to a connection that may carry messages: what a relay can do to prevent it."""

import asyncio
import socket
import ssl
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scripted_smtp import (
    LARGE,
    OK,
    PIPELINING,
    PLAIN,
    Client,
    Ended,
    Talk,
    Tray,
    hold_session,
    make_attempt,
    make_config,
    run,
    serving,
)
from server_certificates import make_certificate, server_context

from publisher.errors import AuthenticationError, TransportError
from publisher.transport.session import LEFT
from publisher.transport.smtp import connect

STARTTLS = b"250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
AUTH = b"250-here\r\n250 AUTH PLAIN LOGIN\r\n"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path)


@pytest.fixture
def account(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "password").write_text("secret\n")
    return {"username": "news", "password_file": tmp_path / "password"}


async def greet_and_quit(port: int, **smtp: Any) -> None:
    """Connect as for a run, and leave; TransportError where the relay cannot be used."""
    config = make_config(port, **smtp)
    await (await connect(config, config.smtp.pool[0])).quit()


def refused(talk: Talk, **smtp: Any) -> tuple[str, type[Exception]]:
    """Why the relay cannot be used."""

    async def test() -> None:
        async with serving(talk) as port:
            await greet_and_quit(port, **smtp)

    with pytest.raises(TransportError) as caught:
        run(test())
    assert str(caught.value).startswith("SMTP server 127.0.0.1:")
    return str(caught.value), type(caught.value)


# Greeting and EHLO


def test_a_relay_that_works_is_left_with_quit() -> None:
    async def talk(client: Client) -> None:
        await client.greet(PIPELINING)
        await client.part()

    async def test() -> None:
        async with serving(talk) as port:
            await greet_and_quit(port)

    run(test())


def test_a_relay_that_is_not_there_is_named() -> None:
    with pytest.raises(TransportError, match=r"SMTP server 127\.0\.0\.1:1:"):
        run(greet_and_quit(1))


def test_a_name_that_is_not_found_is_a_trouble_of_the_relay() -> None:
    with pytest.raises(TransportError, match=r"SMTP server relay\.invalid"):
        run(greet_and_quit(25, host="relay.invalid"))


def test_a_connection_that_is_never_accepted_is_given_up_in_time() -> None:
    async def test() -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = []
            for _ in range(3):  # the backlog is full: a further SYN gets no answer
                waiting.append(socket.socket())
                waiting[-1].settimeout(0)
                waiting[-1].connect_ex(full.getsockname())
            try:
                await greet_and_quit(full.getsockname()[1], scale=0.01)
            finally:
                for one in waiting:
                    one.close()

    with pytest.raises(TransportError, match=r"no connection within 0\.3 s"):
        run(test())


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        (b"421 4.3.2 busy\r\n", "421 4.3.2 busy"),
        (b"554 5.7.1 \xff no service\x1b[1m\r\n", "554 5.7.1"),
        (b"hello\r\n", "Malformed"),
        (b"220 " + b"x" * 50_000, "too long"),
        (b"", "Unexpected EOF received"),
    ],
)
def test_a_greeting_that_is_none_is_told(greeting: bytes, said: str) -> None:
    async def talk(client: Client) -> None:
        client.say(greeting)

    text, _ = refused(talk)

    assert said in text
    assert text.isprintable()
    text.encode()


@pytest.mark.parametrize("dribbles", [False, True], ids=["silent", "tarpit"])
def test_no_greeting_is_waited_for_no_longer_than_its_time(*, dribbles: bool) -> None:
    async def talk(client: Client) -> None:
        is_gone = asyncio.ensure_future(client.rest())
        while not is_gone.done():
            client.say(b"2" if dribbles and not client.writer.is_closing() else b"")
            await asyncio.sleep(0.01)

    text, _ = refused(talk, scale=0.0005)

    assert "Timed out" in text
    assert "None" not in text


@pytest.mark.parametrize("answer", [b"500 what\r\n", b"502 no\r\n", b"554 no\r\n"])
def test_helo_is_said_only_where_it_is_allowed(answer: bytes) -> None:
    got = []

    async def talk(client: Client) -> None:
        await client.greet(answer)
        while got[-1:] != [b"QUIT"]:
            got.append(await client.line())
            client.say(b"250 here\r\n" if got[-1].startswith(b"HELO") else b"221 bye\r\n")

    async def test(**smtp: Any) -> None:
        async with serving(talk) as port:
            await greet_and_quit(port, **smtp)

    assert refused(talk)[0].endswith(answer.decode().strip())
    assert got == []
    run(test(allow_helo=True))
    assert got == [b"HELO example.org", b"QUIT"]


# TLS


def test_where_starttls_is_missing_neither_mail_nor_password_is_said(account: dict[str, Any]) -> None:
    rest = []

    async def talk(client: Client) -> None:
        await client.greet(AUTH)
        rest.append(await client.rest())

    text, _ = refused(talk, security="starttls", **account)

    assert "STARTTLS" in text
    assert rest == [b""]


@pytest.mark.parametrize("answer", [b"454 4.7.0 not now\r\n", b"501 what\r\n", b"hello\r\n"])
def test_where_starttls_is_refused_neither_mail_nor_password_is_said(answer: bytes, account: dict[str, Any]) -> None:
    rest = []

    async def talk(client: Client) -> None:
        await client.greet(STARTTLS)
        assert await client.line() == b"STARTTLS"
        client.say(answer)
        rest.append(await client.rest())

    refused(talk, security="starttls", **account)

    assert rest == [b""]


@pytest.mark.parametrize("injected", [b"250-here\r\n250 AUTH PLAIN\r\n", b"2", b"250-here\r\n"])
def test_plaintext_behind_the_reply_to_starttls_ends_the_connection(
    injected: bytes, certificate: Path, account: dict[str, Any]
) -> None:
    async def talk(client: Client) -> None:
        await client.greet(STARTTLS)
        assert await client.line() == b"STARTTLS"
        client.say(b"220 go\r\n" + injected)
        assert await client.rest() == b""  # not even a handshake

    text, _ = refused(talk, security="starttls", ca_file=certificate, **account)

    assert "lost" in text or "Disconnected" in text


async def secure(client: Client, certificate: Path) -> None:
    """Greeting, STARTTLS, and the greeting again under TLS."""
    await client.greet(STARTTLS)
    assert await client.line() == b"STARTTLS"
    client.say(b"220 go\r\n")
    await client.writer.start_tls(server_context(certificate))
    await client.line()


def test_after_starttls_everything_is_asked_again(certificate: Path, account: dict[str, Any]) -> None:
    got = []

    async def talk(client: Client) -> None:
        await secure(client, certificate)
        client.say(b"250-here\r\n250-PIPELINING\r\n250 AUTH LOGIN\r\n")
        got.append(await client.line())
        client.say(b"334 UGFzc3dvcmQ6\r\n")
        got.append(await client.line())
        client.say(b"235 2.7.0 welcome\r\n")
        got.extend(await client.lines(3))  # PIPELINING was offered under TLS only
        client.say(OK + OK + b"354 go on\r\n")
        await client.body()
        client.say(OK)
        await client.part()

    async def test() -> Ended:
        async with serving(talk) as port:
            tray = Tray([make_attempt("ana")])
            return await hold_session(port, tray, security="starttls", ca_file=certificate, **account)

    ended = run(test())

    assert (ended.states, ended.reason) == ({"ana": "sent"}, LEFT)
    assert got[:2] == [b"AUTH LOGIN " + b64encode(b"news"), b64encode(b"secret")]


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("fault", ["unknown", "expired", "other host"])
def test_a_bad_certificate_ends_the_connection(
    security: str, fault: str, tmp_path: Path, account: dict[str, Any]
) -> None:
    ends_in = timedelta(days=-1 if fault == "expired" else 1)
    certificate = make_certificate(
        tmp_path, address="127.0.0.9" if fault == "other host" else "127.0.0.1", ends_in=ends_in
    )
    trusted = {} if fault == "unknown" else {"ca_file": certificate}
    commands: list[bytes] = []

    async def talk(client: Client) -> None:
        if security == "starttls":
            await secure(client, certificate)
        commands.append(await client.line())

    async def test() -> None:
        tls = server_context(certificate) if security == "tls" else None
        async with serving(talk, tls=tls) as port:
            await greet_and_quit(port, security=security, **trusted, **account)

    with pytest.raises(TransportError, match=r"(?i)certificate|verif"):
        run(test())
    assert commands == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(("answer", "state"), [(OK, "uncertain"), (b"552 5.3.4 too big\r\n", "failed")])
def test_also_under_tls_a_reply_in_the_middle_of_a_body_is_noticed(
    security: str, answer: bytes, state: str, certificate: Path
) -> None:
    rest = []

    async def talk(client: Client) -> None:
        if security == "starttls":
            await secure(client, certificate)
            client.say(PIPELINING)
        else:
            await client.greet(PIPELINING)
        await client.envelope()
        await client.line()
        client.say(answer)
        try:
            rest.append(await client.rest())
        except (OSError, ssl.SSLError):
            rest.append(b"")

    async def test() -> Ended:
        async with serving(talk, tls=server_context(certificate) if security == "tls" else None) as port:
            tray = Tray([make_attempt("ana", LARGE), make_attempt("ben")])
            return await hold_session(port, tray, security=security, ca_file=certificate)

    ended = run(test())

    assert ended.states["ana"] == state
    assert ended.states.get("ben", "deferred") == "deferred"
    assert not rest[0].endswith(b".\r\n")


@pytest.mark.parametrize("cut", [True, False], ids=["dropped", "closed"])
def test_also_under_tls_a_lost_connection_leaves_a_body_in_doubt(certificate: Path, *, cut: bool) -> None:
    async def talk(client: Client) -> None:
        await client.greet(PLAIN)
        await client.envelope()
        await client.body()
        if cut:
            client.writer.transport.abort()

    async def test() -> Ended:
        async with serving(talk, tls=server_context(certificate)) as port:
            return await hold_session(port, Tray([make_attempt("ana")]), security="tls", ca_file=certificate)

    assert run(test()).states == {"ana": "uncertain"}


# Signing in


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"535 5.7.8 bad password\r\n", AuthenticationError),
        (b"534 5.7.9 too weak\r\n", AuthenticationError),
        (b"454 4.7.0 later\r\n", TransportError),
        (b"421 4.3.2 closing\r\n", TransportError),
        (b"250 what\r\n", TransportError),
    ],
)
def test_a_password_is_tried_once(answer: bytes, error: type[Exception], account: dict[str, Any]) -> None:
    got = []

    async def talk(client: Client) -> None:
        await client.greet(AUTH)
        got.append(await client.line())
        client.say(answer)
        got.append(await client.rest())

    text, kind = refused(talk, **account)

    assert kind is error
    assert answer.decode().strip() in text
    assert got == [b"AUTH PLAIN " + b64encode(b"\0news\0secret"), b""]
    assert "secret" not in text


def test_a_relay_that_offers_no_way_to_sign_in_gets_no_password(account: dict[str, Any]) -> None:
    rest = []

    async def talk(client: Client) -> None:
        await client.greet(PLAIN)
        rest.append(await client.rest())

    assert "offers no way to sign in" in refused(talk, **account)[0]
    assert rest == [b""]


def test_a_challenge_that_is_none_is_a_trouble_of_the_relay(account: dict[str, Any]) -> None:
    async def talk(client: Client) -> None:
        await client.greet(b"250-here\r\n250 AUTH CRAM-MD5\r\n")
        await client.line()
        client.say(b"334 x\r\n")
        await client.rest()

    assert refused(talk, **account)[1] is TransportError
