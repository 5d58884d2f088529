"""An SMTP server in a process of its own that writes down what it accepted before it says so, and errs on demand.

Run as ``python judge.py LOG [--fault NAME[:VALUE]]… [--delay SECONDS]``; prints its port. A line of the log is
``{"recipient", "message_id", "sha256", "at"}`` and is on disk before the final dot is answered with 250.

Faults by number count the messages of all connections: ``drop-body:3`` cuts the third message off in its middle.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = {
    "banner-554": "refuses every connection",
    "421-after": "says 421 after so many messages of a connection",
    "mail-550": "refuses the sender",
    "greylist": "refuses each recipient the first time",
    "rcpt-511": "has no mailbox whose name begins so",
    "rcpt-571": "refuses recipients whose name begins so",
    "data-451": "refuses DATA of that message",
    "drop-body": "cuts the connection in the middle of that message",
    "drop-keep": "keeps that message and cuts the connection without an answer",
    "drop-discard": "discards that message and cuts the connection without an answer",
    "dot-451": "answers that message with 451",
    "dot-554": "answers that message with 554",
    "no-pipelining": "does not offer PIPELINING",
}


class HangUp(Exception):  # noqa: N818  (no error: the plan)
    """End this connection at once."""


@dataclass
class Judge:
    """What all connections share."""

    log: Path
    faults: dict[str, str]
    delay_s: float
    count: int = 0
    seen: set[str] = field(default_factory=set)

    def record(self, recipient: str, body: bytes) -> None:
        found = re.search(rb"(?mi)^Message-ID:\s*(\S+)", body)
        row = {
            "recipient": recipient,
            "message_id": found[1].decode() if found else None,
            "sha256": hashlib.sha256(body).hexdigest(),
            "at": time.time(),
        }
        with self.log.open("ab") as file:
            file.write(json.dumps(row).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def hits(self, fault: str, number: int) -> bool:
        return self.faults.get(fault) == str(number)


class Dialogue:
    """One connection."""

    def __init__(self, judge: Judge, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._judge, self._reader, self._writer = judge, reader, writer
        self._recipient: str | None = None
        self._messages = 0

    async def run(self) -> None:
        with contextlib.suppress(HangUp, OSError, asyncio.IncompleteReadError):
            self._say("554 no service" if "banner-554" in self._judge.faults else "220 judge")
            while line := await self._reader.readline():
                await self._answer(line.decode().strip())
        self._writer.close()

    async def _answer(self, line: str) -> None:
        match line[:4].upper():
            case "EHLO":
                offers = ["SMTPUTF8", "8BITMIME"]
                offers += [] if "no-pipelining" in self._judge.faults else ["PIPELINING"]
                self._say(*(f"250-{offer}" for offer in ["judge", *offers]), "250 ENHANCEDSTATUSCODES")
            case "MAIL":
                self._mail()
            case "RCPT":
                self._rcpt(line)
            case "DATA":
                await self._data()
            case "QUIT":
                self._say("221 bye")
                raise HangUp
            case _:
                self._say("250 ok")

    def _mail(self) -> None:
        faults = self._judge.faults
        if "421-after" in faults and self._messages >= int(faults["421-after"]):
            self._say("421 4.7.0 that is enough for now")
            raise HangUp
        self._recipient = None
        self._say("550 5.7.1 sender refused" if "mail-550" in faults else "250 2.1.0 ok")

    def _rcpt(self, line: str) -> None:
        faults, address = self._judge.faults, line.partition("<")[2].rpartition(">")[0]
        if "mail-550" in faults:
            self._say("503 5.5.1 no sender")
        elif "greylist" in faults and address not in self._judge.seen:
            self._judge.seen.add(address)
            self._say("450 4.2.0 come again")
        elif address.startswith(faults.get("rcpt-511", "\0")):
            self._say("550 5.1.1 no such mailbox")
        elif address.startswith(faults.get("rcpt-571", "\0")):
            self._say("550 5.7.1 policy")
        else:
            self._recipient = address
            self._say("250 2.1.5 ok")

    async def _data(self) -> None:
        if self._recipient is None:
            self._say("503 5.5.1 no recipient")
            return
        self._judge.count += 1
        number = self._judge.count
        if self._judge.hits("data-451", number):
            self._say("451 4.3.0 not now")
            return
        self._say("354 go on")
        if self._judge.hits("drop-body", number):
            await self._reader.readline()
            raise HangUp
        body = await self._reader.readuntil(b"\r\n.\r\n")
        await asyncio.sleep(self._judge.delay_s)
        self._settle(number, body)

    def _settle(self, number: int, body: bytes) -> None:
        judge, recipient = self._judge, self._recipient
        self._recipient = None
        if judge.hits("drop-discard", number):
            raise HangUp
        if judge.hits("dot-451", number):
            self._say("451 4.3.0 try again")
            return
        if judge.hits("dot-554", number):
            self._say("554 5.6.0 not this content")
            return
        judge.record(recipient or "", body)
        if judge.hits("drop-keep", number):
            raise HangUp
        self._messages += 1
        self._say("250 2.0.0 kept")

    def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())


async def serve(judge: Judge, port: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Dialogue(judge, reader, writer).run()

    server = await asyncio.start_server(talk, "127.0.0.1", port, limit=2**24)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--delay", type=float, default=0)
    options = parser.parse_args()
    faults = {name: value for name, _, value in (fault.partition(":") for fault in options.fault)}
    if unknown := faults.keys() - KNOWN.keys():
        parser.error(f"unknown faults: {unknown}")
    asyncio.run(serve(Judge(options.log, faults, options.delay), options.port))


if __name__ == "__main__":
    main()
