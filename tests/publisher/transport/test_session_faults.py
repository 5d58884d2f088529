"""A server that speaks out of turn, badly, late or not at all: what can be known of each message, said once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from scripted_smtp import (
    GO_ON,
    GROUP,
    LARGE,
    OK,
    PIPELINING,
    PLAIN,
    Client,
    Ended,
    Talk,
    Tray,
    converse,
    hold_session,
    make_attempt,
    make_config,
    run,
    serving,
)

from publisher.transport.messages import Attempt, Outcome
from publisher.transport.session import LEFT, STALE_INTENT_S
from publisher.transport.smtp import connect
from publisher.transport.wire import Wire
from subscribers.replies import Verdict

BOTH = pytest.mark.parametrize("ehlo", [PLAIN, PIPELINING], ids=["plain", "pipelining"])
SHORT = 0.0005
"""Scale of time-outs: 0.15 s for a command, 0.06 s for 354, 0.3 s for the body."""


async def tell(talk: Talk, *names: str, scale: float = 0.02, message: bytes | None = None) -> Ended:
    attempts = [make_attempt(name, message) if message else make_attempt(name) for name in names]
    return await converse(talk, attempts, scale=scale)


# Replies out of turn


@BOTH
@pytest.mark.parametrize("extra", [OK, b"421 4.3.2 closing\r\n", b"451 later\r\n", b"2", b"250-", b"\r\n"])
def test_a_body_does_not_begin_where_more_than_354_is_said(ehlo: bytes, extra: bytes) -> None:
    rest = []

    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        for answer in (OK, OK, GO_ON + extra):
            await client.line()
            client.say(answer)
        rest.append(await client.rest())

    assert run(tell(talk, "ana")).states == {"ana": "deferred"}
    assert rest == [b""]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_reply_too_many_is_not_the_answer_to_the_next_command(at: int) -> None:
    async def talk(client: Client) -> None:
        await client.greet(PLAIN)
        for number, answer in enumerate((OK, OK, GO_ON)):
            await client.line()
            client.say(answer + (b"550 5.1.1 nobody\r\n" if number == at else b""))
        await client.rest()

    ended = run(tell(talk, "ana"))

    assert ended.states == {"ana": "deferred"}
    assert "unsolicited reply" in ended.reason


def test_a_reply_too_many_between_messages_ends_the_connection() -> None:
    async def talk(client: Client) -> None:
        await client.greet(PLAIN)
        await client.envelope()
        await client.body()
        client.say(OK + OK)
        await client.rest()

    ended = run(tell(talk, "ana", "ben"))

    assert ended.states == {"ana": "sent", "ben": "deferred"}
    assert "unsolicited reply" in ended.reason


def test_replies_that_are_shifted_by_one_never_begin_a_body() -> None:
    rest = []

    async def talk(client: Client) -> None:
        await client.greet(PIPELINING)
        await client.lines(3)
        client.say(GROUP)
        await client.body()
        await client.lines(3)
        client.say(OK + OK + GROUP)  # one too many
        rest.append(await client.rest())

    ended = run(tell(talk, "ana", "ben"))

    assert ended.states == {"ana": "sent", "ben": "deferred"}
    assert rest == [b""]


@BOTH
def test_an_acceptance_in_the_middle_of_a_body_is_none(ehlo: bytes) -> None:
    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        await client.envelope()
        await client.line()
        client.say(OK)
        await client.rest()

    ended = run(tell(talk, "ana", "ben", message=LARGE))

    assert ended.states["ana"] == "uncertain"
    assert ended.states.get("ben", "deferred") == "deferred"
    assert "unsolicited reply" in ended.reason


@BOTH
def test_a_refusal_in_the_middle_of_a_body_ends_message_and_connection(ehlo: bytes) -> None:
    rest = []

    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        await client.envelope()
        await client.line()
        client.say(b"552 5.3.4 too big\r\n")
        rest.append(await client.rest())

    ended = run(tell(talk, "ana", "ben", message=LARGE))

    assert ended.states["ana"] == "failed"
    assert ended.states.get("ben", "deferred") == "deferred"
    assert ended.reason == "refused early: 552 5.3.4 too big"
    assert not rest[0].endswith(b"\r\n.\r\n")
    assert b"MAIL FROM" not in rest[0]


# Replies that are none


@BOTH
@pytest.mark.parametrize(
    "last",
    [
        b"354 again\r\n",
        b"220 here\r\n",
        b"221 bye\r\n",
        b"251 will forward\r\n",
        b"252 who knows\r\n",
        b"550-no\r\n250 ok\r\n",
        b"2500 what\r\n",
        b"250garbage\r\n",
        b"hello\r\n",
        b"250-\r\n" * 6_000 + b"250 \r\n",
        b"250 " + b"x" * 40_000 + b"\r\n",
        b"250",
        b"250-first\r\n",
        b"",
    ],
    ids=lambda last: last[:12],
)
def test_only_a_whole_and_plain_acceptance_is_one(ehlo: bytes, last: bytes) -> None:
    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        await client.envelope()
        await client.body()
        client.say(last)

    ended = run(tell(talk, "ana"))

    assert ended.states == {"ana": "uncertain"}
    assert ended.reason != LEFT


@BOTH
@pytest.mark.parametrize(
    ("at", "bad"),
    [
        (0, b"251 will forward\r\n"),
        *((at, code + b" 2.0.0 no\r\n") for at in (0, 1) for code in (b"220", b"221", b"252")),
    ],
)
def test_before_the_body_another_acceptance_than_that_of_its_step_is_none(ehlo: bytes, bad: bytes, at: int) -> None:
    bodies = []

    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        for number, answer in enumerate((OK, OK, GO_ON)):
            await client.line()
            client.say(bad if number == at else answer)
        bodies.append(await client.rest())

    ended = run(tell(talk, "ana"))

    assert ended.states == {"ana": "deferred"}
    assert ended.reason != LEFT
    assert not any(b"Subject" in body for body in bodies)


@BOTH
@pytest.mark.parametrize("bad", [b"hello\r\n", b"250-a\r\n550 b\r\n", b"250 " + b"x" * 40_000 + b"\r\n"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_before_the_body_a_bad_reply_leaves_nothing_in_doubt(ehlo: bytes, bad: bytes, at: int) -> None:
    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        for number, answer in enumerate((OK, OK, GO_ON)):
            await client.line()
            client.say(bad if number == at else answer)
        await client.rest()

    assert run(tell(talk, "ana")).states == {"ana": "deferred"}


@BOTH
def test_replies_may_come_in_single_octets(ehlo: bytes) -> None:
    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        for answer in (OK, b"250-2.1.5 fine\r\n250 fine\r\n", GO_ON):
            await client.line()
            await client.dribble(answer)
        await client.body()
        await client.dribble(b"250-2.0.0 taken\r\n250 as 42\r\n")
        await client.part()

    ended = run(tell(talk, "ana"))

    assert (ended.states, ended.reply("ana"), ended.reason) == ({"ana": "sent"}, "250 2.0.0 taken as 42", LEFT)


# Replies that do not come in time


@BOTH
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "body"])
@pytest.mark.parametrize("dribbles", [False, True], ids=["silent", "tarpit"])
def test_a_late_reply_ends_the_connection(ehlo: bytes, step: str, *, dribbles: bool) -> None:
    async def stall(client: Client) -> None:
        is_gone = asyncio.ensure_future(client.rest())
        while dribbles and not is_gone.done():
            client.say(b"2" if not client.writer.is_closing() else b"")
            await asyncio.sleep(0.01)
        await is_gone

    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        answers = {"mail": OK, "rcpt": OK, "data": GO_ON}
        for answer in list(answers.values())[: [*answers, "body"].index(step)]:
            await client.line()
            client.say(answer)
        await (client.body() if step == "body" else client.line())
        await stall(client)

    ended = run(tell(talk, "ana", "ben", scale=SHORT))

    assert ended.states["ana"] == ("uncertain" if step == "body" else "deferred")
    assert ended.states.get("ben", "deferred") == "deferred"
    assert ended.reason.startswith("no reply within")
    assert ended.reason.endswith(step)


# Connections that are lost


async def drop(client: Client) -> None:
    client.writer.transport.abort()


async def hang_up(client: Client) -> None:
    client.writer.write_eof()
    await client.rest()


MOMENTS: dict[bytes, list[tuple[bytes, str, str]]] = {
    # What the server reads (a command, or its dot) or says; what then may be known of ana and of ben.
    PLAIN: [
        (b"MAIL", "deferred", ""),
        (OK, "deferred", ""),
        (b"RCPT", "deferred", ""),
        (OK, "deferred", ""),
        (b"DATA", "deferred", ""),
        (GO_ON, "deferred uncertain", ""),
        (b".", "uncertain", ""),
        (OK, "uncertain sent", "deferred"),
        (b"MAIL", "sent", "deferred"),
        (OK, "sent", "deferred"),
        (b"RCPT", "sent", "deferred"),
        (OK, "sent", "deferred"),
        (b"DATA", "sent", "deferred"),
        (GO_ON, "sent", "deferred uncertain"),
        (b".", "sent", "uncertain"),
        (OK, "sent", "uncertain sent"),
    ],
    PIPELINING: [
        (b"MAIL", "deferred", ""),
        (b"RCPT", "deferred", ""),
        (b"DATA", "deferred", ""),
        (OK + OK, "deferred", ""),
        (GO_ON, "deferred uncertain", "deferred"),
        (b".", "uncertain", "deferred"),
        (b"DATA", "uncertain", "deferred"),
        (OK, "uncertain sent", "deferred"),
        (OK + OK, "uncertain sent", "deferred"),
        (GO_ON, "uncertain sent", "deferred uncertain"),
        (b".", "sent", "uncertain"),
        (OK, "sent", "uncertain sent"),
    ],
}


@pytest.mark.parametrize("end", [drop, hang_up])
@pytest.mark.parametrize(("ehlo", "moment"), [(ehlo, at) for ehlo in MOMENTS for at in range(len(MOMENTS[ehlo]))])
def test_whenever_a_connection_is_lost_each_message_has_its_outcome(
    ehlo: bytes, moment: int, end: Callable[[Client], Awaitable[None]]
) -> None:
    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        for octets, _, _ in MOMENTS[ehlo][: moment + 1]:
            if octets[:1].isdigit():
                client.say(octets)
            elif octets == b".":
                await client.body()
            else:
                await client.reader.readuntil(octets)
                await client.line()
        await end(client)

    states = run(tell(talk, "ana", "ben")).states

    _, ana, ben = MOMENTS[ehlo][moment]
    assert states.pop("ana") in ana.split()
    assert states.pop("ben", "") in ["", *ben.split()]


def test_with_two_messages_in_hand_one_is_in_doubt_and_one_is_not() -> None:
    async def talk(client: Client) -> None:
        await client.greet(PIPELINING)
        await client.envelope()
        await client.body()
        await client.lines(3)
        await drop(client)

    assert run(tell(talk, "ana", "ben", "eva")).states == {"ana": "uncertain", "ben": "deferred"}


def test_an_abort_leaves_each_message_with_its_outcome() -> None:
    async def test() -> dict[str, str]:
        has_both = asyncio.Event()

        async def talk(client: Client) -> None:
            await client.greet(PIPELINING)
            await client.envelope()
            await client.body()
            await client.lines(3)
            has_both.set()
            await client.rest()

        async with serving(talk) as port:
            config = make_config(port)
            tray = Tray([make_attempt("ana"), make_attempt("ben")])
            session = (await connect(config, config.smtp.pool[0])).start(tray, messages_max=9)
            session.go()
            await has_both.wait()
            session.abort("enough")
            session.abort("again")
            session.go()
            assert await session.closed == "enough"
        return tray.states

    assert run(test()) == {"ana": "uncertain", "ben": "deferred"}


def test_a_connection_that_was_lost_before_its_session_began_is_noticed_at_once() -> None:
    async def test() -> tuple[str, dict[str, str]]:
        async def talk(client: Client) -> None:
            await client.greet(PLAIN)

        async with serving(talk) as port:
            config = make_config(port, scale=1)
            connected = await connect(config, config.smtp.pool[0])
            while not connected.transport.is_closing():
                await asyncio.sleep(0)
            tray = Tray([make_attempt("ana")])
            session = connected.start(tray, messages_max=9)
            session.go()
            return await session.closed, tray.states

    assert run(test()) == ("the server closed the connection", {"ana": "deferred"})


# Intents that have waited

OLD = STALE_INTENT_S * 2
PAUSED = Outcome(Verdict("planned"), "the edition is paused")


def well(ehlo: bytes, count: int) -> Talk:
    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        for _ in range(count):
            await client.envelope()
            await client.body()
            client.say(OK)
        await client.part()

    return talk


@BOTH
def test_a_stale_intent_is_read_again_before_its_envelope(ehlo: bytes) -> None:
    async def test() -> Ended:
        async with serving(well(ehlo, 2)) as port:
            tray = Tray([make_attempt(name, age_s=OLD) for name in ("ana", "ben", "eva")])
            tray.vetoes = {"ben": [PAUSED]}
            return await hold_session(port, tray)

    ended = run(test())

    assert ended.states == {"ana": "sent", "ben": "planned", "eva": "sent"}
    assert (ended.tray.asked, ended.reason) == (["ana", "ben", "eva"], LEFT)


@BOTH
@pytest.mark.parametrize("veto", [None, PAUSED], ids=["holds", "vetoed"])
def test_an_intent_that_became_stale_is_read_again_before_its_body(ehlo: bytes, veto: Outcome | None) -> None:
    rest = []

    async def test() -> Ended:
        attempt = make_attempt("ana")

        async def talk(client: Client) -> None:
            await client.greet(ehlo)
            for answer in (OK, OK, GO_ON):
                await client.line()
                attempt.begun_at -= OLD  # as if the server had taken that long
                client.say(answer)
            rest.append(await client.rest() if veto else await client.body())
            if not veto:
                client.say(OK)
                await client.part()

        async with serving(talk) as port:
            return await hold_session(port, Tray([attempt], vetoes={"ana": [veto]}))

    ended = run(test())

    assert ended.tray.asked == ["ana"]
    assert ended.states == {"ana": "planned" if veto else "sent"}
    if veto:
        assert (rest, ended.reason) == ([b""], "the message must not begin any more")


@BOTH
@pytest.mark.parametrize("step", ["mail", "body"])
@pytest.mark.parametrize("answers", [None, PAUSED], ids=["holds", "vetoed"])
def test_a_connection_lost_while_an_intent_is_read_ends_it_once(
    ehlo: bytes, step: str, answers: Outcome | None
) -> None:
    async def test() -> dict[str, str]:
        attempt = make_attempt("ana", age_s=OLD if step == "mail" else 0)
        tray = Tray([attempt], vetoes={"ana": [answers]})
        tray.pause = asyncio.Event()

        async def talk(client: Client) -> None:
            await client.greet(ehlo)
            if step == "body":
                await client.line()
                attempt.begun_at -= OLD
                client.say(OK)
                for answer in (OK, GO_ON):
                    await client.line()
                    client.say(answer)
            while not tray.asked:
                await asyncio.sleep(0)
            await drop(client)

        async with serving(talk) as port:
            ended = await hold_session(port, tray)
        tray.pause.set()
        for _ in range(5):
            await asyncio.sleep(0)
        return ended.states

    assert run(test()) == {"ana": "deferred"}


def test_a_reply_while_an_intent_is_read_begins_no_body() -> None:
    rest = []

    async def test() -> Ended:
        attempt = make_attempt("ana")
        tray = Tray([attempt])
        tray.pause = asyncio.Event()

        async def talk(client: Client) -> None:
            await client.greet(PLAIN)
            for answer in (OK, OK, GO_ON):
                await client.line()
                attempt.begun_at -= OLD
                client.say(answer)
            while not tray.asked:
                await asyncio.sleep(0)
            client.say(b"25")
            await client.writer.drain()
            for _ in range(20):
                await asyncio.sleep(0)
            tray.pause.set()  # type: ignore[union-attr]  # set above
            rest.append(await client.rest())

        async with serving(talk) as port:
            return await hold_session(port, tray)

    ended = run(test())

    assert (ended.states, ended.reason, rest) == ({"ana": "deferred"}, "unsolicited reply", [b""])


def test_a_question_that_fails_ends_the_connection_and_is_not_hidden() -> None:
    class Broken(Tray):
        async def recheck(self, attempt: Attempt) -> Outcome | None:
            raise RuntimeError("no ledger")

    async def test() -> tuple[dict[str, str], list[str]]:
        seen: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: seen.append(str(context["exception"])))
        async with serving(well(PLAIN, 0)) as port:
            ended = await hold_session(port, Broken([make_attempt("ana", age_s=OLD)]))
        states = ended.states
        ended.session._asking = None
        return states, seen

    states, seen = run(test())

    assert states == {"ana": "deferred"}
    assert seen == ["no ledger"]


def test_a_wire_that_has_ended_says_nothing_more() -> None:
    async def test() -> list[bytes]:
        got = []

        async def talk(client: Client) -> None:
            await client.greet(PLAIN)
            got.append(await client.rest())

        async with serving(talk) as port:
            config = make_config(port)
            connected = await connect(config, config.smtp.pool[0])
            ends: list[str] = []
            wire = Wire(
                connected.transport, connected.timeouts,
                answer=lambda _awaited, _reply: None, end=lambda reason, _left: ends.append(reason),
            )  # fmt: skip
            wire.abort("first")
            wire.abort("second")
            wire.write([])
            assert (ends, wire.is_open, wire.is_quiet) == (["first"], False, True)
        return got

    assert run(test()) == [b""]
