"""Header fields as octets, whatever names and addresses hold."""

import email
import email.policy
import re
from base64 import b64decode
from collections.abc import Callable
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.errors import RenderError
from publisher.mail import headers
from publisher.mail.headers import FixedHeaders

MakeHeaders = Callable[..., FixedHeaders]

NAMES = [
    "",
    "Ana Kovač",
    "Ana",
    "Ana Maria",
    'Dóra "D." Nagy',
    'John "Jack" O\'Neil, Jr.',
    "back\\slash (and comment) <x@y.example>",
    "فادي",
    "Чыңгыз",
    "👩‍👩‍👧‍👦 family",
    "=?utf-8?q?not_a_word?=",
    "plain name " * 27,
    "длинное имя " * 25,
    "x" * 300,
]


def _parsed(field: bytes) -> tuple[EmailMessage, Message]:
    octets = field + b"\r\n"
    modern = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(modern, EmailMessage)
    return modern, email.message_from_bytes(octets, policy=email.policy.compat32)


def _decoded(value: str) -> str:
    return str(make_header(decode_header(value)))


def _check_lines(field: bytes) -> None:
    assert re.search(rb"\r(?!\n)|(?<!\r)\n|[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]", field) is None
    assert field.endswith(b"\r\n")
    lines = field.removesuffix(b"\r\n").split(b"\r\n")
    assert all(line.startswith(b" ") for line in lines[1:])
    assert all(line.strip() for line in lines)
    assert max(map(len, lines)) <= 998
    assert all(len(word) <= 75 for word in re.findall(rb"=\?\S+\?=", field))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_reads_back_as_it_was(name: str) -> None:
    # when
    field = headers.mailbox_field("To", name, address="ana@lantern.example")

    # then
    modern, compat = _parsed(field)
    shown, address = parseaddr(compat["To"].replace("\r\n", ""))
    # Python 3.11's modern parser puts spaces between encoded words of a phrase, so the name is read by the older one.
    assert (_decoded(shown), address) == (name.strip(), "ana@lantern.example")
    assert [mailbox.addr_spec for mailbox in modern["To"].addresses] == ["ana@lantern.example"]
    assert modern["To"].defects == ()
    assert max(map(len, field.split(b"\r\n"))) <= 78
    _check_lines(field)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Eve\r\nBcc: all@lantern.example", "Eve Bcc: all@lantern.example"),
        ("Eve\0\x1b[31m\x85", "Eve [31m"),
        ("Eve\u202egnp.exe\u2066", "Evegnp.exe"),
        ("\ud800Eve\u2028", "Eve"),
    ],
)
def test_a_hostile_name_stays_a_name(name: str, shown: str) -> None:
    # when
    field = headers.mailbox_field("To", name, address="eve@lantern.example")

    # then
    modern, compat = _parsed(field)
    assert modern["To"].addresses[0].display_name == shown
    assert modern.keys() == compat.keys() == ["To"]
    _check_lines(field)


@given(name=st.text(max_size=400), subject=st.text(max_size=400))
def test_whatever_the_name_there_is_one_field_and_one_address(name: str, subject: str) -> None:
    # when
    to = headers.mailbox_field("To", name, address="ana@lantern.example")
    about = headers.subject_field(headers.one_line(subject))

    # then
    modern, compat = _parsed(to + about)
    assert modern.keys() == compat.keys() == ["To", "Subject"]
    assert [mailbox.addr_spec for mailbox in modern["To"].addresses] == ["ana@lantern.example"]
    assert str(modern["Subject"]) == headers.one_line(subject)
    _check_lines(to)


@pytest.mark.parametrize(
    ("address", "written", "is_smtputf8"),
    [
        ("ana@lantern.example", "ana@lantern.example", False),
        ("ana@MÜNCHEN.example", "ana@xn--mnchen-3ya.example", False),
        ("ana@пример.example", "ana@xn--e1afmkfd.example", False),
        ("почта@lantern.example", "почта@lantern.example", True),
        ("o'neil+news@lantern.example", "o'neil+news@lantern.example", False),
        ('"a b"@lantern.example', '"a b"@lantern.example', False),
        ("x" * 284 + "@lantern.example", "x" * 284 + "@lantern.example", False),
    ],
)
def test_an_address_is_written_as_servers_take_it(address: str, written: str, *, is_smtputf8: bool) -> None:
    # when
    field = headers.mailbox_field("To", "Ana", address=address)

    # then
    assert headers.ascii_address(address) == written
    assert f"<{written}>".encode() in field
    assert headers.needs_smtputf8(address) == is_smtputf8
    _check_lines(field)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "@lantern.example",
        "ana@",
        "a b@lantern.example",
        "ana@lantern.example\r\nBcc: x@y.example",
        "ana\r\nBcc: x@lantern.example",
        "ana\0@lantern.example",
        "ana>,<eve@lantern.example",
        "ana\u202e@lantern.example",
        "ana@lan tern.example",
        "ana@[evil>]",
        '"ana\r\nBcc: x"@lantern.example',
        '"ana\x1b"@lantern.example',
        "ana..x@lantern.example",
        "\ud800@lantern.example",
        "x" * 400 + "@lantern.example",
    ],
)
def test_what_is_no_address_is_refused_without_naming_it(address: str) -> None:
    with pytest.raises(RenderError) as refused:
        headers.mailbox_field("To", "Ana", address=address)
    assert "lantern" not in str(refused.value)


@given(address=st.text(max_size=60) | st.text('a@.<>"\\\r\n\0, é', max_size=20))
def test_an_address_that_is_taken_is_one_address(address: str) -> None:
    # when
    try:
        field = headers.mailbox_field("To", "", address=address)
    except RenderError:
        return

    # then
    _check_lines(field)
    assert _parsed(field)[0].keys() == ["To"]


@pytest.mark.parametrize(
    "subject",
    [
        "Plain and short",
        "Plain words that go on " * 10,
        "x" * 200,
        "Lantern weekly, 16–22 November 2026",
        "Маяк за неделю " * 20,
        "🛟" * 60,
        "=?utf-8?q?lure?=",
    ],
)
def test_a_subject_reads_back_in_both_parsers(subject: str) -> None:
    # given
    subject = subject.strip()

    # when
    field = headers.subject_field(subject)

    # then
    modern, compat = _parsed(field)
    assert str(modern["Subject"]) == subject
    assert _decoded(compat["Subject"].replace("\r\n", "")) == subject
    assert max(map(len, field.split(b"\r\n"))) <= 78
    _check_lines(field)


def test_no_character_is_split_between_encoded_words() -> None:
    # when
    field = headers.subject_field("🛟Ж" * 40)

    # then
    for word in re.findall(rb"=\?utf-8\?b\?(.*?)\?=", field):
        b64decode(word).decode()


@pytest.mark.parametrize(
    ("sender", "last"),
    [
        ("lantern.example", "lanternexample"),
        ("io", "io000"),
        ("", "00000"),
        ("A-Very-Long-Organisation", "averylongorgani"),
    ],
)
def test_a_feedback_id_has_four_fields(sender: str, last: str) -> None:
    # when
    feedback_id = headers.make_feedback_id("weekly-2026-11-23", "weekly", language="en", sender=sender)

    # then
    assert feedback_id == f"weekly-2026-11-23:weekly:en:{last}"


@pytest.mark.parametrize(("length", "folded"), [(69, b"Subject: x"), (70, b"Subject:\r\n x")])
def test_a_field_is_folded_after_the_colon_where_it_passes_78_characters(length: int, folded: bytes) -> None:
    assert headers.folded_field("Subject", "x" * length).startswith(folded)


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("Lantern weekly", "Lantern weekly <weekly.lantern.example>"),
        ("Harbour, bridge", '"Harbour, bridge" <weekly.lantern.example>'),
        ("Маяк", "<weekly.lantern.example>"),
        ("", "<weekly.lantern.example>"),
    ],
)
def test_list_id_has_its_title_only_in_ascii(make_headers: MakeHeaders, title: str, value: str) -> None:
    # when
    fields = headers.list_fields(make_headers(list_title=title, list_id="weekly.lantern.example"))

    # then
    assert f"List-Id: {value}\r\n".encode() in fields


@pytest.mark.parametrize("list_id", ["weekly.::1", "weekly lantern", "weekly.lantern.example>\r\nBcc: x", ""])
def test_a_list_id_is_a_domain_name(make_headers: MakeHeaders, list_id: str) -> None:
    with pytest.raises(RenderError, match="List-Id"):
        headers.list_fields(make_headers(list_id=list_id))


@pytest.mark.parametrize("url", ["javascript:x", "https://lantern.example/>\r\nBcc: x", "https://маяк.example/", ""])
def test_only_plain_web_and_mail_addresses_stand_in_list_fields(make_headers: MakeHeaders, url: str) -> None:
    with pytest.raises(RenderError):
        headers.list_fields(make_headers(help_url=url))
