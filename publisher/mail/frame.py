"""The message of a variant, made once, with the places where a person's parts go (RFC 5322, RFC 2045).

The places are found after transfer-encoding. In quoted-printable a soft line break may split a token; in base64 the
token is encoded again with the octets that share its groups of three, and a line end may split the result.
"""

import json
import re
from binascii import b2a_base64
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

from publisher.errors import RenderError
from publisher.mail.headers import mailbox_field

Part = Literal["to", "message-id", "token"]

_TOKEN = re.compile(r"[A-Za-z0-9_-]{27}")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,200}@[A-Za-z0-9.-]{1,253}>")


@dataclass(frozen=True, slots=True)
class PersonParts:
    """What differs from one person's message to the next."""

    address: str
    name: str
    """May be empty."""
    token: str
    """27 characters of base64url."""
    message_id: str
    """With its angle brackets."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a person's part; the defaults put it in as it is."""

    part: Part
    is_base64: bool = False
    before: bytes = b""
    """Octets to encode together with the token."""
    after: bytes = b""
    break_at: int = 0
    """A line ends after that many octets of what is put in; 0: none does."""


@dataclass(frozen=True)
class Frame:
    """Static octets and the slots between them: one chunk more than slots."""

    chunks: tuple[bytes, ...]
    slots: tuple[Slot, ...]

    @cached_property
    def has_dots(self) -> bool:
        """Whether a line begins with a dot, which SMTP doubles; no personal part begins a line with one."""
        return any(b"\r\n." in chunk for chunk in self.chunks)

    def to_bytes(self) -> bytes:
        """For the database, uncompressed: a line of JSON, then the static octets."""
        slots = [
            [slot.part, slot.is_base64, slot.before.decode("latin-1"), slot.after.decode("latin-1"), slot.break_at]
            for slot in self.slots
        ]
        head = {"slots": slots, "lengths": [len(chunk) for chunk in self.chunks]}
        return b"\n".join((json.dumps(head).encode("ascii"), b"".join(self.chunks)))

    @classmethod
    def from_bytes(cls, packed: bytes) -> Self:
        """The frame that ``to_bytes`` wrote."""
        head, _, static = packed.partition(b"\n")
        values = json.loads(head)
        chunks = []
        start = 0
        for length in values["lengths"]:
            chunks.append(static[start : start + length])
            start += length
        slots = (
            Slot(part, is_base64, before.encode("latin-1"), after.encode("latin-1"), break_at)
            for part, is_base64, before, after, break_at in values["slots"]
        )
        return cls(tuple(chunks), tuple(slots))


def join_frame(pieces: Iterable[bytes | Slot]) -> Frame:
    """The frame of these pieces in their order."""
    chunks = [b""]
    slots = []
    for piece in pieces:
        if isinstance(piece, Slot):
            slots.append(piece)
            chunks.append(b"")
        else:
            chunks[-1] += piece
    return Frame(tuple(chunks), tuple(slots))


def fill(frame: Frame, person: PersonParts) -> bytes:
    """The complete message for that person, the same octets for the same person; RenderError for a broken part."""
    if not _TOKEN.fullmatch(person.token) or not _MESSAGE_ID.fullmatch(person.message_id):
        raise RenderError("a token or Message-ID has the wrong form: a token has 27 characters of base64url")
    values: dict[Part, bytes] = {
        "to": mailbox_field("To", person.name, address=person.address),
        "message-id": person.message_id.encode("ascii"),
        "token": person.token.encode("ascii"),
    }
    pieces = [frame.chunks[0]]
    for slot, chunk in zip(frame.slots, frame.chunks[1:], strict=True):
        pieces.append(_fill_slot(slot, values[slot.part]))
        pieces.append(chunk)
    return b"".join(pieces)


def _fill_slot(slot: Slot, value: bytes) -> bytes:
    if slot.is_base64:
        value = b2a_base64(slot.before + value + slot.after, newline=False)
    if not slot.break_at:
        return value
    line_break = b"\r\n" if slot.is_base64 else b"=\r\n"
    return value[: slot.break_at] + line_break + value[slot.break_at :]
