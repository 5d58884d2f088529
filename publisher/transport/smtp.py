"""Connecting to a relay: aiosmtplib starts TLS, says EHLO and authenticates; ``Session`` then carries the messages."""

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from publisher.config import Config, read_secret
from publisher.errors import AuthenticationError, TransportError
from publisher.sections import Relay
from publisher.transport.dialogue import Offers, Timeouts
from publisher.transport.messages import Feed
from publisher.transport.replies import MalformedReplyError, ReplyReader, legible
from publisher.transport.session import Session
from publisher.transport.wire import Command, Wire

_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")


@dataclass(frozen=True, slots=True)
class Connected:
    """A transport on which messages can be offered, and what the server offers."""

    transport: asyncio.Transport
    offers: Offers
    timeouts: Timeouts

    def start(self, feed: Feed, *, messages_max: int) -> Session:
        """The session that carries messages on it."""
        return Session(self.transport, self.offers, feed=feed, timeouts=self.timeouts, messages_max=messages_max)

    async def quit(self) -> None:
        """Leave politely without having sent anything."""
        closed = asyncio.get_running_loop().create_future()
        wire = Wire(
            self.transport,
            self.timeouts,
            answer=lambda _awaited, _reply: wire.abort("left"),
            end=lambda _reason, _left: closed.set_result(None),
        )
        wire.write([Command("quit", None, b"QUIT\r\n")])
        await closed


def name_relay(relay: Relay) -> str:
    """How errors name it."""
    return f"SMTP server {relay.host}:{relay.port}"


async def connect(config: Config, relay: Relay) -> Connected:
    """Connect, secure and authenticate; TransportError where the relay cannot be used. Nothing was accepted then.

    AuthenticationError where it refuses the password: to try again at once could lock the account.
    """
    timeouts = Timeouts.scaled(config.smtp.timeout_scale)
    try:
        sock = await _dial(relay, timeouts.connect_s)
        return await _Dialler(config, relay, timeouts).open(sock)
    except aiosmtplib.SMTPAuthenticationError as error:
        raised = AuthenticationError if 500 <= error.code < 600 else TransportError
        raise raised(f"{name_relay(relay)}: signing in was refused ({_describe(error)})") from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:  # ValueError: a challenge that is no base64
        raise TransportError(f"{name_relay(relay)}: {_describe(error)}") from error


class _Dialler:
    """One connection on its way to being usable."""

    def __init__(self, config: Config, relay: Relay, timeouts: Timeouts) -> None:
        self._relay = relay
        self._may_say_helo = config.smtp.allow_helo
        self._timeouts = timeouts
        self._client = aiosmtplib.SMTP(
            hostname=relay.host,
            timeout=timeouts.greeting_s,
            use_tls=relay.security == "tls",
            start_tls=False,  # by hand, after our own EHLO
            tls_context=_tls_context(relay),
            local_hostname=config.mail.sender_domain,
        )

    async def open(self, sock: socket.socket) -> Connected:
        client = self._client
        try:
            await client.connect(sock=sock)
            await self._greet()
            if self._relay.security == "starttls":
                await self._start_tls()
                await self._greet()
            await self._sign_in()
        except BaseException:
            transport = client.transport
            client.close()
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()  # to shut TLS down in order, a server like this one could make us wait
            raise
        transport = client.transport
        if not isinstance(transport, asyncio.Transport):
            raise TransportError(f"{name_relay(self._relay)}: the connection was lost at once")
        offers = Offers.of(client.esmtp_extensions.keys(), client.esmtp_extensions.get("size", ""))
        return Connected(transport, offers, self._timeouts)

    async def _start_tls(self) -> None:
        """Where it is not offered, or something follows its reply, the connection ends before MAIL and AUTH."""
        client = self._client
        if isinstance(client.transport, asyncio.Transport) and client.protocol is not None:
            client.transport.set_protocol(_StarttlsGuard(client.transport, client.protocol))
        await client.starttls(timeout=self._timeouts.command_s)

    async def _greet(self) -> None:
        try:
            await self._client.ehlo(timeout=self._timeouts.command_s)
        except aiosmtplib.SMTPHeloError:
            if not self._may_say_helo:
                raise
            await self._client.helo(timeout=self._timeouts.command_s)

    async def _sign_in(self) -> None:
        """By one method, once: each further try would count against the account."""
        relay, client = self._relay, self._client
        if not (relay.username and relay.password_file):
            return
        password = read_secret(relay.password_file, key="smtp.password_file")
        methods = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
        offered = [method for name, method in methods.items() if name in client.server_auth_methods]
        if not offered:
            raise TransportError(f"{name_relay(relay)} offers no way to sign in. Remove smtp.username, or ask for TLS")
        await offered[0](relay.username, password, timeout=self._timeouts.command_s)


class _StarttlsGuard(asyncio.Protocol):
    """Hands on one reply; what comes behind it in the clear was put there by somebody else (RFC 3207 §6)."""

    def __init__(self, transport: asyncio.Transport, protocol: SMTPProtocol) -> None:
        self._transport, self._protocol = transport, protocol
        self._reader = ReplyReader()

    def data_received(self, data: bytes) -> None:
        try:
            replies = list(self._reader.feed(data))
        except MalformedReplyError:
            self._transport.abort()
            return
        if replies and (len(replies) > 1 or self._reader.has_more):
            self._transport.abort()
            return
        self._protocol.data_received(data)

    def eof_received(self) -> None:
        self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)


async def _dial(relay: Relay, timeout_s: float) -> socket.socket:
    """A socket connected to the first of the relay's addresses that answers in time."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(relay.host, relay.port, type=socket.SOCK_STREAM)
    problem: OSError = OSError("no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)  # noqa: FBT003 (its signature)
        try:
            async with asyncio.timeout(timeout_s):
                await loop.sock_connect(sock, address)
        except TimeoutError:
            problem = TimeoutError(f"no connection within {timeout_s:g} s")
        except OSError as error:
            problem = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
        sock.close()
    raise problem


def _tls_context(relay: Relay) -> ssl.SSLContext | None:
    if relay.security == "none":
        return None
    return ssl.create_default_context(cafile=str(relay.ca_file) if relay.ca_file else None)


def _describe(error: Exception) -> str:
    """What went wrong, without addresses: it is logged."""
    if isinstance(error, aiosmtplib.SMTPConnectError) and isinstance(error.__cause__, OSError):
        error = error.__cause__  # without "on port None" before it
    code = f"{error.code} " if isinstance(error, aiosmtplib.SMTPResponseException) else ""
    message = error.message if isinstance(error, aiosmtplib.SMTPResponseException) else str(error)
    words = legible(f"{code}{message}".encode("utf-8", "replace").decode())
    return _ADDRESS.sub("<address>", words) or type(error).__name__
