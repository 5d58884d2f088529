"""What a message says, for showing: headers, text and HTML part. Whatever comes in, something readable goes out."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Header:
    """A header as it came and as a person reads it."""

    name: str
    raw: str
    decoded: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message taken apart; a part that is missing or cannot be read is None."""

    headers: tuple[Header, ...]
    text: str | None
    html: str | None

    def header(self, name: str) -> str:
        """The first header of that name as a person reads it, else nothing."""
        return next((header.decoded for header in self.headers if header.name.lower() == name.lower()), "")


def read_headers(source: bytes) -> Letter:
    """The headers alone, for lists."""
    return Letter(_headers(BytesHeaderParser().parsebytes(source)), None, None)


def read_letter(source: bytes) -> Letter:
    """Headers and the first text and HTML parts."""
    try:
        message = message_from_bytes(source)
    except RecursionError:  # the parser descends once per nested part
        return read_headers(source)
    return Letter(_headers(message), _part(message, "text/plain"), _part(message, "text/html"))


def visible(text: str) -> str:
    """The text with control characters and bidirectional controls made visible; line ends and tabs stay."""
    return _UNSEEN.sub("\ufffd", text.replace("\r\n", "\n"))


def _headers(message: Message) -> tuple[Header, ...]:
    return tuple(
        Header(visible(name), visible(_raw(value)), visible(_decoded(value))) for name, value in message.raw_items()
    )


def _raw(value: object) -> str:
    return str(value).encode(errors="surrogateescape").decode(errors="replace")  # bytes above 127 came in as UTF-8


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()  # UTF-7 and others decode to lone surrogates


def _decoded(value: object) -> str:
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", _raw(value))
    try:
        return _encodable(str(make_header(decode_header(unfolded))))
    except (HeaderParseError, LookupError, ValueError):  # not an encoded word after all, or of an unknown charset
        return unfolded


def _part(message: Message, content_type: str) -> str | None:
    try:
        parts = [part for part in message.walk() if part.get_content_type() == content_type]
    except RecursionError:
        return None
    return _content(parts[0]) if parts else None


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    try:
        return _encodable(content.decode(str(part.get_content_charset("utf-8")), errors="replace"))
    except (LookupError, ValueError):  # a charset that nobody knows
        return content.decode(errors="replace")
