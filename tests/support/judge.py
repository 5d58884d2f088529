"""An SMTP server in a process of its own that writes down what it accepted before it says so, and errs on demand.

Run as ``python judge.py OPTIONS`` with the JSON of ``Options``; prints its port. ``judge_records`` is what it writes,
``judge_rules`` how it errs. A line of the log is on disk before the final dot is answered with 250.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from judge_records import JudgeClock, Mail, Records
from judge_rules import Rule

LONG_WHILE_S = 3600.0


class HangUp(Exception):  # noqa: N818  (no error: the plan)
    """End this connection at once."""


@dataclass(frozen=True)
class Options:
    """How a judge is to be."""

    log: str
    port: int = 0
    rules: tuple[Rule, ...] = ()
    delay_s: float = 0
    """Before each answer to a final dot."""
    offers: tuple[str, ...] = ("PIPELINING", "SMTPUTF8", "8BITMIME", "DSN", "ENHANCEDSTATUSCODES")
    certificate: str | None = None
    """PEM file of certificate and key; STARTTLS is offered then."""
    password: str | None = None
    """AUTH is offered then."""
    clock: str | None = None
    mail_log: str | None = None


@dataclass
class Judge:
    """What all connections share."""

    options: Options
    records: Records
    counts: Counter[str] = field(default_factory=Counter)
    first_seen: dict[tuple[str, str], float] = field(default_factory=dict)

    def tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.options.certificate or "")
        return context


class Dialogue:
    """One connection."""

    def __init__(self, judge: Judge, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._judge, self._reader, self._writer = judge, reader, writer
        judge.counts["connection"] += 1
        self._number = judge.counts["connection"]
        self._counts: Counter[str] = Counter()
        self._mail: Mail | None = None
        self._is_addressed = self._is_secure = False

    async def run(self) -> None:
        tell = self._judge.records.tell
        tell(f"smtpd[{self._number}]: connect from localhost[127.0.0.1]")
        with contextlib.suppress(HangUp, OSError, asyncio.IncompleteReadError, ssl.SSLError, ValueError):
            await self._step("banner", "220 judge ESMTP")
            while line := await self._reader.readline():
                await self._answer(line.decode(errors="replace").strip())
        self._writer.transport.abort() if self._mail else self._writer.close()
        tell(f"smtpd[{self._number}]: disconnect from localhost[127.0.0.1]")

    async def _answer(self, line: str) -> None:
        match line[:4].upper():
            case "EHLO":
                await self._step("ehlo", "\n".join(["250 judge", *(f"250 {offer}" for offer in self._offers())]))
            case "HELO":
                await self._step("helo", "250 judge")
            case "STAR":
                await self._secure()
            case "AUTH":
                await self._authenticate(line)
            case "MAIL":
                await self._begin(line)
            case "RCPT":
                await self._address(line)
            case "DATA":
                await self._take()
            case "RSET":
                self._mail, self._is_addressed = None, False
                self._say("250 2.0.0 ok")
            case "QUIT":
                self._say("221 2.0.0 bye")
                raise HangUp
            case _:
                self._say("250 2.0.0 ok")

    def _offers(self) -> list[str]:
        options = self._judge.options
        offers = list(options.offers)
        if options.certificate and not self._is_secure and not self._is_stripped():
            offers.append("STARTTLS")
        if options.password and (self._is_secure or not options.certificate):
            offers.append("AUTH PLAIN LOGIN")
        return offers

    def _is_stripped(self) -> bool:
        return any(rule.step == "starttls" and "strip" in rule.acts for rule in self._judge.options.rules)

    async def _secure(self) -> None:
        self._count("starttls")
        self._event("starttls")
        injected = [act[7:] for rule in self._rules("starttls", "") for act in rule.acts if act.startswith("inject:")]
        self._writer.write(b"220 2.0.0 go on\r\n" + "".join(injected).encode())
        await self._writer.start_tls(self._judge.tls())
        self._is_secure = True

    async def _authenticate(self, line: str) -> None:
        words = line.split()
        if words[1].upper() == "LOGIN":
            for prompt in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6"):
                self._say(f"334 {prompt}")
                given = (await self._reader.readline()).strip()
        else:
            given = words[2].encode() if len(words) > 2 else b""
        password = base64.b64decode(given).decode().rpartition("\0")[2]
        is_right = password == self._judge.options.password
        await self._step("auth", "235 2.7.0 welcome" if is_right else "535 5.7.8 wrong password")

    async def _begin(self, line: str) -> None:
        sender = _address_in(line)
        reply = await self._step("mail", "250 2.1.0 ok", who=sender, line=line)
        is_begun = reply.startswith("2")
        self._mail = Mail(sender, "", self._judge.records.clock.now()) if is_begun else None
        self._is_addressed = False

    async def _address(self, line: str) -> None:
        if self._mail is None:
            self._say("503 5.5.1 no sender")
            return
        self._mail.recipient = _address_in(line)
        reply = await self._step("rcpt", "250 2.1.5 ok", who=self._mail.recipient)
        self._is_addressed = reply.startswith("2")
        if self._is_addressed:
            self._judge.records.name(self._mail, self._number)

    async def _take(self) -> None:
        if self._mail is None or not self._is_addressed:
            self._say("503 5.5.1 no recipient")
            return
        if not (await self._step("data", "354 go on", who=self._mail.recipient)).startswith("354"):
            return
        try:
            await self._read_body(self._mail)
        except (HangUp, OSError, asyncio.IncompleteReadError):
            self._judge.records.tell(f"smtpd[{self._number}]: lost connection after DATA from localhost[127.0.0.1]")
            raise
        await self._settle(self._mail)
        self._mail, self._is_addressed = None, False

    async def _read_body(self, mail: Mail) -> None:
        lines = b""
        while not lines.endswith((b"\r\n\r\n", b"\r\n.\r\n")) and lines != b".\r\n":
            if not (line := await self._reader.readline()):
                raise HangUp
            lines += line
            if line == lines:
                mail.body = lines
                await self._step("body", "", who=mail.recipient)
        mail.body = lines
        self._judge.records.receive(mail)
        if not lines.endswith(b"\r\n.\r\n") and lines != b".\r\n":
            lines += await self._reader.readuntil(b"\r\n.\r\n")
        mail.body = lines.replace(b"\r\n..", b"\r\n.").removesuffix(b".\r\n")

    async def _settle(self, mail: Mail) -> None:
        """After the dot."""
        await asyncio.sleep(self._judge.options.delay_s)
        digest = hashlib.sha256(mail.body).hexdigest()
        try:
            await self._step("dot", "keep", "250 2.0.0 kept", who=mail.recipient, sha256=digest)
        finally:
            if not mail.is_kept:
                self._judge.records.refuse(mail)

    async def _step(self, step: str, *usual: str, who: str = "", **details: str) -> str:
        """Do what the rules say of this step, else the usual; the last reply given."""
        self._count(step)
        self._event(step, who=who, **details)
        rule = next(iter(self._rules(step, who)), None)
        reply = ""
        for act in rule.acts if rule else usual:
            if said := await self._act(act):
                reply = said
                if act.startswith("greylist"):
                    break
        return reply

    def _count(self, step: str) -> None:
        self._judge.counts[step] += 1
        self._counts[step] += 1

    def _rules(self, step: str, who: str) -> list[Rule]:
        counts = (self._judge.counts[step], self._counts[step])
        rules = self._judge.options.rules
        return [one for one in rules if one.applies(step, counts=counts, who=who, connection=self._number)]

    async def _act(self, act: str) -> str:
        """Do it; the reply if it was one."""
        name, _, value = act.partition(":")
        match name:
            case "keep":
                self._judge.records.accept(self._require_mail())
            case "drop":
                await self._writer.drain()
                raise HangUp
            case "silent":
                await self._reader.read()  # until the other side gives up
                raise HangUp
            case "wait":
                await asyncio.sleep(float(value))
            case "slow":
                pause, _, text = value.partition(":")
                await self._drip(text.encode() + b"\r\n", float(pause))
                return text
            case "raw":
                self._writer.write(value.encode())
                return value
            case "greylist":
                return self._greylist(float(value))
            case "" | "strip":
                pass
            case _:
                self._say(*act.split("\n"))
                return act
        return ""

    async def _drip(self, data: bytes, pause_s: float) -> None:
        for byte in data:
            self._writer.write(bytes([byte]))
            await self._writer.drain()
            await asyncio.sleep(pause_s)

    def _greylist(self, wait_s: float) -> str:
        mail, now = self._require_mail(), self._judge.records.clock.now()
        key = (mail.sender, mail.recipient)
        is_new = key not in self._judge.first_seen
        first = self._judge.first_seen.setdefault(key, now)
        if not is_new and now - first >= wait_s:
            return ""
        self._say("450 4.2.0 come again")
        return "450"

    def _require_mail(self) -> Mail:
        if self._mail is None:
            raise ValueError("there is no message at this step")
        return self._mail

    def _event(self, step: str, **details: str) -> None:
        self._judge.records.event(step, connection=self._number, **details)

    def _say(self, *lines: str) -> None:
        last = len(lines) - 1
        text = (f"{line[:3]}{'-' if place < last else line[3:4]}{line[4:]}\r\n" for place, line in enumerate(lines))
        self._writer.write("".join(text).encode())


def _address_in(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


async def serve(judge: Judge) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Dialogue(judge, reader, writer).run()

    server = await asyncio.start_server(talk, "127.0.0.1", judge.options.port, limit=2**24)
    judge.records.tell("master[1]: daemon started -- version 3.7.11, configuration /etc/postfix")
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        while True:  # a log that says nothing cannot be told from one that lags
            await asyncio.sleep(0.5)
            judge.records.tell("anvil[1]: statistics: max cache size 1")


def main() -> None:
    given = json.loads(sys.argv[1])
    rules = tuple(
        Rule(**rule | {key: tuple(rule[key]) for key in ("acts", "nth", "connections")})
        for rule in given.pop("rules", [])
    )
    options = Options(**given | {"offers": tuple(given.get("offers", Options.offers))}, rules=rules)
    mail_log = Path(options.mail_log) if options.mail_log else None
    clock = JudgeClock(Path(options.clock) if options.clock else None)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(Judge(options, Records(Path(options.log), clock, mail_log))))


if __name__ == "__main__":
    main()
