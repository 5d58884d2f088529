"""Tokens that need no table: unsubscribe link, bounce address, Message-ID, and the hash that outlives an address.

Each is a MAC under a key of its own purpose, derived from the one secret. An unsubscribe token never expires.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from functools import lru_cache

UNSUBSCRIBE_LENGTH = 27
"""Characters of every unsubscribe token: 20 bytes in base64url without padding."""

KEY_ID = 1
"""Which secret made a token. A second one would be read beside the first, never instead of it."""

_BOUNCE_PREFIX = "b-"

# The last of 27 characters has two spare bits. They must be zero, so that each token has one spelling only.
_UNSUBSCRIBE = re.compile(r"[A-Za-z0-9_-]{26}[AEIMQUYcgkosw048]")
_BOUNCE = re.compile(r"[Bb]-[A-Za-z2-7]{32}")


@dataclass(frozen=True, slots=True)
class UnsubscribeToken:
    """Whose link, and in the messages of which digest it stood."""

    subscriber_id: int
    digest_number: int


def make_unsubscribe_token(secret: bytes, *, subscriber_id: int, digest_number: int) -> str:
    """The 27 characters of ``/u/{token}``: key id, digest, subscriber and 96 bits of MAC over them."""
    head = bytes((KEY_ID,)) + digest_number.to_bytes(2) + subscriber_id.to_bytes(5)
    return base64.urlsafe_b64encode(head + _mac(secret, "unsubscribe", head)[:12])[:UNSUBSCRIBE_LENGTH].decode()


def read_unsubscribe_token(secret: bytes, token: str) -> UnsubscribeToken | None:
    """What an unsubscribe token says; None for anything not made by ``make_unsubscribe_token`` with this secret."""
    data = _decode_unsubscribe(token)
    if data is None or data[0] != KEY_ID or not _is_genuine(secret, "unsubscribe", data, head_bytes=8):
        return None
    return UnsubscribeToken(subscriber_id=int.from_bytes(data[3:8]), digest_number=int.from_bytes(data[1:3]))


def make_bounce_local(secret: bytes, subscriber_id: int) -> str:
    """The local part of a subscriber's envelope sender, always the same (greylisting keys on it).

    34 characters that survive case folding: key id, subscriber and 112 bits of MAC.
    """
    head = bytes((KEY_ID,)) + subscriber_id.to_bytes(5)
    return _BOUNCE_PREFIX + base64.b32encode(head + _mac(secret, "bounce", head)[:14]).decode().lower()


def read_bounce_local(secret: bytes, local_part: str) -> int | None:
    """The subscriber id in a bounce address, in whatever case it came back; None where it is not ours."""
    data = _decode_bounce(local_part)
    if data is None or data[0] != KEY_ID or not _is_genuine(secret, "bounce", data, head_bytes=6):
        return None
    return int.from_bytes(data[1:6])


def make_message_local(secret: bytes, *, edition_id: str, subscriber_id: int) -> str:
    """The local part of a delivery's Message-ID: unique, the same on every retry, telling nothing of the person."""
    mac = _mac(secret, "message-id", f"{edition_id}\0{subscriber_id}".encode())
    return f"{edition_id}.{mac[:10].hex()}"


def address_hash(secret: bytes, address_key: str) -> str:
    """64 hexadecimal characters that recognise an address without telling it to whoever lacks the secret."""
    return _mac(secret, "address", address_key.encode()).hex()


def _decode_unsubscribe(token: str) -> bytes | None:
    if not _UNSUBSCRIBE.fullmatch(token):
        return None
    return base64.urlsafe_b64decode(token + "=")


def _decode_bounce(local_part: str) -> bytes | None:
    if not _BOUNCE.fullmatch(local_part):
        return None
    return base64.b32decode(local_part[len(_BOUNCE_PREFIX) :].upper())


def _is_genuine(secret: bytes, purpose: str, data: bytes, *, head_bytes: int) -> bool:
    mac = data[head_bytes:]
    return hmac.compare_digest(_mac(secret, purpose, data[:head_bytes])[: len(mac)], mac)


def _mac(secret: bytes, purpose: str, message: bytes) -> bytes:
    return hmac.digest(_subkey(secret, purpose), message, "sha256")


@lru_cache(maxsize=16)
def _subkey(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"publisher:{purpose}".encode(), "sha256")
