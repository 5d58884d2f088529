"""The record that tells the world a DKIM key (RFC 6376 §3.6.1, RFC 8463 §4): made, and compared with what DNS has."""

import base64
import binascii
import re
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PublicKey = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


def make_record(key: PublicKey) -> str:
    """The value to publish as TXT at ``selector._domainkey.domain``."""
    return f"v=DKIM1; k={_name(key)}; p={base64.b64encode(_octets(key)[0]).decode('ascii')}"


def find_fault(texts: Sequence[str], key: PublicKey) -> str | None:
    """What is wrong with these TXT values of the key's place, in words; None where a verifier will find this key."""
    if not texts:
        return "there is no record"
    if len(texts) > 1:
        return f"there are {len(texts)} records, and a verifier may take any of them"
    tags = _parse(texts[0])
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return "the record is none of DKIM"
    return _find_tag_fault(tags, key)


def _find_tag_fault(tags: dict[str, str], key: PublicKey) -> str | None:
    if not tags["p"]:
        return "the record revokes the key"
    if tags.get("k", "rsa") != _name(key):
        return f"the record is for a key of {tags.get('k', 'rsa')}, the file holds one of {_name(key)}"
    if "sha256" not in tags.get("h", "sha256").split(":"):
        return "the record forbids SHA-256"
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        return "the record forbids e-mail"
    return None if _decode(tags["p"]) in _octets(key) else "the record holds another key than the file"


def _parse(text: str) -> dict[str, str]:
    pairs = (tag.partition("=") for tag in text.split(";"))
    return {name.strip(): re.sub(r"\s", "", value) for name, sign, value in pairs if sign}


def _decode(value: str) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def _octets(key: PublicKey) -> tuple[bytes, ...]:
    """The forms that a record may hold; the first is the one to publish."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return (key.public_bytes_raw(),)
    # The text of RFC 6376 asks for RSAPublicKey, its examples show SubjectPublicKeyInfo; verifiers read both.
    forms = (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1)
    return tuple(key.public_bytes(Encoding.DER, form) for form in forms)


def _name(key: PublicKey) -> str:
    return "rsa" if isinstance(key, rsa.RSAPublicKey) else "ed25519"
