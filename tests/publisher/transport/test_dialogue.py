"""What is said of a message, by what the server offers."""

import pytest
from scripted_smtp import make_envelope

from publisher.transport.dialogue import Offers, Timeouts, write_body, write_commands
from publisher.transport.messages import Envelope


def commands(envelope: Envelope, *offered: str) -> list[bytes]:
    return [octets for _, octets in write_commands(envelope, Offers.of(offered))]


def test_nothing_is_said_that_was_not_offered() -> None:
    envelope = make_envelope("ana", "é\r\n".encode(), envelope_id="w-1.2@news.example.org")

    assert commands(envelope) == [
        b"MAIL FROM:<b@bounces.example.org>\r\n",
        b"RCPT TO:<ana@example.org>\r\n",
        b"DATA\r\n",
    ]


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        ("size", b"MAIL FROM:<b@bounces.example.org> SIZE=4\r\n"),
        ("8bitmime", b"MAIL FROM:<b@bounces.example.org> BODY=8BITMIME\r\n"),
        ("dsn", b"MAIL FROM:<b@bounces.example.org> RET=HDRS ENVID=w-1.2@news.example.org\r\n"),
        ("dsn", b"RCPT TO:<ana@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;ana@example.org\r\n"),
    ],
)
def test_what_is_offered_is_used(offered: str, said: bytes) -> None:
    envelope = make_envelope("ana", "é\r\n".encode(), envelope_id="w-1.2@news.example.org")

    assert said in commands(envelope, offered)


def test_an_ascii_message_asks_for_no_8bitmime() -> None:
    assert commands(make_envelope("ana"), "8bitmime")[0] == b"MAIL FROM:<b@bounces.example.org>\r\n"


def test_an_address_is_reported_back_in_xtext() -> None:
    recipient = commands(make_envelope("a+b=c"), "dsn")[1]

    assert b" ORCPT=rfc822;a+2Bb+3Dc@example.org\r\n" in recipient
    assert recipient.startswith(b"RCPT TO:<a+b=c@example.org>")


def test_an_international_address_needs_smtputf8_and_has_no_report_address() -> None:
    mail, recipient, _ = commands(make_envelope("josé", needs_smtputf8=True), "dsn", "smtputf8")

    assert mail.split()[-2:] == [b"SMTPUTF8", b"RET=HDRS"]
    assert recipient == "RCPT TO:<josé@example.org> NOTIFY=FAILURE,DELAY\r\n".encode()


@pytest.mark.parametrize(
    ("size", "limit"), [("1000", 1000), ("0", None), ("", None), ("many", None), ("-1", None), ("9" * 30, None)]
)
def test_a_size_limit_is_a_number(size: str, limit: int | None) -> None:
    assert Offers.of(["size"], size).size_limit == limit


def test_dots_are_doubled_where_there_may_be_some() -> None:
    message = b"a\r\n.\r\n..b\r\nc.\r\n"

    assert write_body(make_envelope("ana", message)) == b"a\r\n..\r\n...b\r\nc.\r\n.\r\n"
    assert write_body(make_envelope("ana", b"a\r\nb.c\r\n", may_have_dots=False)) == b"a\r\nb.c\r\n.\r\n"


def test_timeouts_are_those_of_the_standard_and_scale() -> None:
    assert (Timeouts().of("mail"), Timeouts().of("data"), Timeouts().of("body")) == (300, 120, 600)
    assert Timeouts.scaled(0.5) == Timeouts(15, 150, 150, 60, 300, 2.5)
