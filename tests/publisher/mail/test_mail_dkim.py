"""Signatures, checked by dkimpy."""

from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from publisher.errors import ConfigError
from publisher.mail.dkim import Signer, load_signer

KEY = rsa.generate_private_key(65537, 2048)
SIGNER = Signer("example.org", "s1", KEY)
HEAD = (
    b"Date: Mon, 23 Nov 2026 08:00:00 +0100\r\nFrom: News <news@example.org>\r\nTo: Ana <ana@example.org>\r\n"
    b"Subject: Border talks\r\n  resume\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n"
    b"List-Unsubscribe:\r\n <https://news.example.org/u/abc>\r\n\r\n"
)


def dns(_name: bytes, timeout: int = 5) -> bytes:
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return ("v=DKIM1; k=rsa; p=" + "".join(public.split("\n")[1:-2])).encode()


def is_verified(message: bytes) -> bool:
    return bool(dkim.verify(message, dnsfunc=dns))


@given(st.lists(st.text(alphabet="ab. \t=", max_size=40)).map("\r\n".join))
def test_any_body_verifies(body: str) -> None:
    assert is_verified(SIGNER.sign(HEAD + body.encode() + b"\r\n"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Border talks", b"Other talks"),
        (b"/u/abc", b"/u/xyz"),
        (b"Hello", b"Hullo"),
        (b"To: Ana", b"From: Eve <eve@example.net>\r\nTo: Ana"),
        (b"To: Ana", b"Subject: Another\r\nTo: Ana"),
    ],
)
def test_a_changed_or_added_field_or_body_does_not_verify(old: bytes, new: bytes) -> None:
    signed = SIGNER.sign(HEAD + b"Hello\r\n")

    assert is_verified(signed)
    assert not is_verified(signed.replace(old, new))


def test_a_message_is_signed_alike_every_time_and_its_lines_stay_short() -> None:
    signed = SIGNER.sign(HEAD + b"Hello\r\n")

    assert signed == SIGNER.sign(HEAD + b"Hello\r\n")
    assert max(len(line) for line in signed.split(b"\r\n")) <= 78
    assert b" l=" not in signed


def test_a_key_that_is_missing_short_or_not_rsa_is_refused_by_name(tmp_path: Path) -> None:
    short = tmp_path / "short.pem"
    elliptic = tmp_path / "ec.pem"
    for file, key in (
        (short, rsa.generate_private_key(65537, 1024)),
        (elliptic, ec.generate_private_key(ec.SECP256R1())),
    ):
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    for file in (tmp_path / "none.pem", short, elliptic):
        with pytest.raises(ConfigError, match=r"dkim\.key_file.*" + file.name):
            load_signer("example.org", "s1", file)
