"""One trial: a newsroom, a judge before which it sends, the program, a clock that moves, the accounts at the end."""

import contextlib
import fnmatch
import json
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from judge import Options
from judge_records import move_clock
from judge_rules import Rule
from judging import Accepted, Court, read_accepted, start_judge, stop_judge
from newsroom_app import MONDAY, Newsroom, open_newsroom

from subscribers.tokens import make_message_local
from tests.faults.accounting import Person
from tests.faults.guards import drop_unique_key
from tests.faults.program import Ended, Program, Running, free_port
from tests.faults.registry import RedError

START = MONDAY + timedelta(days=1)
"""When a trial begins by its own clock: the weekly edition has days before it expires."""

PENDING = ("planned", "claimed", "sending", "deferred")

GRACE_S = 1.5
"""An intent may be a second old when its message begins (design: §5.5); the rest is the time to say MAIL."""


@dataclass
class Trial:
    """What a row's trial works with. Its folder and port are its own."""

    folder: Path
    seed: int = 1
    scale: float = 0.01
    """Length of a second of the time-outs of RFC 5321, in seconds."""
    is_fresh: bool = False
    is_long: bool = False
    without: tuple[str, ...] = ()
    allowed_uncertain: int = 0
    connections: int = 3
    people: dict[str, Person] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    owed: set[tuple[str, str]] = field(default_factory=set)
    edition: str = ""
    closed_at: float | None = None
    notes: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    """What every command finds in its environment."""
    newsroom: Newsroom = field(init=False)
    program: Program = field(init=False)
    chance: random.Random = field(init=False)
    wants_duplicates: bool = False
    """Whether the row is there to show them."""
    web_port: int = field(default_factory=free_port)
    _court: Court | None = None
    port: int = field(default_factory=free_port)
    _offset_s: float = 0
    _read_bytes: int = 0
    _read_lines: int = 0
    _judge_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.set_clock(START)

    # The scene

    def open(
        self,
        people: int = 0,
        *,
        connections: int = 3,
        security: str = "none",
        smtp: str = "",
        mail: str = "",
        zone: str = "Europe/Vienna",
        is_planned: bool = True,
    ) -> None:
        """A newsroom with a weekly digest, one item and so many readers in two languages, its edition planned."""
        people = people or self.chance.randint(20, 40)
        self.connections = connections
        settings = f"timeout_scale = {self.scale}\nmail_log = '{self.folder / 'mail.log'}'\n{smtp}"
        with open_newsroom(
            self.folder / "newsroom",
            now=self.now,
            port=self.port,
            connections=connections,
            security=security,
            web_port=self.web_port,
            mail=mail,
            smtp=settings,
        ) as newsroom:
            self.newsroom = newsroom
        self._set_zone(zone)
        self.program = Program(newsroom.config_file, self._clock_file, is_fresh=self.is_fresh, without=self.without)
        self.execute("DELETE FROM digests WHERE id = 'daily'")
        if "unique-key" in self.without:
            drop_unique_key(self.database)
        self.add_item()
        self.add_readers(people - people // 2, "p", "en")
        self.add_readers(people // 2, "q", "fr")
        if is_planned:
            self.plan()

    def add_item(self, *, ago: timedelta = timedelta(hours=1)) -> None:
        """Something to read, released so long ago."""
        with self.hands() as newsroom:
            newsroom.add_item(released_at=self.now - ago)

    def add_readers(self, count: int, prefix: str, language: str, **options: Any) -> None:
        """Readers ``p000`` and on of the weekly digest."""
        self.add_reader_names([f"{prefix}{number:03}" for number in range(count)], language, **options)

    def add_reader_names(self, names: list[str], language: str, **options: Any) -> None:
        """Readers by the local parts of their addresses."""
        with self.hands() as newsroom:
            found = newsroom.add_people(names, language=language, **options)
        for name, number in zip(names, found, strict=True):
            self.people[f"{name}@example.org"] = Person(str(number), language)
            self.ids[f"{name}@example.org"] = number

    @contextlib.contextmanager
    def hands(self) -> Iterator[Newsroom]:
        """The newsroom in this process, which holds no connection to the database afterwards."""
        self.newsroom.clock.now = self.now
        try:
            yield self.newsroom
        finally:
            self.newsroom.app.database.close()

    def move_readers(self, pattern: str, domain: str) -> None:
        """Give readers whose addresses are like this an address at another domain, before they are planned."""
        with sqlite3.connect(self.database) as connection:
            for address in fnmatch.filter(self.people, pattern):
                moved = address.partition("@")[0] + "@" + domain
                connection.execute(
                    "UPDATE subscribers SET email = ?, address_key = ? WHERE email = ?", (moved, moved, address)
                )
                self.people[moved], self.ids[moved] = self.people.pop(address), self.ids.pop(address)
        connection.close()

    def open_edition(self) -> str:
        """Open and approve an edition of the weekly digest now."""
        name = json.loads(self.must("digest", "open", "weekly", "--json").out)["edition"]
        self.must("digest", "approve", name, "--as", "ada")
        self.edition = name
        return str(name)

    def plan(self) -> str:
        """Open, approve and plan an edition of the weekly digest now; its readers are owed it from here on."""
        name = self.open_edition()
        self.must("digest", "plan", name)
        self.owe(name)
        return name

    def owe(self, edition: str) -> None:
        """Everybody who has rights now is eligible for this edition."""
        now = self.now.timestamp()
        for address, person in self.people.items():
            if person.rights_ended_at is None or person.rights_ended_at > now:
                self.owed.add((address, self.message_id(edition, self.ids[address])))

    def section(self, name: str, *lines: str) -> None:
        """Write a section of the configuration, in place of the one that is there."""
        file = self.newsroom.config_file
        others = re.sub(rf"(?m)^\[{name}\]\n(?:(?!\[).*\n)*", "", file.read_text())
        file.write_text("\n".join([others, f"[{name}]", *lines, ""]))

    # The judge

    def serve(self, *rules: Rule, delay_s: float = 0, **options: Any) -> Court:
        """A judge that errs by these rules takes the place of the one before, on the same port."""
        self.hush()
        self._judge_options |= options
        files = {"clock": str(self._clock_file), "mail_log": str(self.folder / "mail.log")}
        log = str(self.folder / "judge.log")
        chosen = Options(log=log, port=self.port, rules=rules, delay_s=delay_s, **files, **self._judge_options)
        self._court = start_judge(chosen)
        return self._court

    def hush(self) -> None:
        """The judge is gone; its port refuses."""
        if self._court is not None:
            stop_judge(self._court)
            self._court = None

    @property
    def accepted(self) -> list[Accepted]:
        log = self.folder / "judge.log"
        return read_accepted(log) if log.exists() else []

    def count_accepted(self) -> int:
        """How many messages judges took so far; reads only what is new."""
        if (log := self.folder / "judge.log").exists():
            with log.open("rb") as file:
                file.seek(self._read_bytes)
                new = file.read()
            self._read_bytes += len(new)
            self._read_lines += new.count(b"\n")
        return self._read_lines

    def events(self, *steps: str) -> list[dict[str, Any]]:
        """What was said to judges, all or of these steps."""
        path = self.folder / "judge.events"
        *lines, _ = path.read_text().split("\n") if path.exists() else [""]
        found = [json.loads(line) for line in lines]
        return [one for one in found if not steps or one["step"] in steps]

    # The program

    def run(self, *arguments: str, timeout_s: float = 120, **options: Any) -> Ended:
        """A command from its start to its end."""
        return self.start(*arguments, **options).wait(timeout_s)

    def start(self, *arguments: str, **options: Any) -> Running:
        return self.program.start(*arguments, **self.environment | options)

    def must(self, *arguments: str, **options: Any) -> Ended:
        """A command that does its work."""
        ended = self.run(*arguments, **options)
        self.expect(ended.code == 0, f"publisher {' '.join(arguments)} ended with {ended.code}: {ended.last_words}")
        return ended

    def send(self, **options: Any) -> Ended:
        """One run of the sender."""
        return self.run("digest", "send", self.edition, "--json", **options)

    def start_send(self, **options: Any) -> Running:
        return self.start("digest", "send", self.edition, "--json", **options)

    def die(self, *arguments: str, failpoint: str) -> None:
        """Run a command that must come to its failpoint."""
        ended = self.run(*(arguments or ("digest", "send", self.edition)), failpoint=failpoint)
        self.expect(ended.code == 137, f"{failpoint} was not come to: ended with {ended.code} {ended.last_words}")

    def resolve(self) -> None:
        """Settle by the relay's log what it can settle."""
        self.must("digest", "resolve", self.edition)

    def finish(self, *, rounds: int = 16) -> None:
        """Send, settle what is uncertain by the relay's log, wait for what is deferred, until nothing is left."""
        for _ in range(rounds):
            self.send()
            if self.states.get("uncertain"):
                self.run("digest", "resolve", self.edition)
            if not self.count(*PENDING, "uncertain"):
                return
            self.wait_for_retry()

    def wait_for_retry(self) -> None:
        """Move the clock to when the next delivery is due, and past the pause after a relay failed."""
        (due,) = self.query("SELECT min(next_attempt_at) FROM deliveries WHERE state = 'deferred'")[0]
        moment = datetime.fromtimestamp(due / 1e6, UTC) if due else self.now
        self.set_clock(max(moment, self.now + timedelta(minutes=10)) + timedelta(seconds=1))

    def resume(self) -> None:
        self.must("digest", "resume", self.edition)

    def until(self, condition: Callable[[], object], *, timeout_s: float = 60) -> None:
        """Wait until it is so."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.expect(time.monotonic() < deadline, "waited in vain")
            time.sleep(0.002)

    def pause(self, seconds: float) -> None:
        """Let time pass: the fault itself lasts so long."""
        time.sleep(seconds)

    # The clock

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self._offset_s, UTC)

    @property
    def _clock_file(self) -> Path:
        return self.folder / "clock"

    def set_clock(self, moment: datetime) -> None:
        self._offset_s = moment.timestamp() - time.time()
        move_clock(self._clock_file, self._offset_s)

    def later(self, **duration: float) -> None:
        """Move the clock, of program and judge, on (or back)."""
        self.set_clock(self.now + timedelta(**duration))

    # The ledger

    @property
    def database(self) -> Path:
        return self.newsroom.folder / "publisher.db"

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=60)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def execute(self, sql: str, *values: object) -> None:
        """Change the database behind the program's back."""
        with sqlite3.connect(self.database, timeout=60) as connection:
            connection.execute(sql, values)
        connection.close()

    def is_locked(self) -> bool:
        """Whether somebody is writing to the database."""
        connection = sqlite3.connect(self.database, timeout=0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        finally:
            connection.close()
        return False

    @property
    def states(self) -> dict[str, int]:
        """Deliveries of the edition by state."""
        query = "SELECT state, count(*) FROM deliveries WHERE edition_id = ? GROUP BY state"
        return dict(self.query(query, self.edition))

    def count(self, *states: str) -> int:
        found = self.states
        return sum(found.get(state, 0) for state in states)

    @property
    def suppressed(self) -> int:
        """How many addresses are suppressed."""
        return int(self.query("SELECT count(*) FROM suppressions")[0][0])

    def replies(self, state: str) -> list[str]:
        query = "SELECT reply FROM deliveries WHERE edition_id = ? AND state = ?"
        return [str(reply) for (reply,) in self.query(query, self.edition, state)]

    @property
    def outcome(self) -> str:
        """What the edition says of itself."""
        return str(self.query("SELECT coalesce(outcome, '') FROM editions WHERE id = ?", self.edition)[0][0])

    @property
    def is_paused(self) -> bool:
        return bool(self.query("SELECT paused_at IS NOT NULL FROM editions WHERE id = ?", self.edition)[0][0])

    def message_id(self, edition: str, person: int) -> str:
        """Of the delivery of that edition to the subscriber of that number."""
        local = make_message_local(self.newsroom.app.secret, edition_id=edition, subscriber_id=person)
        return f"<{local}@harbour.example>"

    # Rights

    def end_rights(self, address: str, *, grace_s: float = 0.0) -> None:
        """From now on nothing may begin for this address."""
        person = self.people[address]
        self.people[address] = Person(person.token, person.language, self.now.timestamp() + grace_s)

    def close_edition(self) -> None:
        """From now on nothing of any edition may begin."""
        self.closed_at = self.now.timestamp() + GRACE_S

    # The verdict

    def expect(self, condition: object, words: str) -> None:
        if not condition:
            raise RedError(words)

    def expect_states(self, **states: int) -> None:
        found = self.states
        self.expect(found == states, f"states are {found}, expected {states}")

    def expect_in_doubt(self, *, least: int = 0, most: int | None = None) -> None:
        """What a kill left open: intents and uncertain rows, at most connections × 2 of them."""
        found = self.count("sending", "uncertain")
        limit = self.connections * 2 if most is None else most
        self.expect(least <= found <= limit, f"{found} in doubt, expected {least} to {limit}")

    def expect_all_sent(self) -> None:
        self.expect_states(sent=len(self.query("SELECT id FROM deliveries WHERE edition_id = ?", self.edition)))
        self.expect(self.states, "nothing was planned")

    def close(self) -> None:
        self.hush()

    def _set_zone(self, zone: str) -> None:
        file = self.newsroom.config_file
        file.write_text(file.read_text().replace("Europe/Vienna", zone))
