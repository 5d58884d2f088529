"""DKIM signatures: rsa-sha256, and beside it ed25519-sha256 where wanted; relaxed/relaxed, the whole body.

RFC 6376, RFC 8301, RFC 8463. What the messages of a variant have in common is done once: their equal fields stand in a
cache, and ``has_relaxed_body`` finds out per frame that the body is in its canonical form already.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from publisher.errors import ConfigError
from publisher.mail.frame import Frame
from publisher.sections import Dkim

MIN_KEY_BITS = 2048

SIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"mime-version",
    b"reply-to",
    b"content-type",
    b"content-transfer-encoding",
    b"content-language",
    b"list-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-archive",
    b"list-help",
    b"feedback-id",
)

OVERSIGNED = (b"from", b"subject")
"""Signed once more than they occur, so that nobody can add another one."""

SigningKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_SHA256 = Prehashed(hashes.SHA256())
_PKCS1 = padding.PKCS1v15()


@dataclass(frozen=True, slots=True)
class Identity:
    """A key and the place of its public half: ``selector._domainkey.domain``."""

    domain: str
    selector: str
    key: SigningKey

    @property
    def algorithm(self) -> str:
        """As DKIM names it, for ``a=`` before ``-sha256`` and ``k=``."""
        return "rsa" if isinstance(self.key, rsa.RSAPrivateKey) else "ed25519"

    @property
    def place(self) -> str:
        """Where DNS has the public half."""
        return f"{self.selector}._domainkey.{self.domain}"

    def sign(self, digest: bytes) -> bytes:
        """The signature over a SHA-256 digest, in base64; the same for the same digest."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            signature = self.key.sign(digest, _PKCS1, _SHA256)
        else:
            signature = self.key.sign(digest)
        return base64.b64encode(signature)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message with its signature fields up to the signatures, and the SHA-256 digests that these are made over."""

    message: bytes
    fields: tuple[bytes, ...]
    digests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Template:
    """A signature field up to its body hash, as it is written and in its canonical form."""

    written: bytes
    canonical: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for each of its identities, RSA first: the same octets for the same message, no matter how often.

    May be used by several threads.
    """

    identities: tuple[Identity, ...]
    _templates: dict[tuple[bytes, ...], tuple[_Template, ...]] = field(default_factory=dict, compare=False, repr=False)

    def sign(self, message: bytes, *, is_relaxed: bool = False) -> bytes:
        """The message with its signatures in front.

        ``is_relaxed``: its body is known to be in ``relaxed`` form (see ``has_relaxed_body``).
        """
        prepared = self.prepare(message, is_relaxed=is_relaxed)
        return finish(prepared, self.sign_digests(prepared.digests))

    def prepare(self, message: bytes, *, is_relaxed: bool = False) -> Prepared:
        """Everything but the operations with the private keys."""
        head_end = message.index(b"\r\n\r\n")
        fields = _canonical_fields(message[:head_end])
        names = tuple([name for name in SIGNED if name in fields])
        head = hashlib.sha256(b"\r\n".join([*[fields[name] for name in names], b""]))
        body_hash = base64.b64encode(_hash_body(message, head_end + 4, is_relaxed=is_relaxed))
        templates = self._find_templates(names)
        return Prepared(
            message,
            tuple([b"%b%b;\r\n b=" % (template.written, body_hash) for template in templates]),
            tuple([_digest(head.copy(), b"%b%b; b=" % (template.canonical, body_hash)) for template in templates]),
        )

    def sign_digests(self, digests: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """The signatures over the digests of a message, in base64. Lets other threads run."""
        return tuple([one.sign(digest) for one, digest in zip(self.identities, digests, strict=True)])

    def _find_templates(self, names: tuple[bytes, ...]) -> tuple[_Template, ...]:
        found = self._templates.get(names)
        if found is None:
            found = tuple(_make_template(identity, names) for identity in self.identities)
            self._templates[names] = found
        return found


def finish(prepared: Prepared, signatures: tuple[bytes, ...]) -> bytes:
    """The message with its signatures in front."""
    fields = zip(prepared.fields, signatures, strict=True)
    pieces = [b"%b%b\r\n" % (unsigned, _folded(signature)) for unsigned, signature in fields]
    return b"".join([*pieces, prepared.message])


def has_relaxed_body(frame: Frame) -> bool:
    """Whether the bodies of all messages of this frame are in ``relaxed`` form as they are (RFC 6376 §3.4.4).

    What goes into the slots has no white space beside it, so the static octets tell.
    """
    _, _, body = b"x".join(frame.chunks).partition(b"\r\n\r\n")
    return _canonical_body(body) == body


@lru_cache
def load_signer(dkim: Dkim) -> Signer:
    """The signer with the keys of these files; ConfigError where one is no key that DKIM may use."""
    identities = [Identity(dkim.domain, dkim.selector, _load_rsa_key(dkim.key_file))]
    if dkim.ed25519_selector and dkim.ed25519_key_file:
        key = _load_ed25519_key(dkim.ed25519_key_file)
        identities.append(Identity(dkim.domain, dkim.ed25519_selector, key))
    return Signer(tuple(identities))


def _load_rsa_key(file: Path) -> rsa.RSAPrivateKey:
    key = _load_key(file, name="dkim.key_file")
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise ConfigError(
            f"dkim.key_file: {file} holds no RSA key of {MIN_KEY_BITS} bits. "
            f"Make one with: openssl genrsa -out {file} {MIN_KEY_BITS}"
        )
    return key


def _load_ed25519_key(file: Path) -> ed25519.Ed25519PrivateKey:
    key = _load_key(file, name="dkim.ed25519_key_file")
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ConfigError(
            f"dkim.ed25519_key_file: {file} holds no Ed25519 key. "
            f"Make one with: openssl genpkey -algorithm ed25519 -out {file}"
        )
    return key


def _load_key(file: Path, *, name: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{name}: cannot read a private key from {file} ({error})") from error


def _make_template(identity: Identity, names: tuple[bytes, ...]) -> _Template:
    signed = b":\r\n ".join(_in_lines([*names, *OVERSIGNED])).decode("ascii")
    written = (
        f"DKIM-Signature: v=1; a={identity.algorithm}-sha256; c=relaxed/relaxed; d={identity.domain};\r\n"
        f" s={identity.selector};\r\n h={signed};\r\n bh="
    ).encode("ascii")
    return _Template(written, _canonical_field(written.replace(b"\r\n", b""))[1])


def _digest(hashed: "hashlib._Hash", rest: bytes) -> bytes:
    hashed.update(rest)
    return hashed.digest()


def _hash_body(message: bytes, at: int, *, is_relaxed: bool) -> bytes:
    if is_relaxed:
        return hashlib.sha256(memoryview(message)[at:]).digest()
    return hashlib.sha256(_canonical_body(message[at:])).digest()


def _canonical_fields(head: bytes) -> dict[bytes, bytes]:
    unfolded = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    return dict(map(_canonical_field, unfolded.split(b"\r\n")))


@lru_cache(maxsize=1024)
def _canonical_field(line: bytes) -> tuple[bytes, bytes]:
    """Name and ``relaxed`` form of a field (RFC 6376 §3.4.2). Most fields are those of the message before."""
    name, _, value = line.partition(b":")
    key = name.strip(b" \t").lower()
    return key, key + b":" + re.sub(rb"[ \t\r\n]+", b" ", value).strip(b" ")


def _canonical_body(body: bytes) -> bytes:
    """The ``relaxed`` form of a body (RFC 6376 §3.4.4)."""
    if b"  " in body or b"\t" in body or b" \r\n" in body or not body.endswith(b"\r\n"):
        body = re.sub(rb"[ \t]+", b" ", body + b"\r\n").replace(b" \r\n", b"\r\n")
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _in_lines(names: list[bytes]) -> list[bytes]:
    return [b":".join(names[at : at + 4]) for at in range(0, len(names), 4)]


def _folded(text: bytes) -> bytes:
    return b"\r\n ".join([text[at : at + 72] for at in range(0, len(text), 72)])
