"""Reading replies from octets, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.transport.replies import MAX_REPLY_BYTES, MAX_TEXT, MalformedReplyError, Reply, ReplyReader

TELLING = [
    b"2",
    b"5",
    b"25",
    b"250",
    b"354",
    b"-",
    b" ",
    b"\r",
    b"\n",
    b"\r\n",
    b"250 ok\r\n",
    b"250-a\r\n",
    b"x",
    b"\xff",
]


def read(*chunks: bytes) -> list[Reply | str]:
    """The replies, and at the end the error where there is one."""
    reader, found = ReplyReader(), []
    try:
        for chunk in chunks:
            found.extend(reader.feed(chunk))
    except MalformedReplyError as error:
        return [*found, str(error)]
    return found


@pytest.mark.parametrize(
    ("octets", "replies"),
    [
        (b"250 2.0.0 ok\r\n", [Reply(250, "2.0.0 ok")]),
        (b"250\r\n", [Reply(250, "")]),
        (b"250 ok\n", [Reply(250, "ok")]),
        (b"250-one\r\n250 two\r\n354 go\r\n", [Reply(250, "one two"), Reply(354, "go")]),
        (b"550 \x1b[31mred\x00\tand\xff\r\n", [Reply(550, "[31mred and\N{REPLACEMENT CHARACTER}")]),
        (b"250 half", []),
        (b"250 ok\r\nhello\r\n", [Reply(250, "ok"), "malformed reply 'hello'"]),
        (b"250-no\r\n550 ok\r\n", ["reply of two codes, 250 and 550"]),
    ],
)
def test_replies_are_read(octets: bytes, replies: list[Reply | str]) -> None:
    assert read(octets) == replies
    assert read(*(bytes([octet]) for octet in octets)) == replies


@pytest.mark.parametrize(
    "octets", [b"2500 what\r\n", b"250garbage\r\n", b"\r\n", b"150 wait\r\n", b"650 x\r\n", b"25\r\n", b"250 a\rb\r\n"]
)
def test_what_is_no_reply_is_said_to_be_none(octets: bytes) -> None:
    (error,) = read(octets)

    assert str(error).startswith("malformed reply")


@pytest.mark.parametrize("octets", [b"250 " + b"x" * MAX_REPLY_BYTES + b"\r\n", b"250-x\r\n" * 6000 + b"250 x\r\n"])
@pytest.mark.parametrize("size", [1_000_000, 1000])
def test_an_overlong_reply_is_none_however_it_arrives(octets: bytes, size: int) -> None:
    chunks = [octets[start : start + size] for start in range(0, len(octets), size)]

    assert read(*chunks) == ["overlong reply"]


def test_of_a_long_text_the_beginning_is_kept() -> None:
    (reply,) = read(b"554 " + b"no " * 5000 + b"\r\n")

    assert isinstance(reply, Reply)
    assert len(reply.text) <= MAX_TEXT


@given(st.lists(st.one_of(st.sampled_from(TELLING), st.binary(max_size=6)), max_size=12), st.data())
def test_any_octets_are_read_the_same_in_any_cut(pieces: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(octets)), max_size=8)))

    chunks = [octets[start:end] for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]

    assert [one for one in read(*chunks) if isinstance(one, Reply)] == [
        one for one in read(octets) if isinstance(one, Reply)
    ]
    assert [isinstance(one, str) for one in read(*chunks)] == [isinstance(one, str) for one in read(octets)]


def test_octets_behind_a_reply_are_noticed() -> None:
    reader = ReplyReader()

    noticed = [(reply.code, reader.has_more) for reply in reader.feed(b"250 a\r\n354 b\r\n2")]

    assert noticed == [(250, True), (354, True)]
