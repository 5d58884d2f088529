"""Header fields as octets: RFC 5322 lines, RFC 2047 encoded words, List-* fields."""

import base64
import re
import textwrap
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr

from publisher.errors import RenderError
from publisher.mail.cleaning import ascii_domain, cut, one_line

LINE_LENGTH = 78
"""Wanted; the limit is 998 octets (RFC 5322 §2.1.1)."""

_WORD_LENGTH = 75
_NAME_CHARACTERS = 300
_ADDRESS_OCTETS = 320
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LOCAL_PART = re.compile(r'[^\s()<>@,;:\\"\[\].]+(?:\.[^\s()<>@,;:\\"\[\].]+)*|"(?:[^"\\\r\n]|\\[ -~])*"')


@dataclass(frozen=True, slots=True)
class FixedHeaders:
    """What the header of every message of a variant says alike. Mailboxes are written ``Name <address>``."""

    date: datetime
    """Aware."""
    sender: str
    list_title: str
    """Goes into List-Id where it is ASCII, as encoded words have no place there."""
    list_id: str
    """``weekly.news.example.org``; stable per digest (RFC 2919)."""
    unsubscribe_prefix: str
    """``https://news.example.org/u/``: a token follows."""
    archive_url: str
    help_url: str
    """https or mailto (RFC 2369)."""
    feedback_id: str
    """By ``make_feedback_id``."""
    reply_to: str | None = None


def make_feedback_id(edition_id: str, digest_id: str, *, language: str, sender: str) -> str:
    """``edition:digest:language:sender``, the last of 5-15 characters, as Gmail asks; no personal data."""
    name = re.sub(r"[^a-z0-9]", "", sender.lower())[:15]
    return ":".join((*(_feedback_word(word) for word in (edition_id, digest_id, language)), name.ljust(5, "0")))


def needs_smtputf8(address: str) -> bool:
    """Whether the address can only be written in UTF-8 (RFC 6531): its local part is not ASCII."""
    return not address.rpartition("@")[0].isascii()


def ascii_address(address: str) -> str:
    """The address with its domain as A-label and its local part as it is; RenderError where it is no address."""
    local, _, domain = address.rpartition("@")
    is_local = _LOCAL_PART.fullmatch(local) and (local.isprintable() if local.isascii() else one_line(local) == local)
    if not is_local or len(address.encode("utf-8", "replace")) > _ADDRESS_OCTETS:
        raise RenderError("an address has characters or a length that no header may have. Correct the subscriber")
    try:
        return f"{local}@{ascii_domain(domain)}"
    except ValueError as error:
        raise RenderError("an address has a domain that cannot exist. Correct the subscriber") from error


def mailbox_field(field: str, name: str, *, address: str) -> bytes:
    """``To: Name <address>`` with its CRLF, the name cleaned, quoted or encoded as it needs."""
    address = ascii_address(address)
    phrase = _phrase(cut(one_line(name), _NAME_CHARACTERS), room=LINE_LENGTH - len(field) - 2) if name else ""
    if not phrase:
        return folded_field(field, address)
    last_line = phrase.rpartition("\r\n")[2]
    used = len(last_line) + (len(field) + 2 if last_line == phrase else 0)
    gap = " " if used + len(address) + 3 <= LINE_LENGTH else "\r\n "
    return f"{field}: {phrase}{gap}<{address}>\r\n".encode()


def parsed_mailbox_field(field: str, mailbox: str) -> bytes:
    """The same from ``Name <address>`` as configuration writes it."""
    name, address = parseaddr(mailbox)
    return mailbox_field(field, name, address=address)


def subject_field(subject: str) -> bytes:
    """``Subject: …`` with its CRLF: folded where it is plain ASCII, else in encoded words."""
    room = LINE_LENGTH - len("Subject: ")
    lines = textwrap.wrap(subject, room, break_long_words=False, break_on_hyphens=False)
    is_plain = subject.isascii() and "=?" not in subject and all(len(line) <= room for line in lines)
    value = "\r\n ".join(lines) if is_plain else encode_words(subject, room=room)
    return f"Subject: {value}\r\n".encode("ascii")


def folded_field(field: str, value: str) -> bytes:
    """``Field: value`` with its CRLF; folded after the colon where it passes 78 characters, never encoded."""
    gap = " " if len(field) + 2 + len(value) <= LINE_LENGTH else "\r\n "
    return f"{field}:{gap}{value}\r\n".encode()


def list_fields(fixed: FixedHeaders) -> bytes:
    """The List-* fields that carry no token, and what bulk senders owe beside them."""
    title = one_line(fixed.list_title)
    phrase = _phrase(title, room=LINE_LENGTH) + " " if title and title.isascii() and "=?" not in title else ""
    fields = (
        ("List-Id", f"{phrase}<{_list_id(fixed.list_id)}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Archive", f"<{_header_url(fixed.archive_url)}>"),
        ("List-Help", f"<{_header_url(fixed.help_url)}>"),
        ("Precedence", "bulk"),
        ("Feedback-ID", _one_word(fixed.feedback_id)),
    )
    return b"".join(folded_field(field, value) for field, value in fields)


def date_field(date: datetime) -> bytes:
    """``Date: …`` with its CRLF."""
    return folded_field("Date", format_datetime(date))


def encode_words(text: str, *, room: int) -> str:
    """The text as RFC 2047 encoded words of at most 75 characters, one a line; ``room`` is that of the first line.

    Own code, because ``email.header`` takes thirty microseconds for a name and every message has one.
    """
    capacity = _capacity(room)
    if len(text.encode()) <= capacity:
        return _encoded_word(text.encode())
    words: list[str] = []
    chunk = b""
    for char in text:
        octets = char.encode()
        if len(chunk) + len(octets) > capacity:
            words.append(_encoded_word(chunk))
            chunk, capacity = b"", _capacity(_WORD_LENGTH)
        chunk += octets
    return "\r\n ".join([*words, _encoded_word(chunk)])


def _capacity(room: int) -> int:
    return (min(room, _WORD_LENGTH) - len("=?utf-8?b??=")) // 4 * 3


def _encoded_word(octets: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(octets).decode('ascii')}?="


def _phrase(name: str, *, room: int) -> str:
    if _ATOMS.fullmatch(name) and "=?" not in name and len(name) <= room:
        return name
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if name.isascii() and "=?" not in name and len(quoted) <= room:
        return quoted
    return encode_words(name, room=room) if name else ""


def _list_id(list_id: str) -> str:
    try:
        return ascii_domain(list_id)
    except ValueError as error:
        raise RenderError(f"{list_id!r} is no List-Id. Give the site a host name") from error


def _header_url(url: str) -> str:
    if not re.fullmatch(r"(?:https?://|mailto:)[!-;=?-~]+", url):
        raise RenderError(f"{url!r} cannot stand in a header. Write an https or mailto URL in ASCII")
    return url


def _one_word(text: str) -> str:
    if not re.fullmatch(r"[!-~]{1,900}", text):
        raise RenderError(f"{text!r} cannot stand in a header. Use ASCII without spaces")
    return text


def _feedback_word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:64] or "none"
