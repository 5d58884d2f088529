"""DKIM signatures: rsa-sha256, relaxed/relaxed, the whole body (RFC 6376, RFC 8301)."""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from publisher.errors import ConfigError

MIN_KEY_BITS = 2048

SIGNED = (
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "reply-to",
    "content-type",
    "content-transfer-encoding",
    "content-language",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-archive",
    "list-help",
    "feedback-id",
)

OVERSIGNED = ("from", "subject")
"""Signed once more than they occur, so that nobody can add another one."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature, by which key."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey

    def sign(self, message: bytes) -> bytes:
        """The message with its signature in front: the same octets for the same message."""
        head, _, body = message.partition(b"\r\n\r\n")
        fields = _canonical_fields(head)
        names = [name for name in SIGNED if name in fields]
        unsigned = self._field(names, base64.b64encode(hashlib.sha256(_canonical_body(body)).digest()).decode())
        signed = b"".join(fields[name] + b"\r\n" for name in names) + _canonical_field(unsigned.encode())[1]
        signature = self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return (unsigned + _folded(base64.b64encode(signature).decode())).encode() + b"\r\n" + message

    def _field(self, names: list[str], body_hash: str) -> str:
        signed = ":\r\n ".join(_in_lines([*names, *OVERSIGNED]))
        return (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain};\r\n s={self.selector};\r\n"
            f" h={signed};\r\n bh={body_hash};\r\n b="
        )


@lru_cache
def load_signer(domain: str, selector: str, key_file: Path) -> Signer:
    """The signer with the key of that PEM file; ConfigError where it is no RSA key of 2048 bits or more."""
    try:
        key = load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"dkim.key_file: cannot read a private key from {key_file} ({error})") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise ConfigError(
            f"dkim.key_file: {key_file} holds no RSA key of {MIN_KEY_BITS} bits. "
            f"Make one with: openssl genrsa -out {key_file} {MIN_KEY_BITS}"
        )
    return Signer(domain, selector, key)


def _canonical_fields(head: bytes) -> dict[str, bytes]:
    unfolded = re.sub(rb"\r\n(?=[ \t])", b"", head)
    return dict(_canonical_field(line) for line in unfolded.split(b"\r\n"))


def _canonical_field(line: bytes) -> tuple[str, bytes]:
    """Name and ``relaxed`` form of a field (RFC 6376 §3.4.2)."""
    name, _, value = line.partition(b":")
    key = name.strip().lower()
    return key.decode("ascii"), key + b":" + re.sub(rb"[ \t\r\n]+", b" ", value).strip()


def _canonical_body(body: bytes) -> bytes:
    """The ``relaxed`` form of a body (RFC 6376 §3.4.4)."""
    if b"  " in body or b"\t" in body or b" \r\n" in body:
        body = re.sub(rb"[ \t]+", b" ", body).replace(b" \r\n", b"\r\n")
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _in_lines(names: list[str]) -> list[str]:
    return [":".join(names[at : at + 4]) for at in range(0, len(names), 4)]


def _folded(text: str) -> str:
    return "\r\n ".join(text[at : at + 72] for at in range(0, len(text), 72))
