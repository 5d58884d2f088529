"""The messages of one connection, which is connected, secured and authenticated already.

Where the server offers PIPELINING (RFC 2920), the body of a message and the envelope of the next go out in one write;
else each command waits for its reply. What happens after the first octet of a body and is no reply to it is
``uncertain``.
"""

import asyncio
from collections.abc import Callable, Sequence

from publisher.failpoints import is_armed, passing
from publisher.transport.dialogue import Offers, Step, Timeouts, write_body, write_commands
from publisher.transport.messages import Attempt, Feed, Outcome
from publisher.transport.replies import Reply
from publisher.transport.wire import Awaited, Command, Wire
from subscribers.replies import Verdict, judge_reply

LEFT = "left"
"""Why a session ended that was asked to."""

STALE_INTENT_S = 1.0
"""An intent older than this when its envelope or its body would begin is read again first."""


class Session:
    """Takes messages from a feed and tells it what became of each; ``closed`` resolves with the reason of the end.

    At most two attempts are in its hands: one whose body awaits its reply, and one whose envelope is offered.
    """

    def __init__(
        self, transport: asyncio.Transport, offers: Offers, *, feed: Feed, timeouts: Timeouts, messages_max: int
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[str] = self._loop.create_future()
        self.settled = 0
        """How many messages the server answered, whatever it said."""
        self.was_sent_away = False
        """Whether the server said 421: it may like fewer connections better."""
        self._offers = offers
        self._is_pipelining = "pipelining" in offers
        self._feed = feed
        self._left = messages_max
        self._offered: Attempt | None = None
        self._commands: list[Command] = []  # of the plain dialogue: each waits for the reply to the one before
        self._asking: asyncio.Task[None] | None = None
        self._needs_reset = False
        self._is_leaving = False
        self._wire = Wire(transport, timeouts, answer=self._answer, end=self._end)

    @property
    def is_open(self) -> bool:
        """Whether the dialogue can go on."""
        return self._wire.is_open

    def go(self) -> None:
        """Offer the next message where there is room; called whenever the feed may have one."""
        if self._offered is None and (self._is_pipelining or self._wire.is_quiet):
            self._write(self._offer_next())
        if self._is_leaving and self._offered is None and self._wire.is_quiet:
            self._wire.write([Command("quit", None, b"QUIT\r\n")])

    def leave(self) -> None:
        """Take nothing more, and QUIT once what is under way has ended."""
        self._is_leaving = True
        self.go()

    def abort(self, reason: str) -> None:
        """End at once."""
        self._wire.abort(reason)

    def _offer_next(self) -> list[Command]:
        """The commands that offer the next message; none where there is none, or it must be read again first."""
        if self._left <= 0:
            self._is_leaving = True
        while self._wire.is_open and not self._is_leaving and (attempt := self._feed.take()) is not None:
            if attempt.envelope.needs_smtputf8 and "smtputf8" not in self._offers:
                text = "no-smtputf8: the server does not offer what this address needs"
                self._feed.finish(attempt, Outcome(Verdict("failed"), text))
                continue
            self._left -= 1
            self._offered = attempt
            if not self._is_stale(attempt):
                return self._envelope(attempt)
            self._ask_again(attempt, lambda: self._write(self._envelope(attempt)), is_body_awaited=False)
            break
        return []

    def _envelope(self, attempt: Attempt) -> list[Command]:
        commands = [Command(step, attempt, octets) for step, octets in write_commands(attempt.envelope, self._offers)]
        if self._needs_reset:  # of a transaction that was refused half-way
            commands.insert(0, Command("rset", attempt, b"RSET\r\n"))
            self._needs_reset = False
        if self._is_pipelining:
            passing("send-before-data")
        return commands

    def _write(self, commands: list[Command]) -> None:
        if not self._is_pipelining:
            commands, self._commands = commands[:1], commands[1:]
        self._wire.write(commands)

    def _answer(self, awaited: Awaited, reply: Reply) -> None:
        if reply.code == 421:
            self.was_sent_away = True
        match awaited:
            case Awaited("body", Attempt() as attempt):
                self._end_message(attempt, reply)
            case Awaited(step, Attempt() as attempt):
                self._end_command(attempt, step, reply)
            case _:
                self._wire.abort(LEFT)

    def _end_command(self, attempt: Attempt, step: Step, reply: Reply) -> None:
        if not _is_accepted(step, reply) and attempt.refusal is None:
            attempt.refusal = _judge(step, reply)
            self._commands = []
        if reply.code == 421 or _is_out_of_step(step, reply, is_refused=attempt.refusal is not None):
            self._wire.abort(str(reply))
        elif attempt.refusal is None and step == "data":
            self._begin_body(attempt)
        elif attempt.refusal is None and self._commands:
            if step == "rcpt":
                passing("send-before-data")
            self._write(self._commands)
        elif attempt.refusal is not None and not self._wire.awaits(attempt):
            self._drop_offered(attempt, attempt.refusal)

    def _drop_offered(self, attempt: Attempt, outcome: Outcome) -> None:
        self._offered, self._needs_reset = None, True
        self.settled += 1
        self._feed.finish(attempt, outcome)
        self.go()

    def _begin_body(self, attempt: Attempt) -> None:
        if self._is_stale(attempt):
            self._ask_again(attempt, lambda: self._send_body(attempt), is_body_awaited=True)
        else:
            self._send_body(attempt)

    def _send_body(self, attempt: Attempt) -> None:
        if not self._wire.may_speak():
            return
        self._offered = None
        body = write_body(attempt.envelope)
        if is_armed("send-mid-body"):
            self._wire.write_in_part(body[: len(body) // 2])
            passing("send-mid-body")
            body = body[len(body) // 2 :]
        following = self._offer_next() if self._is_pipelining else []
        self._wire.write([Command("body", attempt, body), *following])
        passing("send-after-dot")

    def _end_message(self, attempt: Attempt, reply: Reply) -> None:
        if reply.code < 400 and reply.code != 250:  # no answer to a body; whose reply it is nobody can tell
            self._feed.finish(attempt, Outcome(Verdict("uncertain"), str(reply)))
            self._wire.abort(f"out of step: {reply}")
            return
        self.settled += 1
        self._feed.finish(attempt, Outcome(judge_reply(reply.code, reply.text, step="data"), str(reply)))
        if reply.code == 421:
            self._wire.abort(str(reply))
        else:
            self.go()

    def _is_stale(self, attempt: Attempt) -> bool:
        return self._loop.time() - attempt.begun_at >= STALE_INTENT_S

    def _ask_again(self, attempt: Attempt, go_on: Callable[[], None], *, is_body_awaited: bool) -> None:
        async def ask() -> None:
            asked_at = self._loop.time()
            try:
                vetoed = await self._feed.recheck(attempt)
            except BaseException:
                self._wire.abort("whether the message may still begin could not be found out")
                raise
            if self._offered is not attempt:
                return  # the connection was lost meanwhile
            if vetoed is None:
                attempt.begun_at = asked_at
                if self._is_stale(attempt):  # the answer itself has aged, as where the process was stopped meanwhile
                    self._ask_again(attempt, go_on, is_body_awaited=is_body_awaited)
                else:
                    go_on()
            else:
                self._drop_vetoed(attempt, vetoed, is_body_awaited=is_body_awaited)

        self._asking = asyncio.create_task(ask())

    def _drop_vetoed(self, attempt: Attempt, vetoed: Outcome, *, is_body_awaited: bool) -> None:
        self._offered = None
        self._feed.finish(attempt, vetoed)
        if is_body_awaited:
            self.settled += 1
            self._wire.abort("the message must not begin any more")  # after 354 nothing but a body may follow
        else:
            self.go()

    def _end(self, reason: str, left: Sequence[Awaited]) -> None:
        begun = [one.attempt for one in left if one.step == "body" and one.attempt]
        offered, self._offered = self._offered, None
        for attempt in begun:
            text = f"connection lost after the message began: {reason}"
            self._feed.finish(attempt, Outcome(Verdict("uncertain"), text))
        if offered is not None:
            lost = Outcome(Verdict("deferred"), f"connection lost before the message: {reason}")
            self._feed.finish(offered, offered.refusal or lost)
        if not self.closed.done():
            self.closed.set_result(reason)


def _is_accepted(step: Step, reply: Reply) -> bool:
    match step:
        case "data":
            return reply.code == 354
        case "rcpt":
            return reply.code in (250, 251)  # 251: it will be forwarded (RFC 5321 §3.4)
        case _:
            return reply.code == 250


def _is_out_of_step(step: Step, reply: Reply, *, is_refused: bool) -> bool:
    """Whether no further reply could be trusted, or a body is awaited that must not come."""
    match step:
        case "data":
            return reply.code < 400 and (reply.code != 354 or is_refused)
        case "rset":
            return reply.code != 250
        case _:
            return reply.code < 400 and not _is_accepted(step, reply)


def _judge(step: Step, reply: Reply) -> Outcome:
    """The outcome of a refusal before the body; a reply to RSET or one that is out of place says nothing of it."""
    is_about_it = reply.code >= 400 and step != "rset"
    verdict = judge_reply(reply.code, reply.text, step=step) if is_about_it else Verdict("deferred")
    return Outcome(verdict, str(reply))
