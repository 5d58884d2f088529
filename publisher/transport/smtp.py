"""A connection to the relay, and what became of each message on it.

aiosmtplib connects, starts TLS and authenticates; the dialogue of the messages is our ``Session`` on its transport.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiosmtplib

from publisher.config import Config
from publisher.errors import TransportError
from publisher.transport.session import Reply, Session, SessionLostError
from subscribers.replies import Verdict, judge_reply

BODY_TIMEOUT_S = 600.0
"""The server has ten minutes to answer the final dot (RFC 5321 §4.5.3.2.6)."""

QUIT_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message for one recipient. The addresses are checked: no space, bracket or control character."""

    sender: str
    recipient: str
    message: bytes
    """CRLF line ends, the last one included."""
    needs_smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a message after it was tried."""

    verdict: Verdict
    reply: str
    """The server's last word, or what happened to the connection."""


Veto = Callable[[], Awaitable[Outcome | None]]


class Connection:
    """An async context manager that connects, secures and authenticates.

    Entering raises TransportError where the relay cannot be used; nothing was accepted then.
    """

    def __init__(self, config: Config) -> None:
        smtp = config.smtp
        self._username = smtp.username
        self._password = config.password()
        self._name = f"{smtp.host}:{smtp.port}"
        self._timeout_s = smtp.timeout_s
        self._client = aiosmtplib.SMTP(
            hostname=smtp.host,
            port=smtp.port,
            timeout=smtp.timeout_s,
            use_tls=smtp.security == "tls",
            start_tls=smtp.security == "starttls",  # True: required; stripped STARTTLS ends the session
            tls_context=ssl.create_default_context(cafile=smtp.ca_file) if smtp.security != "none" else None,
            local_hostname=config.mail.sender_domain,
        )

    async def __aenter__(self) -> Self:
        try:
            await self._client.connect()
            if self._username and self._password:
                await self._client.login(self._username, self._password)
            elif self._client.is_ehlo_or_helo_needed:
                await self._client.ehlo()
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            raise TransportError(f"SMTP server {self._name}: {_describe(error)}") from error
        transport = self._client.transport
        if not isinstance(transport, asyncio.Transport):
            raise TransportError(f"SMTP server {self._name}: the connection was lost at once")
        self._session = Session(transport)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Every message has its outcome already; how the session ends changes none.
        if error is None and self.is_open:
            with suppress(SessionLostError):
                await self._ask(b"QUIT\r\n", QUIT_TIMEOUT_S)
        self._session.close()

    @property
    def is_open(self) -> bool:
        """Whether further messages can be tried on this connection."""
        return self._session.is_open

    async def send(self, envelope: Envelope, veto: Veto) -> Outcome:
        """Try one message. What happens after the first byte of the body and is not a reply is ``uncertain``.

        ``veto`` is asked last, when the body would begin; what it returns is the outcome then.
        """
        if envelope.needs_smtputf8 and not self._client.supports_extension("smtputf8"):
            return Outcome(Verdict("failed"), "the server does not offer SMTPUTF8, which this address needs")
        try:
            refused = await self._address(envelope)
        except SessionLostError as error:
            return Outcome(Verdict("deferred"), f"connection lost before the message: {error}")
        if refused is not None:
            return refused
        if (vetoed := await veto()) is not None:
            self._session.close()  # after 354 nothing but a body may follow
            return vetoed
        return await self._send_body(envelope.message)

    async def _send_body(self, message: bytes) -> Outcome:
        try:
            (waiting,) = self._session.write(_stuff(message))
        except SessionLostError as error:
            return Outcome(Verdict("deferred"), f"connection lost before the message: {error}")
        try:
            reply = await self._session.wait(waiting, BODY_TIMEOUT_S)
        except SessionLostError as error:
            return Outcome(Verdict("uncertain"), f"connection lost after the message began: {error}")
        if 300 <= reply.code < 400 or reply.code == 421:
            self._session.close()
        if 300 <= reply.code < 400:  # no answer to a body; whose reply it is nobody can tell
            return Outcome(Verdict("uncertain"), str(reply))
        return Outcome(judge_reply(reply.code, reply.text, step="data"), str(reply))

    async def _address(self, envelope: Envelope) -> Outcome | None:
        """MAIL, RCPT and DATA, at once where the server offers it (RFC 2920); the outcome where one is refused."""
        commands = _commands(envelope)
        if self._client.supports_extension("pipelining"):
            waiting = self._session.write(b"".join(commands.values()), replies=len(commands))
            replies = [await self._session.wait(reply, self._timeout_s) for reply in waiting]
            return await self._settle(dict(zip(commands, replies, strict=True)))
        for step, command in commands.items():
            outcome = await self._settle({step: await self._ask(command, self._timeout_s)})
            if outcome is not None:
                return outcome
        return None

    async def _settle(self, replies: dict[str, Reply]) -> Outcome | None:
        """The outcome of the first refusal; the session is then ready for the next message, or closed."""
        for step, reply in replies.items():
            if _is_accepted(step, reply):
                continue
            await self._start_over(reply, is_body_awaited=replies.get("data", reply).code == 354)
            return _judge(step, reply)
        return None

    async def _start_over(self, reply: Reply, *, is_body_awaited: bool) -> None:
        if reply.code < 400 or reply.code == 421 or is_body_awaited:
            self._session.close()
            return
        with suppress(SessionLostError):
            await self._ask(b"RSET\r\n", self._timeout_s)

    async def _ask(self, data: bytes, timeout_s: float) -> Reply:
        (reply,) = self._session.write(data)
        return await self._session.wait(reply, timeout_s)


def _commands(envelope: Envelope) -> dict[str, bytes]:
    option = " SMTPUTF8" if envelope.needs_smtputf8 else ""
    return {
        "mail": f"MAIL FROM:<{envelope.sender}>{option}\r\n".encode(),
        "rcpt": f"RCPT TO:<{envelope.recipient}>\r\n".encode(),
        "data": b"DATA\r\n",
    }


def _stuff(message: bytes) -> bytes:
    """The message as it goes over the wire: leading dots doubled, the final dot added (RFC 5321 §4.5.2)."""
    return message.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _is_accepted(step: str, reply: Reply) -> bool:
    return reply.code == 354 if step == "data" else 200 <= reply.code < 300


def _judge(step: str, reply: Reply) -> Outcome:
    """The outcome of a refusal before the body; a 2xx or 3xx that is out of place says nothing of the message."""
    verdict = judge_reply(reply.code, reply.text, step=step) if reply.code >= 400 else Verdict("deferred")
    return Outcome(verdict, str(reply))


def _describe(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
