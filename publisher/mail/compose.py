"""A rendered variant as a message frame: header, boundary, two encoded parts, the slots found in them."""

import hashlib
import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterator

from publisher.errors import RenderError
from publisher.mail import headers
from publisher.mail.content import Rendered
from publisher.mail.frame import Frame, Slot, join_frame
from publisher.mail.headers import FixedHeaders

_BASE64_LINE = 76
_QUOTED_LINE = 76
_DOTTED_LINE = re.compile(rb"^\.(?!\.)([^\r\n]*)", re.MULTILINE)
"""SMTP doubles a dot there; to look for such lines in every message would take longer than all else."""

_NON_LATIN = re.compile("[\u0370-\u1dff\u3040-\ua71f\ua800-\ud7ff\uf900-\ufaff\ufb1d-\ufdff\ufe70-\ufefc]")
_NON_LATIN_SHARE = 0.05
"""Above it base64 is shorter or hardly longer than quoted-printable, and every part of the message uses it."""

Pieces = Iterator[bytes | Slot]


def compose_frame(rendered: Rendered, fixed: FixedHeaders) -> Frame:
    """The message with slots for To, Message-ID and every token; RenderError where a header cannot be written."""
    boundary = "=_" + hashlib.sha256(f"{rendered.text}\0{rendered.html}".encode()).hexdigest()[:32]
    return join_frame([*_header(rendered, fixed, boundary=boundary), *_body(rendered, boundary)])


def encode_text(text: str, placeholder: str, *, is_base64: bool) -> Pieces:
    """The text in its transfer-encoding with CRLF line ends, a slot for every placeholder."""
    octets = re.sub(r"\r\n|\r|\n", "\r\n", text.rstrip("\r\n") + "\n").encode()
    find = _find_in_base64 if is_base64 else _find_in_quoted_printable
    return find(octets, placeholder.encode("ascii"))


def is_mostly_latin(text: str) -> bool:
    """Whether quoted-printable suits the text: few of its characters are letters outside the Latin script."""
    return len(_NON_LATIN.findall(text)) <= len(text) * _NON_LATIN_SHARE


def _header(rendered: Rendered, fixed: FixedHeaders, *, boundary: str) -> Pieces:
    yield headers.date_field(fixed.date)
    yield headers.parsed_mailbox_field("From", fixed.sender)
    if fixed.reply_to:
        yield headers.parsed_mailbox_field("Reply-To", fixed.reply_to)
    yield Slot("to")
    yield headers.subject_field(rendered.subject)
    yield b"Message-ID: "
    yield Slot("message-id")
    yield b"\r\n"
    yield from _unsubscribe_field(fixed.unsubscribe_prefix, rendered.placeholder)
    yield headers.list_fields(fixed)
    yield headers.folded_field("Content-Language", rendered.language)
    yield b"MIME-Version: 1.0\r\n"
    yield f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii")


def _unsubscribe_field(prefix: str, placeholder: str) -> Pieces:
    if not re.fullmatch(r"https://[!-;=?-~]+|http://(?:127\.0\.0\.1|localhost|\[::1\])[:/][!-;=?-~]*", prefix):
        raise RenderError(
            f"{prefix}: an unsubscribe link must be https (http only for loopback). Correct site.base_url"
        )
    before, _, after = headers.folded_field("List-Unsubscribe", f"<{prefix}{placeholder}>").partition(
        placeholder.encode("ascii")
    )
    yield before
    yield Slot("token")
    yield after


def _body(rendered: Rendered, boundary: str) -> Pieces:
    is_base64 = not is_mostly_latin(rendered.text)
    encoding = "base64" if is_base64 else "quoted-printable"
    for subtype, text in (("plain", rendered.text), ("html", rendered.html)):
        yield (
            f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
        ).encode("ascii")
        yield from encode_text(text, rendered.placeholder, is_base64=is_base64)
    yield f"--{boundary}--\r\n".encode("ascii")


def _find_in_quoted_printable(octets: bytes, placeholder: bytes) -> Pieces:
    encoded = _DOTTED_LINE.sub(_hide_dot, b2a_qp(octets, istext=True))
    split_anywhere = b"(?:=\r\n)?".join(re.escape(placeholder[at : at + 1]) for at in range(len(placeholder)))
    end = 0
    for found in re.finditer(split_anywhere, encoded):
        yield encoded[end : found.start()]
        yield Slot("token", break_at=max(0, found[0].find(b"=")))
        end = found.end()
    yield encoded[end:]


def _hide_dot(line: re.Match[bytes]) -> bytes:
    """A dot that begins a line, encoded; a line that gets too long by that (RFC 2045 §6.7) is broken behind it."""
    rest = line[1]
    return b"=2E" + (rest if len(rest) <= _QUOTED_LINE - 3 else b"=\r\n" + rest)


def _find_in_base64(octets: bytes, placeholder: bytes) -> Pieces:
    encoded = b2a_base64(octets, newline=False)
    lines = b"\r\n".join(encoded[at : at + _BASE64_LINE] for at in range(0, len(encoded), _BASE64_LINE)) + b"\r\n"
    static_from = last_end = 0
    for found in re.finditer(re.escape(placeholder), octets):
        start, end = found.start() // 3 * 4, -(-found.end() // 3) * 4
        if start < last_end:
            raise RenderError("two tokens stand closer than four octets. Write text between them")
        yield lines[static_from : start + _line_ends(start)]
        yield _base64_slot(octets, *found.span())
        static_from, last_end = end + _line_ends(end - 1), end
    yield lines[static_from:]


def _base64_slot(octets: bytes, start: int, end: int) -> Slot:
    first, last = start // 3 * 3, -(-end // 3) * 3
    column = start // 3 * 4 % _BASE64_LINE
    is_split = column + (last - first) // 3 * 4 > _BASE64_LINE
    return Slot(
        "token",
        is_base64=True,
        before=octets[first:start],
        after=octets[end:last],
        break_at=_BASE64_LINE - column if is_split else 0,
    )


def _line_ends(position: int) -> int:
    """Octets of line ends up to that octet of unbroken base64."""
    return position // _BASE64_LINE * 2
