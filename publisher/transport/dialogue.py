"""The commands of one message and their time-outs (RFC 5321, 1870, 2920, 3461, 6152, 6531)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Self

from publisher.transport.messages import Envelope

Step = Literal["rset", "mail", "rcpt", "data", "body", "quit"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait, as RFC 5321 §4.5.3.2 asks for; a connection that is refused by silence is given up earlier."""

    connect_s: float = 30
    greeting_s: float = 300
    command_s: float = 300
    data_s: float = 120
    body_s: float = 600
    quit_s: float = 5

    @classmethod
    def scaled(cls, scale: float) -> Self:
        """All of them times ``scale``: 1 in production, less where a test cannot wait ten minutes."""
        full = cls()
        return cls(*(getattr(full, name) * scale for name in cls.__slots__))

    @property
    def tick_s(self) -> float:
        """How often to look whether a reply is late."""
        return self.quit_s / 4

    def of(self, step: Step) -> float:
        """How long the reply to that step may take."""
        return {"data": self.data_s, "body": self.body_s, "quit": self.quit_s}.get(step, self.command_s)


@dataclass(frozen=True, slots=True)
class Offers:
    """What the server said in its answer to EHLO."""

    extensions: frozenset[str]
    size_limit: int | None = None
    """Largest message in octets (RFC 1870), where it names one."""

    @classmethod
    def of(cls, extensions: Collection[str], size: str = "") -> Self:
        """From the names of the extensions and the parameter of SIZE; 0 and nonsense name no limit."""
        return cls(frozenset(extensions), int(size) if re.fullmatch(r"[1-9][0-9]{0,18}", size) else None)

    def __contains__(self, extension: str) -> bool:
        return extension in self.extensions


def write_commands(envelope: Envelope, offers: Offers) -> list[tuple[Step, bytes]]:
    """MAIL, RCPT and DATA with what the server offers: SIZE, BODY, SMTPUTF8, delivery reports to our bounce address."""
    mail = [f"MAIL FROM:<{envelope.sender}>"]
    rcpt = [f"RCPT TO:<{envelope.recipient}>"]
    if "size" in offers:
        mail.append(f"SIZE={len(envelope.message)}")
    if "8bitmime" in offers and not envelope.message.isascii():
        mail.append("BODY=8BITMIME")
    if envelope.needs_smtputf8:
        mail.append("SMTPUTF8")
    if "dsn" in offers:
        mail += ["RET=HDRS", *([f"ENVID={envelope.envelope_id}"] if envelope.envelope_id else [])]
        rcpt.append("NOTIFY=FAILURE,DELAY")
        if envelope.recipient.isascii():
            rcpt.append(f"ORCPT=rfc822;{_xtext(envelope.recipient)}")
    return [("mail", _line(mail)), ("rcpt", _line(rcpt)), ("data", b"DATA\r\n")]


def write_body(envelope: Envelope) -> bytes:
    """The message as it goes over the wire: leading dots doubled, the final dot added (RFC 5321 §4.5.2)."""
    message = envelope.message
    if envelope.may_have_dots:
        message = message.replace(b"\r\n.", b"\r\n..")
    return message + b".\r\n"


def _line(words: list[str]) -> bytes:
    return " ".join(words).encode() + b"\r\n"


def _xtext(text: str) -> str:
    """RFC 3461 §4: ``+``, ``=`` and whatever is not visible ASCII, as ``+`` and two digits."""
    return re.sub(r"[^!-*,-<>-~]", lambda found: f"+{ord(found[0]):02X}", text)
