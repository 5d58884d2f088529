"""Whatever a server says: every message ends once, and none is sent that was not accepted after its final dot."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from scripted_smtp import GO_ON, OK, PIPELINING, PLAIN, Client, Ended, Tray, hold_session, make_attempt, run, serving

from publisher.transport.dialogue import Offers, Timeouts
from publisher.transport.messages import Attempt, Outcome
from publisher.transport.session import Session

BAD = [
    *(OK, GO_ON, OK + GO_ON, OK + OK, OK + OK + GO_ON, b"250\r\n", b"250-a\r\n", b"250 b", b"354", b"2", b"\r\n"),
    *(b"550 5.1.1 no\r\n", b"451 4.0.0 later\r\n", b"421 4.3.2 bye\r\n", b"503 x\r\n", b"221 bye\r\n", b"hello\r\n"),
]
OCTETS = st.one_of(st.sampled_from(BAD), st.binary(min_size=1, max_size=8))
RIGHT = st.just((True, b""))
PIECES = st.one_of(RIGHT, RIGHT, RIGHT, RIGHT, st.tuples(st.booleans(), OCTETS))
"""What comes in one read: whether it begins with what a server that keeps to the rules would say; what it says then."""
NAMES = ("ana", "ben", "eva")


@dataclass
class Line:
    """A transport that shows when what was written, which sockets do not: all of it is on the wire at once."""

    written: bytearray = field(default_factory=bytearray)
    is_over: bool = False

    def write(self, octets: bytes) -> None:
        assert not self.is_over, "written after the end"
        self.written += octets

    def abort(self) -> None:
        self.is_over = True

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.is_over

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        self.protocol = protocol


@dataclass
class Witness(Tray):
    """A tray that checks each acceptance: a whole 2xx reply came after the final dot, no octet of it before."""

    said: list[tuple[bytes, bytes]] = field(default_factory=list)
    """What the server said, with all that was written before."""

    def finish(self, attempt: Attempt, outcome: Outcome) -> None:
        super().finish(attempt, outcome)
        body = attempt.envelope.message + b".\r\n"
        later = b"".join(octets for written, octets in self.said if body in written)
        if outcome.verdict.state == "sent":
            assert ACCEPTANCE.search(later), f"{attempt.claim} was not accepted: {self.said}"
        if outcome.verdict.state == "planned":
            assert body not in self.said[-1][0]


ACCEPTANCE = re.compile(rb"(?m)^2[0-9][0-9](?: [^\r\n]*)?\r?\n")


@given(st.sampled_from([frozenset(), frozenset({"pipelining"})]), st.lists(PIECES, max_size=25))
@settings(max_examples=500, deadline=None)
def test_no_message_is_sent_without_an_acceptance_after_its_dot(
    offered: frozenset[str], pieces: list[tuple[bool, bytes]]
) -> None:
    async def test() -> Witness:
        line: Any = Line()  # Any: it is what a session uses of a transport
        tray = Witness([make_attempt(name, f"Subject: {name}\r\n".encode()) for name in NAMES])
        session = Session(line, Offers(offered), feed=tray, timeouts=Timeouts(), messages_max=9)
        session.go()
        for is_right, more in pieces:
            octets = (rightly(session) if is_right else b"") + more
            if session.is_open and octets:
                tray.said.append((bytes(line.written), octets))
                line.protocol.data_received(octets)
        line.protocol.connection_lost(None)
        assert session.closed.done()
        return tray

    tray = run(test())

    event(" ".join(sorted(tray.states.values())))
    assert len(tray.outcomes) + len(tray.waiting) == len(NAMES)


def rightly(session: Session) -> bytes:
    """The reply to the first command that waits for one; nothing where none does."""
    awaited = session._wire._awaited
    return b"" if not awaited else GO_ON if awaited[0].step == "data" else OK


@given(st.sampled_from([PLAIN, PIPELINING]), st.lists(OCTETS, max_size=12), st.data())
@settings(max_examples=60, deadline=None)
def test_over_sockets_nothing_hangs_and_every_message_ends_once(
    ehlo: bytes, pieces: list[bytes], data: st.DataObject
) -> None:
    octets = b"".join(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(octets)), max_size=8), label="cuts"))
    stays = data.draw(st.booleans(), label="the server stays silent afterwards")
    chunks = [octets[start:end] for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]

    async def talk(client: Client) -> None:
        await client.greet(ehlo)
        await client.line()
        for chunk in chunks:
            client.say(chunk)
            await client.writer.drain()
            await asyncio.sleep(0)
        if stays:
            await client.rest()

    async def test() -> Ended:
        async with serving(talk) as port:
            return await hold_session(port, Tray([make_attempt(name) for name in NAMES]), scale=0.0001)

    ended = run(test())

    assert len(ended.tray.outcomes) + len(ended.tray.waiting) == len(NAMES)
    assert (
        list(ended.states.values()).count("sent") <= len(ACCEPTANCE.findall(octets)) // 3
    )  # MAIL and RCPT had one each
