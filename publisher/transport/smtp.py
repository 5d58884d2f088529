"""One SMTP connection and what became of each message on it."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiosmtplib

from publisher.config import Config
from publisher.errors import TransportError
from subscribers.replies import Verdict, judge_reply

BODY_TIMEOUT_S = 600
"""The server has ten minutes to answer the final dot (RFC 5321 §4.5.3.2.6)."""

NOT_TRIED = Verdict("deferred")


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message for one recipient."""

    sender: str
    recipient: str
    message: bytes
    needs_smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a message after it was tried."""

    verdict: Verdict
    reply: str
    """The server's last word, or what happened to the connection."""


Veto = Callable[[], Awaitable[Outcome | None]]


class Connection:
    """A connection to the relay; an async context manager that connects, secures and authenticates.

    Where it cannot be used, entering or ``send`` raises TransportError: nothing was accepted then.
    """

    def __init__(self, config: Config) -> None:
        smtp = config.smtp
        self._username = smtp.username
        self._password = config.password()
        self._name = f"{smtp.host}:{smtp.port}"
        self._client = aiosmtplib.SMTP(
            hostname=smtp.host,
            port=smtp.port,
            timeout=smtp.timeout_s,
            use_tls=smtp.security == "tls",
            start_tls=smtp.security == "starttls",  # True: required; stripped STARTTLS ends the session
            tls_context=ssl.create_default_context() if smtp.security != "none" else None,
            local_hostname=config.mail.sender_domain,
        )

    async def __aenter__(self) -> Self:
        try:
            await self._client.connect()
            if self._username and self._password:
                await self._client.login(self._username, self._password)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            raise TransportError(f"SMTP server {self._name}: {_describe(error)}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None and self._client.is_connected:
                await self._client.quit(timeout=5)
        except (aiosmtplib.SMTPException, OSError):
            pass  # every message has its outcome already; how the session ends changes none
        finally:
            self._client.close()

    async def send(self, envelope: Envelope, veto: Veto) -> Outcome:
        """Try one message. What happens after the first byte of the body and is not a reply is ``uncertain``.

        ``veto`` is asked last, when the body would begin; what it returns is the outcome then.
        """
        if envelope.needs_smtputf8 and not self._client.supports_extension("smtputf8"):
            return Outcome(Verdict("failed"), "the server does not offer SMTPUTF8, which this address needs")
        step = "mail"
        try:
            await self._command(f"MAIL FROM:<{envelope.sender}>" + (" SMTPUTF8" if envelope.needs_smtputf8 else ""))
            step = "rcpt"
            await self._command(f"RCPT TO:<{envelope.recipient}>")
            if (vetoed := await veto()) is not None:
                await self._reset()
                return vetoed
            step = "data"
            response = await self._client.data(envelope.message, timeout=BODY_TIMEOUT_S)
        except aiosmtplib.SMTPResponseException as error:
            return await self._refused(error, step)
        except (aiosmtplib.SMTPException, OSError) as error:
            return self._broken(error, step)
        return Outcome(Verdict("sent"), f"{response.code} {response.message}")

    @property
    def is_open(self) -> bool:
        """Whether further messages can be tried on this connection."""
        return bool(self._client.is_connected)

    async def _command(self, line: str) -> None:
        # The library's own mail() and rcpt() parse each address three times, half a millisecond a message; ours are
        # checked when the envelope is made.
        if any(char in line for char in "\r\n\0"):
            raise ValueError("an address holds a line break")
        response = await self._client.execute_command(line.encode())
        if not 200 <= response.code < 300:
            raise aiosmtplib.SMTPResponseException(response.code, response.message)

    async def _refused(self, error: aiosmtplib.SMTPResponseException, step: str) -> Outcome:
        if error.code == 421:
            self._client.close()
        elif self._client.is_connected and step != "data":
            await self._reset()
        return Outcome(judge_reply(error.code, error.message, step=step), f"{error.code} {error.message}")

    async def _reset(self) -> None:
        try:
            await self._client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._client.close()

    def _broken(self, error: Exception, step: str) -> Outcome:
        self._client.close()
        verdict = Verdict("uncertain") if step == "data" else NOT_TRIED
        return Outcome(verdict, f"connection lost at {step}: {_describe(error)}")


def _describe(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
