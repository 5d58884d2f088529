"""Replies of an SMTP server, read from octets (RFC 5321 §4.2)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_REPLY_BYTES = 32 * 1024
MAX_TEXT = 500
"""Characters of a reply that are kept: it is stored with every delivery."""

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\r\n]*))?\r?\n")


class MalformedReplyError(Exception):
    """What came is no reply, or too long for one: nothing that follows could be trusted to answer its command."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of the server, its lines joined by spaces."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


def legible(text: str) -> str:
    """What a server said, as one line that can be stored and shown: printable, of bounded length."""
    if text.isprintable() and len(text) <= MAX_TEXT:
        return text
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * MAX_TEXT])
    return " ".join(printable.split())[:MAX_TEXT]


class ReplyReader:
    """Turns what arrives, however it is cut, into replies."""

    def __init__(self) -> None:
        self._buffer = b""
        self._code: int | None = None
        self._lines: list[str] = []
        self._reply_bytes = 0

    @property
    def has_more(self) -> bool:
        """Whether there are octets behind the last complete reply."""
        return bool(self._buffer or self._lines)

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that are complete now; MalformedReplyError, after the good ones, where no further one can be."""
        self._buffer += data
        while found := _LINE.match(self._buffer):
            self._buffer = self._buffer[found.end() :]
            self._reply_bytes += found.end()
            if self._reply_bytes > MAX_REPLY_BYTES:
                raise MalformedReplyError("overlong reply")
            text = (found[3] or b"").decode("utf-8", "replace")
            if (reply := self._take_line(int(found[1]), text, is_last=found[2] != b"-")) is not None:
                yield reply
        if b"\n" in self._buffer:
            raise MalformedReplyError(f"malformed reply {legible(self._buffer[:60].decode('utf-8', 'replace'))!r}")
        if len(self._buffer) + self._reply_bytes > MAX_REPLY_BYTES:
            raise MalformedReplyError("overlong reply")

    def _take_line(self, code: int, text: str, *, is_last: bool) -> Reply | None:
        if self._code not in (None, code):
            raise MalformedReplyError(f"reply of two codes, {self._code} and {code}")
        self._code = code
        self._lines.append(text)
        if not is_last:
            return None
        reply = Reply(code, legible(" ".join(self._lines)))
        self._code, self._lines, self._reply_bytes = None, [], 0
        return reply
