"""Tokens say what was put in, and nothing else is a token."""

import base64
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.tokens import (
    UnsubscribeToken,
    address_hash,
    make_bounce_local,
    make_message_local,
    make_unsubscribe_token,
    read_bounce_local,
    read_unsubscribe_token,
)

SECRET = b"a secret of the tests, long enough"
subscriber_ids = st.integers(min_value=0, max_value=2**40 - 1)
digest_numbers = st.integers(min_value=0, max_value=2**16 - 1)


@given(subscriber_ids, digest_numbers)
def test_an_unsubscribe_token_is_27_url_safe_characters_that_read_back(subscriber_id: int, digest_number: int) -> None:
    token = make_unsubscribe_token(SECRET, subscriber_id=subscriber_id, digest_number=digest_number)

    assert re.fullmatch(r"[A-Za-z0-9_-]{27}", token)
    assert read_unsubscribe_token(SECRET, token) == UnsubscribeToken(subscriber_id, digest_number)


def test_no_single_bit_of_a_token_can_be_flipped() -> None:
    token = make_unsubscribe_token(SECRET, subscriber_id=77, digest_number=2)
    data = base64.urlsafe_b64decode(token + "=")

    for bit in range(160):
        forged = (int.from_bytes(data) ^ 1 << bit).to_bytes(20)
        assert read_unsubscribe_token(SECRET, base64.urlsafe_b64encode(forged)[:27].decode()) is None


def test_no_single_character_of_a_token_can_be_changed_not_even_its_spare_bits() -> None:
    token = make_unsubscribe_token(SECRET, subscriber_id=77, digest_number=2)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= \n"

    for place in range(27):
        for char in alphabet.replace(token[place], ""):
            assert read_unsubscribe_token(SECRET, token[:place] + char + token[place + 1 :]) is None


def test_a_token_of_another_secret_key_id_purpose_or_digest_is_none() -> None:
    token = make_unsubscribe_token(SECRET, subscriber_id=77, digest_number=2)
    data = base64.urlsafe_b64decode(token + "=")
    other_digest = data[:1] + (3).to_bytes(2) + data[3:]
    old_key = bytes((0,)) + data[1:]
    bounce = base64.b32decode(make_bounce_local(SECRET, 77)[2:].upper())
    hashed = data[:8] + bytes.fromhex(address_hash(SECRET, data[:8].decode()))[:12]

    assert read_unsubscribe_token(b"another secret, also long enough", token) is None
    for forged in (other_digest, old_key, bounce, hashed):
        assert read_unsubscribe_token(SECRET, base64.urlsafe_b64encode(forged)[:27].decode()) is None


@given(st.text(max_size=40))
def test_any_other_text_is_no_token(text: str) -> None:
    assert read_unsubscribe_token(SECRET, text) is None
    assert read_bounce_local(SECRET, text) is None


@given(subscriber_ids)
def test_a_bounce_address_reads_back_in_any_case(subscriber_id: int) -> None:
    local_part = make_bounce_local(SECRET, subscriber_id)

    assert re.fullmatch(r"b-[a-z2-7]{32}", local_part)
    assert local_part == make_bounce_local(SECRET, subscriber_id)
    assert read_bounce_local(SECRET, local_part) == subscriber_id
    assert read_bounce_local(SECRET, local_part.upper()) == subscriber_id


def test_a_forged_bounce_address_is_none() -> None:
    local_part = make_bounce_local(SECRET, 77)
    data = base64.b32decode(local_part[2:].upper())

    for bit in range(160):
        forged = (int.from_bytes(data) ^ 1 << bit).to_bytes(20)
        assert read_bounce_local(SECRET, "b-" + base64.b32encode(forged).decode().lower()) is None


def test_an_address_hash_needs_the_secret() -> None:
    digest = address_hash(SECRET, "ana@example.org")

    assert re.fullmatch(r"[0-9a-f]{64}", digest)
    assert digest == address_hash(SECRET, "ana@example.org")
    assert digest != address_hash(SECRET, "ben@example.org")
    assert digest != address_hash(b"another secret, also long enough", "ana@example.org")


def test_a_message_id_is_one_per_delivery_and_needs_the_secret() -> None:
    local = make_message_local(SECRET, edition_id="weekly-2026-11-23", subscriber_id=77)

    assert re.fullmatch(r"weekly-2026-11-23\.[0-9a-f]{20}", local)
    assert local == make_message_local(SECRET, edition_id="weekly-2026-11-23", subscriber_id=77)
    assert local != make_message_local(SECRET, edition_id="weekly-2026-11-23", subscriber_id=78)
    assert local[-20:] != make_message_local(SECRET, edition_id="daily-2026-11-23", subscriber_id=77)[-20:]
    assert local != make_message_local(SECRET + b"2", edition_id="weekly-2026-11-23", subscriber_id=77)


@pytest.mark.parametrize("subscriber_id", [-1, 2**40])
def test_an_id_that_does_not_fit_is_refused(subscriber_id: int) -> None:
    with pytest.raises(OverflowError):
        make_unsubscribe_token(SECRET, subscriber_id=subscriber_id, digest_number=1)


def test_a_token_takes_ten_microseconds_at_most() -> None:
    started = time.process_time()
    for subscriber_id in range(10_000):
        make_unsubscribe_token(SECRET, subscriber_id=subscriber_id, digest_number=1)

    assert (time.process_time() - started) / 10_000 < 10e-6
