"""Text from outside: what is left of it when it is clean."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from feeds.text import clean_text, decode_page, parse_html, read_html, sanitise_html, shorten

FORBIDDEN = set("\x00\x07\x1b\x7f\x9b\u202e\u2066\u200b\ufeff\ufffe\ud800")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  two \n\t words\u2028here ", "two words here"),
        ("subject\r\nBcc: all@example.org", "subject Bcc: all@example.org"),
        ("nul\x00 bell\x07 esc\x1b[31m", "nul bell esc[31m"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("e\u0301t\u00e9", "été"),
        ("half \ud83d pair", "half pair"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_cleaned_text_is_one_line_without_controls(text: str, cleaned: str) -> None:
    assert clean_text(text, 100) == cleaned


def test_long_text_is_cut_at_a_word_with_an_ellipsis() -> None:
    assert shorten("one two three", 13) == "one two three"
    assert shorten("one two three", 12) == "one two…"
    assert shorten("x" * 20, 5) == "xxxx…"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one</p><p>two</p>", "one two"),
        ("<b>bold</b>er", "bolder"),
        ("line<br>break", "line break"),
        ("<li>a</li><li>b</li>", "a b"),
        ("Fish &amp; chips", "Fish & chips"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("a<script>alert(1)</script>b<style>p{}</style>", "a b"),
        ("<p>kept<!-- gone --> text</p>", "kept text"),
        ("", ""),
        ("<p></p>", ""),
    ],
)
def test_html_is_read_as_a_person_would(markup: str, text: str) -> None:
    assert read_html(markup, 100) == text


def test_deeply_nested_html_is_read_without_recursion() -> None:
    assert read_html("<div>" * 5_000 + "deep", 100) in {"deep", ""}


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<svg onload=alert(1)>",
        '<img src="https://tracker.example/pixel.gif">',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="&#106;avascript:alert(1)">x</a>',
        '<p style="background:url(https://tracker.example)">x</p>',
        "<iframe src=https://evil.example></iframe>",
        "<base href=https://evil.example>",
        '<form action="https://evil.example"><input></form>',
        "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
        "<p onclick=alert(1)>x</p>",
    ],
)
def test_sanitised_html_can_do_no_harm(attack: str) -> None:
    safe = sanitise_html(f"<p>before</p>{attack}<p>after</p>", "https://a.example/")

    assert "before" in safe
    assert "after" in safe
    for word in ("script", "onload", "onerror", "onclick", "style", "<img", "iframe", "<base", "form", "tracker"):
        assert word not in safe


def test_links_of_sanitised_html_are_absolute() -> None:
    safe = sanitise_html('<a href="../b?utm_source=x#note">b</a>', "https://a.example/one/two")

    assert safe == '<a href="https://a.example/b#note" rel="noopener noreferrer">b</a>'


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("é".encode(), None, "é"),
        ("é".encode("latin-1"), "iso-8859-1", "é"),
        ("“".encode("cp1252"), "latin-1", "“"),
        (b'<meta charset="windows-1251">' + "Новости".encode("cp1251"), None, '<meta charset="windows-1251">Новости'),
        (b"\xef\xbb\xbf" + "é".encode(), "latin-1", "é"),
        ("é".encode("utf-16"), None, "é"),
        (b"a\xff", None, "a\ufffd"),
        (b"plain", "no-such-encoding", "plain"),
        (b"plain", "utf-7", "plain"),
        (b"plain", "hex", "plain"),
    ],
)
def test_a_page_is_decoded_by_what_it_says_of_itself(body: bytes, charset: str | None, text: str) -> None:
    assert decode_page(body, charset) == text


@given(st.text())
def test_any_text_comes_out_clean(text: str) -> None:
    cleaned = clean_text(text, 200)

    assert len(cleaned) <= 200
    assert not FORBIDDEN & set(cleaned)
    assert cleaned == clean_text(cleaned, 200)
    cleaned.encode()


@given(st.text(alphabet="<>/&;#xabp \"'=!-\x00\ud800é"), st.integers(1, 100))
def test_any_markup_is_read_and_sanitised(markup: str, limit: int) -> None:
    assert len(read_html(markup, limit)) <= limit
    safe = sanitise_html(markup, "https://a.example/")
    safe.encode()
    if safe:
        html.fragments_fromstring(safe)


@given(st.binary(), st.none() | st.text(max_size=20))
def test_any_bytes_are_a_page(body: bytes, charset: str | None) -> None:
    parse_html(decode_page(body, charset))


def test_links_without_end_take_no_memory() -> None:
    # given
    tracemalloc.start()
    # when
    for number in range(100):
        sanitise_html(f'<a href="https://a.example/{number}{"x" * 190_000}">a</a>', "https://a.example/")
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # then
    assert kept_bytes < 1_000_000
