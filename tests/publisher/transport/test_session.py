"""Messages over one connection to a server that keeps to the rules, whatever it says of them."""

import asyncio

import pytest
from scripted_smtp import (
    GO_ON,
    GROUP,
    MESSAGE,
    OK,
    PIPELINING,
    PLAIN,
    Client,
    Talk,
    Tray,
    converse,
    hold_session,
    make_attempt,
    make_config,
    run,
    serving,
)

from publisher.transport.messages import Outcome
from publisher.transport.session import LEFT
from publisher.transport.smtp import connect

BODY = MESSAGE.replace(b"\r\n.", b"\r\n..") + b".\r\n"
BOTH = pytest.mark.parametrize("ehlo", [PLAIN, PIPELINING], ids=["plain", "pipelining"])


def test_with_pipelining_the_next_envelope_comes_with_the_body() -> None:
    got: list[bytes] = []

    async def talk(client: Client) -> None:
        await client.greet(PIPELINING)
        got.extend(await client.lines(3))  # before anything is answered
        client.say(GROUP)
        got.append(await client.body())
        got.extend(await client.lines(3))  # before the body is answered
        client.say(OK + GROUP)
        got.append(await client.body())
        client.say(OK)
        got.append(await client.line())
        client.say(b"221 bye\r\n")

    assert run(wait_for(talk, "ana", "ben")) == ({"ana": "sent", "ben": "sent"}, LEFT)
    assert got == [
        b"MAIL FROM:<b@bounces.example.org>", b"RCPT TO:<ana@example.org>", b"DATA", BODY,
        b"MAIL FROM:<b@bounces.example.org>", b"RCPT TO:<ben@example.org>", b"DATA", BODY,
        b"QUIT",
    ]  # fmt: skip


def test_without_pipelining_each_command_waits_for_its_reply() -> None:
    got: list[bytes] = []

    async def talk(client: Client) -> None:
        await client.greet(PLAIN)
        for _ in ("ana", "ben"):
            for answer in (OK, OK, GO_ON):
                got.append(await client.line())
                assert await is_silent(client)
                client.say(answer)
            got.append(await client.body())
            assert await is_silent(client)
            client.say(OK)
        got.append(await client.line())
        client.say(b"221 bye\r\n")

    async def test() -> tuple[dict[str, str], str]:
        attempts = [make_attempt("ana"), make_attempt("ben")]
        ended = await converse(talk, attempts)
        return ended.states, ended.reason

    assert run(test()) == ({"ana": "sent", "ben": "sent"}, LEFT)
    assert got[3::4] == [BODY, BODY]
    assert got[-1] == b"QUIT"


def test_without_pipelining_a_nudge_while_a_body_is_answered_says_nothing() -> None:
    async def test() -> list[bytes]:

        early: list[bytes] = []
        has_body, may_answer = asyncio.Event(), asyncio.Event()

        async def talk(client: Client) -> None:
            await client.greet(PLAIN)
            await client.envelope()
            await client.body()
            has_body.set()
            await may_answer.wait()
            if not await is_silent(client):
                early.append(await client.line())
            client.say(OK)
            await client.rest()

        async with serving(talk) as port:
            config = make_config(port)
            tray = Tray([make_attempt("ana"), make_attempt("ben")])
            session = (await connect(config, config.smtp.pool[0])).start(tray, messages_max=9)
            session.go()
            await has_body.wait()
            session.go()
            may_answer.set()
            while "ana" not in tray.outcomes:
                await asyncio.sleep(0)
            session.abort("enough")
            await session.closed
        return early

    assert run(test()) == []


@BOTH
def test_dots_are_doubled(ehlo: bytes) -> None:
    got: list[bytes] = []

    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        for _ in range(2):
            await client.envelope()
            got.append(await client.body())
            client.say(OK)
        await client.part()

    async def test() -> dict[str, str]:
        plain = make_attempt("ben", b"Subject: y\r\n\r\nno dot.\r\n", may_have_dots=False)
        return (await converse(talk, [make_attempt("ana"), plain])).states

    assert run(test()) == {"ana": "sent", "ben": "sent"}
    assert got == [BODY, b"Subject: y\r\n\r\nno dot.\r\n.\r\n"]


REFUSALS = [
    # step, its reply, what becomes of the message, whether the connection is kept
    ("mail", b"451 4.3.0 later\r\n", "deferred", True),
    ("mail", b"550 5.7.1 not you\r\n", "deferred", True),
    ("mail", b"421 4.3.2 closing\r\n", "deferred", False),
    ("rcpt", b"450 4.2.0 greylisted\r\n", "deferred", True),
    ("rcpt", b"550 5.1.1 nobody\r\n", "failed", True),
    ("rcpt", b"421 4.3.2 closing\r\n", "deferred", False),
    ("data", b"451 4.3.0 later\r\n", "deferred", True),
    ("data", b"554 5.7.1 no\r\n", "failed", True),
    ("data", b"421 4.3.2 closing\r\n", "deferred", False),
    ("dot", b"451 4.3.0 later\r\n", "deferred", True),
    ("dot", b"554 5.6.0 no\r\n", "failed", True),
    ("dot", b"550 5.7.26 not authenticated\r\n", "deferred", True),
    ("dot", b"421 4.3.2 closing\r\n", "deferred", False),
]


@BOTH
@pytest.mark.parametrize(("step", "reply", "state", "is_kept"), REFUSALS)
def test_a_refusal_is_of_its_message_only(ehlo: bytes, step: str, reply: bytes, state: str, *, is_kept: bool) -> None:
    got: list[bytes] = []

    async def refuse(client: Client) -> None:
        refused = False
        for name, answer in (("mail", OK), ("rcpt", OK), ("data", GO_ON)):
            if refused and ehlo == PLAIN:
                return
            await client.line()
            if name == step:
                client.say(reply)
                refused = True
            else:
                client.say(b"503 5.5.1 out of order\r\n" if refused else answer)
        if not refused:
            await client.body()
            client.say(reply)

    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        await refuse(client)
        if step != "dot":
            got.append(await client.line())
            client.say(OK)
        await client.envelope()
        await client.body()
        client.say(OK)
        await client.part()

    async def test() -> tuple[dict[str, str], str, int]:
        ended = await converse(talk, [make_attempt("ana"), make_attempt("ben")])
        assert ended.reply("ana") == reply.decode().strip()
        return ended.states, ended.reason, ended.session.was_sent_away

    states, reason, was_sent_away = run(test())

    assert states["ana"] == state
    if is_kept:
        assert (states["ben"], reason, was_sent_away) == ("sent", LEFT, False)
        assert got == ([] if step == "dot" else [b"RSET"])
    else:
        assert states.get("ben", "not offered") in ("not offered", "deferred")
        assert (reason, was_sent_away) == (reply.decode().strip(), True)


@BOTH
@pytest.mark.parametrize("reply", [b"250 what\r\n", b"250-\r\n250 2.0.0 ok\r\n", b"334 go\r\n"])
def test_without_354_no_body_begins(ehlo: bytes, reply: bytes) -> None:
    rest = []

    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        await client.line()
        client.say(OK)
        await client.line()
        client.say(OK)
        await client.line()
        client.say(reply)
        rest.append(await client.rest())

    assert run(wait_for(talk, "ana"))[0] == {"ana": "deferred"}
    assert rest == [b""]


def test_a_354_in_spite_of_a_refused_recipient_ends_the_connection_without_a_body() -> None:
    rest = []

    async def talk(client: Client) -> None:
        await client.greet(PIPELINING)
        await client.lines(3)
        client.say(OK + b"550 5.1.1 nobody\r\n" + GO_ON)
        rest.append(await client.rest())

    states, reason = run(wait_for(talk, "ana"))

    assert (states, reason, rest) == ({"ana": "failed"}, "354 go on", [b""])


@pytest.mark.parametrize("answer", [b"550 5.0.0 no\r\n", b"421 4.3.2 closing\r\n", b"502 what\r\n", b"354 what\r\n"])
@BOTH
def test_a_refused_reset_says_nothing_of_the_next_message(ehlo: bytes, answer: bytes) -> None:
    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        await client.line()
        client.say(b"451 4.3.0 later\r\n")
        if ehlo == PIPELINING:
            await client.lines(2)
            client.say(b"503 no\r\n" * 2)
        assert await client.line() == b"RSET"
        client.say(answer)
        await client.rest()

    states, reason = run(wait_for(talk, "ana", "ben"))

    assert states == {"ana": "deferred", "ben": "deferred"}
    assert reason == answer.decode().strip()


@BOTH
def test_other_good_replies_to_mail_and_rcpt_are_good(ehlo: bytes) -> None:
    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        for answer in (b"250-2.1.0\r\n250 ok\r\n", b"251 will forward\r\n", GO_ON):
            await client.line()
            client.say(answer)
        await client.body()
        client.say(b"250\r\n")
        await client.part()

    assert run(wait_for(talk, "ana"))[0] == {"ana": "sent"}


def test_what_needs_smtputf8_is_not_offered_where_it_is_missing() -> None:
    got: list[bytes] = []

    async def talk(client: Client) -> None:
        await client.greet(PIPELINING)
        got.extend(await client.envelope())
        await client.body()
        client.say(OK)
        await client.part()

    async def test() -> dict[str, Outcome]:
        attempts = [make_attempt("josé", needs_smtputf8=True), make_attempt("ben")]
        return (await converse(talk, attempts)).tray.outcomes

    outcomes = run(test())

    assert outcomes["josé"].verdict.state == "failed"
    assert outcomes["josé"].reply.startswith("no-smtputf8")
    assert outcomes["ben"].verdict.state == "sent"
    assert got[1] == b"RCPT TO:<ben@example.org>"


def test_the_offers_of_ehlo_reach_the_envelope() -> None:
    got: list[bytes] = []

    async def talk(client: Client) -> None:
        await client.greet(b"250-here\r\n250-SIZE 99\r\n250-DSN\r\n250 SMTPUTF8\r\n")
        got.extend(await client.envelope())
        await client.body()
        client.say(OK)
        await client.part()

    async def test() -> dict[str, str]:
        return (await converse(talk, [make_attempt("josé", b"x\r\n", needs_smtputf8=True, envelope_id="w")])).states

    assert run(test()) == {"josé": "sent"}
    assert got[0] == b"MAIL FROM:<b@bounces.example.org> SIZE=3 SMTPUTF8 RET=HDRS ENVID=w"


@BOTH
def test_after_its_share_of_messages_a_connection_is_left(ehlo: bytes) -> None:
    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        for _ in range(2):
            await client.envelope()
            await client.body()
            client.say(OK)
        await client.part()

    async def test() -> tuple[dict[str, str], list[str], str]:
        ended = await converse(talk, [make_attempt(name) for name in "abc"], messages_max=2)
        return ended.states, [one.claim for one in ended.tray.waiting], ended.reason

    assert run(test()) == ({"a": "sent", "b": "sent"}, ["c"], LEFT)


@BOTH
def test_quit_is_said_once_when_nothing_is_to_be_sent_and_needs_no_answer(ehlo: bytes) -> None:
    rest = []

    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        rest.append(await client.rest())

    async def test() -> str:

        tray = Tray([])
        tray.is_over.set()
        async with serving(talk) as port:
            return (await hold_session(port, tray, scale=0.01)).reason

    assert run(test()) == "no reply within 0.05 s to quit"
    assert rest == [b"QUIT\r\n"]


async def wait_for(talk: Talk, *names: str) -> tuple[dict[str, str], str]:
    """What became of messages of these names, and why the connection ended."""
    ended = await converse(talk, [make_attempt(name) for name in names])
    return ended.states, ended.reason


async def is_silent(client: Client) -> bool:
    """Whether our side says nothing more of its own accord: nothing came while both sides had their turns."""
    for _ in range(20):
        await asyncio.sleep(0)
    return not client.reader._buffer  # type: ignore[attr-defined]  # there is no way to look without taking
