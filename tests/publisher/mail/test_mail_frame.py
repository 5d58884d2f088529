"""Filled frames against a slow reference: Python's own mail parser."""

import email
import email.policy
import re
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.errors import RenderError
from publisher.mail.compose import compose_frame, is_mostly_latin
from publisher.mail.content import DigestContent, Rendered
from publisher.mail.frame import Frame, PersonParts, fill
from publisher.mail.headers import FixedHeaders
from publisher.mail.render import render_variant

PLACEHOLDER = "Placeholder-of-the-token_27"
TOKEN = "dG9rZW4_of-a-person_0123456"
ANA = PersonParts("ana@lantern.example", "Ana Kovač", TOKEN, "<weekly-2026-11-23.1f@lantern.example>")

MakeHeaders = Callable[..., FixedHeaders]

# What may stand before a token: ASCII of every length shifts line ends, other characters shift groups of three.
before_token = st.text("aé= .-\n", max_size=120) | st.text("йцу \n", max_size=80)
script = st.sampled_from(["", "é", "Маяк " * 40, "منارة " * 40])


def _rendered(text: str, html: str) -> Rendered:
    return Rendered("en", "Lantern weekly", html, text, page_html="", placeholder=PLACEHOLDER)


def _parse(message: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    assert parsed.defects == []
    return parsed


def _parts(message: bytes) -> list[str]:
    parts = list(_parse(message).iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [part.defects for part in parts] == [[], []]
    return [part.get_payload(decode=True).decode().replace("\r\n", "\n").rstrip("\n") for part in parts]


def _personal(text: str, placeholder: str = PLACEHOLDER) -> str:
    return text.rstrip("\n").replace(placeholder, TOKEN)


@settings(max_examples=300, deadline=None)
@given(before=before_token, between=before_token, script=script)
def test_the_token_stands_wherever_the_template_put_it(
    make_headers: MakeHeaders, before: str, between: str, script: str
) -> None:
    # given
    text = f"{script}{before}/u/{PLACEHOLDER}{between}/u/{PLACEHOLDER}"
    html = f"<p>{before}{script}</p><a href='/u/{PLACEHOLDER}'>{between}</a>"

    # when
    message = fill(compose_frame(_rendered(text, html), make_headers()), ANA)

    # then
    assert _parts(message) == [_personal(text), _personal(html)]
    _check_octets(message)


@pytest.mark.parametrize("letter", ["x", "Ж"], ids=["quoted-printable", "base64"])
def test_every_alignment_and_line_end_is_met(make_headers: MakeHeaders, letter: str) -> None:
    for length in range(160):
        # given
        text = f"{letter * 60}\n{'x' * length}{PLACEHOLDER}"

        # when
        message = fill(compose_frame(_rendered(text, text), make_headers()), ANA)

        # then
        assert _parts(message) == [_personal(text)] * 2, length
        _check_octets(message)


def test_no_line_begins_with_a_dot_that_smtp_would_have_to_double(make_headers: MakeHeaders) -> None:
    for length in range(160):
        # given
        text = f"{'x' * length}.{'y' * (length // 2)}\n.css {{ {'z' * length}\n."

        # when
        frame = compose_frame(_rendered(text, text), make_headers())

        # then
        message = fill(frame, ANA)
        assert not frame.has_dots, length
        assert _parts(message) == [text] * 2, length
        _check_octets(message)


@pytest.mark.parametrize("language", ["en", "fr", "ru"])
def test_a_real_variant_is_a_well_formed_message(
    varied_content: DigestContent, make_headers: MakeHeaders, language: str
) -> None:
    # given
    rendered = render_variant(varied_content, language)

    # when
    message = fill(compose_frame(rendered, make_headers()), ANA)

    # then
    text, html = _parts(message)
    assert text == _personal(rendered.text, rendered.placeholder)
    assert html == _personal(rendered.html, rendered.placeholder)
    assert rendered.placeholder not in text + html
    _check_octets(message)


def test_each_header_stands_once(varied_content: DigestContent, make_headers: MakeHeaders) -> None:
    # given
    rendered = render_variant(varied_content, "ru")

    # when
    parsed = _parse(fill(compose_frame(rendered, make_headers()), ANA))

    # then
    expected = {
        "Date": "Mon, 23 Nov 2026 07:05:00 +0000",
        "From": "Lantern Newsroom <news@lantern.example>",
        "Reply-To": "press@lantern.example",
        "To": "Ana Kovač <ana@lantern.example>",
        "Subject": rendered.subject,
        "Message-ID": "<weekly-2026-11-23.1f@lantern.example>",
        "List-Id": "Lantern weekly <weekly.news.lantern.example>",
        "List-Unsubscribe": f"<https://news.lantern.example/u/{TOKEN}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Archive": "<https://news.lantern.example/editions/>",
        "List-Help": "<mailto:press@lantern.example>",
        "Precedence": "bulk",
        "Feedback-ID": "weekly-2026-11-23:weekly:en:lanternexample",
        "Content-Language": "ru",
        "MIME-Version": "1.0",
    }
    assert {name: str(value) for name, value in parsed.items() if name != "Content-Type"} == expected
    assert len(parsed.keys()) == len(expected) + 1


def test_cyrillic_goes_as_base64_and_latin_as_quoted_printable(
    varied_content: DigestContent, make_headers: MakeHeaders
) -> None:
    # given
    latin = tuple(item for item in varied_content.items if item.language in {"en", "fr"})
    encodings = {}

    # when
    for language in ("en", "fr", "ru"):
        rendered = render_variant(replace(varied_content, items=latin), language)
        parsed = _parse(fill(compose_frame(rendered, make_headers()), ANA))
        encodings[language] = {part["Content-Transfer-Encoding"] for part in parsed.iter_parts()}

    # then
    assert encodings == {"en": {"quoted-printable"}, "fr": {"quoted-printable"}, "ru": {"base64"}}


@pytest.mark.parametrize(
    ("text", "is_latin"),
    [
        ("plain", True),
        ("Où êtes-vous ? « Ici » – Đặng Łódź", True),
        ("Где вы?", False),
        ("أين أنت", False),
        ("Πού", False),
        ("你好", False),
        ("mostly Latin with one Маяк in a rather long line of text, longer than it seems at first, and longer", True),
    ],
)
def test_the_script_of_a_text_is_told_by_its_letters(text: str, *, is_latin: bool) -> None:
    assert is_mostly_latin(text) == is_latin


def test_a_long_unsubscribe_link_is_folded_and_never_encoded(make_headers: MakeHeaders) -> None:
    # given
    prefix = f"https://news.lantern.example/{'sub/' * 12}u/"
    frame = compose_frame(_rendered("x", "x"), make_headers(unsubscribe_prefix=prefix))

    # when
    message = fill(frame, ANA)

    # then
    assert f"\r\nList-Unsubscribe:\r\n <{prefix}{TOKEN}>\r\n".encode() in message
    assert _parse(message)["List-Unsubscribe"].strip() == f"<{prefix}{TOKEN}>"


@pytest.mark.parametrize(
    ("prefix", "is_taken"),
    [
        ("https://news.lantern.example/u/", True),
        ("http://127.0.0.1:8000/u/", True),
        ("http://localhost/u/", True),
        ("http://news.lantern.example/u/", False),
        ("http://127.0.0.1.evil.example/u/", False),
        ("https://news.lantern.example/\r\nBcc: x/u/", False),
        ("https://маяк.example/u/", False),
    ],
)
def test_unsubscribe_links_are_https_or_loopback(make_headers: MakeHeaders, prefix: str, *, is_taken: bool) -> None:
    # given
    fixed = make_headers(unsubscribe_prefix=prefix)

    # when
    try:
        compose_frame(_rendered("x", "x"), fixed)
    except RenderError:
        was_taken = False
    else:
        was_taken = True

    # then
    assert was_taken == is_taken


def test_a_frame_comes_back_from_its_bytes(varied_content: DigestContent, make_headers: MakeHeaders) -> None:
    for language in ("en", "ru"):
        # given
        frame = compose_frame(render_variant(varied_content, language), make_headers())

        # when
        again = Frame.from_bytes(frame.to_bytes())

        # then
        assert again == frame


def test_the_same_person_gets_the_same_bytes_again(varied_content: DigestContent, make_headers: MakeHeaders) -> None:
    # given
    frames = [compose_frame(render_variant(varied_content, "en"), make_headers()) for _ in range(2)]

    # then
    assert fill(frames[0], ANA) == fill(frames[1], ANA)


@pytest.mark.parametrize(
    "broken",
    [
        {"token": TOKEN[:-1]},
        {"token": TOKEN[:-1] + "="},
        {"token": TOKEN + "\n"},
        {"message_id": "plain@lantern.example"},
        {"message_id": "<a@b>\r\nBcc: x"},
        {"address": "ana@lantern.example\r\nBcc: all@lantern.example"},
        {"address": "nobody"},
    ],
    ids=str,
)
def test_broken_parts_of_a_person_make_no_message(make_headers: MakeHeaders, broken: dict[str, str]) -> None:
    # given
    frame = compose_frame(_rendered("x", "x"), make_headers())

    # then
    with pytest.raises(RenderError):
        fill(frame, replace(ANA, **broken))


def test_tokens_too_close_for_base64_are_refused(make_headers: MakeHeaders) -> None:
    with pytest.raises(RenderError, match="four octets"):
        compose_frame(_rendered(f"Маяк{PLACEHOLDER}{PLACEHOLDER}", ""), make_headers())


def _check_octets(message: bytes) -> None:
    assert re.search(rb"\r(?!\n)|(?<!\r)\n|\0", message) is None
    assert max(len(line) for line in message.split(b"\r\n")) <= 78
    assert message.isascii()
    assert message.endswith(b"--\r\n")
