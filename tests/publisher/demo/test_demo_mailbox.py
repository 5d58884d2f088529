import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage

import aiosmtplib
import httpx
import pytest
from lxml import html
from starlette.applications import Starlette
from starlette.routing import Mount

from publisher.demo.mailbox import MAX_MESSAGE_BYTES, Mailbox, listen
from publisher.demo.mailbox_web import PAGE_SIZE, mailbox_app

NOW = datetime(2027, 2, 26, 9, tzinfo=UTC)
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def pages(serve, mailbox: Mailbox) -> httpx.Client:
    return serve(mailbox_app(mailbox))


def _digest(subject: str = "Велламар за неделю", text: str = "Новости", page: str = "<p>Новости</p>") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Vellamar <news@example.org>"
    message["To"] = "aizada@example.org"
    message["Subject"] = subject
    message.set_content(text)
    message.add_alternative(f"<!DOCTYPE html><html><head><title>x</title></head><body>{page}</body></html>", "html")
    return message


def _mail(mailbox: Mailbox, messages: Sequence[bytes], *, to: Sequence[str] = ("aizada@example.org",)) -> list[str]:
    """Sends the messages over one real connection; the server's last answer to each."""

    async def talk() -> list[str]:
        async with (
            listen(mailbox, lambda: NOW) as port,
            aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client,
        ):
            return [(await client.sendmail("bounce@example.org", to, message))[1] for message in messages]

    return asyncio.run(talk())


def _put(mailbox: Mailbox, source: bytes, *, to: str = "aizada@example.org") -> int:
    return mailbox.keep(source, sender="bounce@example.org", recipients=(to,), at=NOW).number


def test_what_is_mailed_is_kept_byte_for_byte_with_its_envelope(mailbox: Mailbox) -> None:
    source = b"Subject: Hello\r\n\r\nfirst\r\n.\r\n..two dots\r\n\xd0\x96\r\n"

    answers = _mail(mailbox, [source], to=["a@example.org", "b@example.net"])

    (message,) = mailbox.newest_first()
    assert message.source == source
    assert message.sender == "bounce@example.org"
    assert message.recipients == ("a@example.org", "b@example.net")
    assert message.received_at == NOW
    assert "2.0.0" in answers[0]


def test_one_connection_brings_many_messages(mailbox: Mailbox) -> None:
    _mail(mailbox, [f"Subject: {number}\r\n\r\n".encode() for number in range(50)])

    assert [message.number for message in mailbox.newest_first()] == list(range(50, 0, -1))


def test_a_message_that_is_too_large_is_refused(mailbox: Mailbox) -> None:
    with pytest.raises(aiosmtplib.SMTPResponseException) as refusal:
        _mail(mailbox, [b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" * MAX_MESSAGE_BYTES])

    assert refusal.value.code == 552
    assert mailbox.newest_first() == []


def test_the_oldest_go_when_there_are_too_many() -> None:
    mailbox = Mailbox(max_messages=3)

    numbers = [_put(mailbox, b"x") for _ in range(5)]

    assert [message.number for message in mailbox.newest_first()] == numbers[:1:-1]
    assert mailbox.find(numbers[0]) is None


def test_the_oldest_go_when_they_grow_too_large() -> None:
    mailbox = Mailbox(max_bytes=100)

    for _ in range(10):
        _put(mailbox, b"x" * 30)

    assert len(mailbox.newest_first()) == 3


def test_the_list_shows_who_got_what(mailbox: Mailbox, pages: httpx.Client) -> None:
    _mail(mailbox, [_digest().as_bytes()])
    _put(mailbox, b"Subject: Other\r\n\r\n", to="benoit@example.org")

    everything = pages.get("/").text
    hers = html.fromstring(pages.get("/", params={"to": "aizada@example.org"}).content)

    assert "Велламар за неделю" in everything
    assert "Other" in everything
    assert "benoit@example.org (1)" in everything
    assert [link.text_content() for link in hers.cssselect(".subject a")] == ["Велламар за неделю"]
    assert hers.cssselect("option[selected]")[0].get("value") == "aizada@example.org"


def test_a_long_list_has_pages_that_keep_the_recipient(mailbox: Mailbox, pages: httpx.Client) -> None:
    for number in range(PAGE_SIZE + 1):
        _put(mailbox, f"Subject: m{number}\r\n\r\n".encode(), to="a+b@example.org")

    first = html.fromstring(pages.get("/", params={"to": "a+b@example.org"}).content)
    older = first.cssselect("a[rel=next]")[0].get("href")
    second = html.fromstring(pages.get(older).content)

    assert len(first.cssselect(".messages li")) == PAGE_SIZE
    assert [link.text_content() for link in second.cssselect(".subject a")] == ["m0"]


def test_an_empty_mailbox_says_so(pages: httpx.Client) -> None:
    assert "No mail yet" in pages.get("/").text


def test_a_message_is_shown_as_html_text_headers_and_source(mailbox: Mailbox, pages: httpx.Client) -> None:
    _mail(mailbox, [_digest(text="Новости\nв тексте", page="<p>Новости в HTML</p>").as_bytes()])
    (message,) = mailbox.newest_first()

    page = html.fromstring(pages.get("/1").content)
    framed = pages.get(page.cssselect("iframe")[0].get("src"))
    source = pages.get("/1/message.eml")

    assert page.cssselect("h1")[0].text_content() == "Велламар за неделю"
    assert page.cssselect("pre")[0].text_content() == "Новости\nв тексте\n"
    assert "Новости в HTML" in framed.text
    assert "=?utf-8?" in page.cssselect(".headers")[0].text_content()
    assert source.content == message.source
    assert source.headers["Content-Type"] == "message/rfc822"
    assert source.headers["Content-Disposition"] == 'attachment; filename="message-1.eml"'


def test_the_html_part_can_run_nothing_and_reach_nobody(mailbox: Mailbox, pages: httpx.Client) -> None:
    number = _put(mailbox, _digest(page=SCRIPT).as_bytes())

    frame = html.fromstring(pages.get(f"/{number}").content).cssselect("iframe")[0]
    policy = pages.get(f"/{number}/html").headers["Content-Security-Policy"]

    assert "allow-scripts" not in frame.get("sandbox")
    assert "allow-same-origin" not in frame.get("sandbox")
    directives = {directive.split()[0]: directive.split()[1:] for directive in policy.split(";")}
    assert directives["default-src"] == ["'none'"]
    assert "script-src" not in directives
    assert not {"allow-scripts", "allow-same-origin", "allow-top-navigation"} & set(directives["sandbox"])
    assert directives["img-src"] == ["'self'", "data:"]


def test_links_in_the_html_part_open_beside_the_mailbox(mailbox: Mailbox, pages: httpx.Client) -> None:
    number = _put(mailbox, _digest(page='<a href="http://127.0.0.1/">x</a>').as_bytes())

    assert '<head><base target="_blank">' in pages.get(f"/{number}/html").text


HOSTILE = [
    f"Subject: {SCRIPT}\r\nFrom: {SCRIPT} <a@example.org>\r\n\r\n{SCRIPT}".encode(),
    b"Subject: =?utf-8?b?PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==?=\r\n\r\nx",
    f"X-{SCRIPT}: x\r\nSubject: x\r\n\r\nx".encode(),
    b"Subject: =?nonsense?q?x?=\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe",
    b"Subject: =?utf-8?b?!!!?= =?utf-8?q?=ZZ?=\r\n\r\nx",
    b"Subject: \xff\x00\x1b[31m\r\n\r\n\x00\x1b",
    "Subject: =?utf-8?q?=E2=80=AEexe=2Efdp?=\r\n\r\n\u202eabc".encode(),
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x",
    b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth) for depth in range(1200)),
    b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
    b"Content-Type: text/plain; charset=undefined\r\n\r\nx",
    b"Subject: =?utf-7?q?+2AA-?=\r\nContent-Type: text/html; charset=unicode_escape\r\n\r\n\\ud800",
    b"",
    b"\r\n\r\n",
    b"no headers at all",
]


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_mail_is_shown_and_does_nothing(mailbox: Mailbox, pages: httpx.Client, source: bytes) -> None:
    number = _put(mailbox, source, to=f'"{SCRIPT}\u202e"@example.org')

    for path in ("/", f"/{number}", f"/?to={SCRIPT}\u202e"):
        response = pages.get(path)
        assert response.status_code == 200
        assert not html.fromstring(response.content).cssselect("script")
        assert not set("\x00\x1b\u202e") & set(_shown(response))
        assert "script-src" not in response.headers["Content-Security-Policy"]
    assert pages.get(f"/{number}/html").status_code in (200, 404)
    assert pages.get(f"/{number}/message.eml").content == source


def _shown(response: httpx.Response) -> str:
    return html.fromstring(response.content).text_content()


@pytest.mark.parametrize("path", ["/1", "/1/html", "/1/message.eml", "/nothing", "/99999999999999999999999"])
def test_a_message_that_is_not_there_is_a_404(pages: httpx.Client, path: str) -> None:
    response = pages.get(path)

    assert response.status_code == 404
    assert "There is no such message" in response.text


def test_a_message_without_html_has_no_frame(mailbox: Mailbox, pages: httpx.Client) -> None:
    number = _put(mailbox, b"Subject: x\r\n\r\nplain")

    assert not html.fromstring(pages.get(f"/{number}").content).cssselect("iframe")
    assert pages.get(f"/{number}/html").status_code == 404


def test_the_mailbox_can_stand_under_a_path(serve, mailbox: Mailbox) -> None:
    _put(mailbox, _digest().as_bytes())
    client = serve(Starlette(routes=[Mount("/mailbox", mailbox_app(mailbox))]))

    for path in ("/mailbox/", "/mailbox/1"):
        page = html.fromstring(client.get(path).content)
        for address in page.xpath("//@href | //@src | //@action"):
            assert address.startswith(("/mailbox/", "#"))
            assert address.startswith("#") or client.get(address).status_code == 200
