"""One person has one key, however the address is spelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses import parse_address


@pytest.mark.parametrize(
    ("spellings", "key"),
    [
        (["ana@example.org", "Ana@Example.ORG", "  ANA@example.org\t"], "ana@example.org"),
        (
            ["ana@bücher.example", "ANA@BÜCHER.example", "ana@xn--bcher-kva.example", "ana@XN--BCHER-KVA.EXAMPLE"],
            "ana@xn--bcher-kva.example",
        ),
        (["Ёлка@example.org", "ёлка@example.org", "е\u0308лка@example.org"], "ёлка@example.org"),
        (["ＡＮＡ@example.org", "ａｎａ@example.org"], "ana@example.org"),
    ],
)
def test_spellings_of_one_address_share_one_key(spellings: list[str], key: str) -> None:
    assert {parse_address(spelling).key for spelling in spellings} == {key}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Ana.Maria@Example.ORG", "Ana.Maria@example.org"),
        ("ana@xn--bcher-kva.example", "ana@bücher.example"),
    ],
)
def test_the_local_part_is_shown_as_it_was_written(written: str, shown: str) -> None:
    assert parse_address(written).email == shown


def test_different_people_have_different_keys() -> None:
    written = ["ana@example.org", "ana+news@example.org", "a.na@example.org", "ana@example.com", "ana@sub.example.org"]

    assert len({parse_address(text).key for text in written}) == len(written)


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "ana",
        "ana@",
        "@example.org",
        "ana@localhost",
        "ana@[127.0.0.1]",
        '"ana b"@example.org',
        "Ana <ana@example.org>",
        "ana@example.org,ben@example.org",
        "ana@example.org\r\nBcc: ben@example.org",
        "a\0na@example.org",
        "a\u202ena@example.org",
        "a\u200bna@example.org",
        "ana@exa mple.org",
        "ana@-example.org",
        "x" * 100_000 + "@example.org",
    ],
)
def test_what_is_no_address_is_refused_in_one_printable_line_with_a_remedy(hostile: str) -> None:
    with pytest.raises(ValueError, match=r"Write it like|Shorten it") as refused:
        parse_address(hostile)

    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400


@given(st.text() | st.emails())
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return

    assert parse_address(address.email) == address
    assert parse_address(address.key).key == address.key
