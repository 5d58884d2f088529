"""Text from outside made fit for a template."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.mail.cleaning import cut, cut_words, one_line, safe_url


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("  two\r\nlines\tand  more ", "two lines and more"),
        ("nul\0 esc\x1b c1\x85 sep\u2028", "nul esc c1 sep"),
        ("over\u202eride iso\u2066late mark\u200f", "override isolate mark"),
        ("half\ud800 \ufffe\U0001ffff", "half"),
        ("« thin\u202fspace\xa0»", "« thin\u202fspace\xa0»"),
        ("👩‍👩‍👧 می‌شود", "👩‍👩‍👧 می‌شود"),
    ],
)
def test_a_line_keeps_what_can_be_written(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_a_line_is_clean_whatever_comes_in(text: str) -> None:
    # when
    line = one_line(text)

    # then
    assert one_line(line) == line
    assert not {unicodedata.category(char) for char in line} & {"Cc", "Cs", "Zl", "Zp"}
    assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", line)


@pytest.mark.parametrize(
    ("text", "length", "short"),
    [
        ("as it is", 8, "as it is"),
        ("cut between words, please", 20, "cut between words…"),
        ("onelongwordwithoutaspace", 10, "onelongwo…"),
        ("", 5, ""),
    ],
)
def test_long_text_is_cut_between_words(text: str, length: int, short: str) -> None:
    assert cut(text, length) == short


@given(text=st.text(), count=st.integers(0, 50))
def test_cut_words_keeps_to_its_limits(text: str, count: int) -> None:
    # when
    short = cut_words(text, count)

    # then
    assert len(short) <= max(1, count * 10)
    assert len(short.split(" ")) <= max(1, count)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://lantern.example/a?b=c&d=%20#e", "https://lantern.example/a?b=c&d=%20#e"),
        ("http://LANTERN.example:8080/x", "http://lantern.example:8080/x"),
        ("https://пример.example/путь", "https://xn--e1afmkfd.example/%D0%BF%D1%83%D1%82%D1%8C"),
        ('https://lantern.example/"><script>', "https://lantern.example/%22%3E%3Cscript%3E"),
        ("https://user:secret@lantern.example/", "https://lantern.example/"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("javascript:alert(1)", ""),
        ("https://lantern.example:port/", ""),
        ("https://lantern example/", ""),
        ("//lantern.example/", ""),
        ("https://[evil]/", ""),
        ("", ""),
    ],
)
def test_only_web_addresses_pass_and_in_ascii(url: str, safe: str) -> None:
    assert safe_url(url) == safe


@given(st.text() | st.text("https://[]:@é\ud800 ").map("http://".__add__))
def test_a_safe_url_is_ascii_or_nothing(url: str) -> None:
    # when
    safe = safe_url(url)

    # then
    assert re.fullmatch(r"(https?://[!-~]+)?", safe)
    assert not re.search("[\"'<>\\\\]", safe.replace("'", ""))
