from email.message import EmailMessage

from hypothesis import given
from hypothesis import strategies as st

from publisher.demo.reading import read_headers, read_letter, visible

PIECES = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"Content-Type: text/plain; charset=",
        b"utf-16\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Subject: =?utf-8?b?",
        b"?=\r\n",
        b"--x\r\n",
        b"--x--\r\n",
        b"\r\n",
        b" folded\r\n",
    ]
)


@given(st.lists(PIECES | st.binary(max_size=20), max_size=20).map(b"".join))
def test_any_bytes_can_be_read(source: bytes) -> None:
    letter = read_letter(source)

    for header in (*letter.headers, *read_headers(source).headers):
        assert all(part.encode() is not None for part in (header.name, header.raw, header.decoded))
    assert (letter.text or "").encode() is not None
    assert (letter.html or "").encode() is not None


@given(subject=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=100))
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    message = EmailMessage()
    message["Subject"] = subject

    read = read_headers(message.as_bytes()).header("subject")

    assert read.split() == str(message["Subject"]).split()


def test_only_line_ends_and_tabs_survive_of_the_control_characters() -> None:
    assert visible("a\r\nb\tc\rd\x00\x1b\x85\u202e\u2066") == "a\nb\tc" + "\ufffd" + "d" + "\ufffd" * 5
