"""Signatures, checked by dkimpy."""

from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from publisher.errors import ConfigError
from publisher.mail.compose import compose_frame
from publisher.mail.content import DigestContent
from publisher.mail.dkim import Identity, Signer, has_relaxed_body, load_signer
from publisher.mail.dkim_record import make_record
from publisher.mail.frame import Frame, PersonParts, fill
from publisher.mail.render import render_variant
from publisher.sections import Dkim

RSA = Identity("example.org", "s1", rsa.generate_private_key(65537, 2048))
ED25519 = Identity("example.org", "s2", ed25519.Ed25519PrivateKey.generate())
SIGNER = Signer((RSA, ED25519))
RECORDS = {one.place + ".": make_record(one.key.public_key()) for one in SIGNER.identities}
HEAD = (
    b"Date: Mon, 23 Nov 2026 08:00:00 +0100\r\nFrom: News <news@example.org>\r\nTo: Ana <ana@example.org>\r\n"
    b"Subject: Border talks\r\n  resume\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n"
    b"List-Unsubscribe:\r\n <https://news.example.org/u/abc>\r\n\r\n"
)
PERSON = PersonParts("ana@example.org", "Ana Kovač", "A" * 27, "<weekly.1@example.org>")
WHITE = st.lists(st.sampled_from([b"a", b"b=", b" ", b"\t", b".", b"\r\n", b"\r\n\r\n"]), max_size=30).map(b"".join)


def dns(name: bytes, timeout: int = 5) -> bytes:
    return RECORDS[name.decode()].encode()


def verified(message: bytes) -> list[bool]:
    """For each signature, whether it holds."""
    checker = dkim.DKIM(message)
    count = message.count(b"DKIM-Signature:")
    return [_verify(checker, index) for index in range(count)]


def _verify(checker: dkim.DKIM, index: int) -> bool:
    try:
        return bool(checker.verify(idx=index, dnsfunc=dns))
    except dkim.ValidationError:
        return False


@given(WHITE)
def test_any_body_verifies_with_both_signatures(body: bytes) -> None:
    assert verified(SIGNER.sign(HEAD + body + b"\r\n")) == [True, True]


@given(WHITE, WHITE)
def test_a_frame_said_to_be_relaxed_needs_no_canonical_form(before: bytes, after: bytes) -> None:
    frame = Frame((HEAD + before, after + b"end\r\n"), ())

    assert has_relaxed_body(frame) == _is_relaxed_by_dkimpy(HEAD + before + b"x" + after + b"end\r\n")


def _is_relaxed_by_dkimpy(message: bytes) -> bool:
    body = message.partition(b"\r\n\r\n")[2]
    return bool(dkim.canonicalization.Relaxed.canonicalize_body(body) == body)


@pytest.mark.parametrize("language", ["en", "fr", "ru"])
def test_our_own_messages_verify_and_need_no_canonical_form(
    language: str, varied_content: DigestContent, make_headers
) -> None:
    frame = compose_frame(render_variant(varied_content, language), make_headers())

    signed = SIGNER.sign(fill(frame, PERSON), is_relaxed=has_relaxed_body(frame))

    assert has_relaxed_body(frame)
    assert verified(signed) == [True, True]
    assert signed == SIGNER.sign(fill(frame, PERSON))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Border talks", b"Other talks"),
        (b"/u/abc", b"/u/xyz"),
        (b"Hello", b"Hullo"),
        (b"Hello\r\n", b"Hello\r\nand more\r\n"),
        (b"To: Ana", b"From: Eve <eve@example.net>\r\nTo: Ana"),
        (b"To: Ana", b"Subject: Another\r\nTo: Ana"),
        (b"bh=", b"bh=x"),
    ],
)
def test_a_changed_or_added_field_or_body_does_not_verify(old: bytes, new: bytes) -> None:
    signed = SIGNER.sign(HEAD + b"Hello\r\n")

    assert verified(signed) == [True, True]
    assert verified(signed.replace(old, new)) == [False, False]


def test_where_one_key_is_configured_there_is_one_signature() -> None:
    signed = Signer((RSA,)).sign(HEAD + b"Hello\r\n")

    assert verified(signed) == [True]
    assert b"a=rsa-sha256; c=relaxed/relaxed; d=example.org;" in signed


def test_a_message_is_signed_alike_every_time_and_its_lines_stay_short() -> None:
    signed = SIGNER.sign(HEAD + b"Hello\r\n")

    assert signed == Signer((RSA, ED25519)).sign(HEAD + b"Hello\r\n")
    assert max(len(line) for line in signed.split(b"\r\n")) <= 78
    assert not [tag for tag in (b" l=", b" t=", b" x=") if tag in signed]


def test_from_and_subject_are_signed_once_more_than_they_occur() -> None:
    field = SIGNER.sign(HEAD + b"Hello\r\n").split(b" bh=")[0].replace(b"\r\n ", b"")

    names = field.partition(b"h=")[2].strip(b" ;\r\n").split(b":")

    assert (names.count(b"from"), names.count(b"subject"), names.count(b"to")) == (2, 2, 1)


def _write(file: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> Path:
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def test_a_key_that_is_missing_short_or_not_rsa_is_refused_by_name(tmp_path: Path) -> None:
    short = _write(tmp_path / "short.pem", rsa.generate_private_key(65537, 1024))
    elliptic = _write(tmp_path / "ec.pem", ec.generate_private_key(ec.SECP256R1()))

    for file in (tmp_path / "none.pem", short, elliptic):
        with pytest.raises(ConfigError, match=r"dkim\.key_file.*" + file.name):
            load_signer(Dkim(domain="example.org", selector="s1", key_file=file))


def test_the_second_key_must_be_ed25519(tmp_path: Path) -> None:
    first = _write(tmp_path / "rsa.pem", RSA.key)
    second = _write(tmp_path / "ed25519.pem", ED25519.key)
    settings = {"domain": "example.org", "selector": "s1", "key_file": first, "ed25519_selector": "s2"}

    signer = load_signer(Dkim(**settings, ed25519_key_file=second))

    assert [one.place for one in signer.identities] == ["s1._domainkey.example.org", "s2._domainkey.example.org"]
    assert verified(signer.sign(HEAD + b"Hello\r\n")) == [True, True]
    with pytest.raises(ConfigError, match=r"dkim\.ed25519_key_file: .*rsa.pem holds no Ed25519 key"):
        load_signer(Dkim(**settings, ed25519_key_file=first))
