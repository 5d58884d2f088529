"""Starting the judge, and comparing what it accepted with the ledger."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from judge import Options
from judge_rules import Rule, named

from publisher.app import App
from publisher.usecases.reports import list_deliveries

SCRIPT = Path(__file__).with_name("judge.py")


@dataclass(frozen=True)
class Accepted:
    """One message that the judge took."""

    recipient: str
    message_id: str
    sha256: str
    at: float
    mail_at: float = 0
    sender: str = ""
    token: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Court:
    """A running judge: where it listens, what it accepted."""

    port: int
    log: Path
    process: subprocess.Popen[str]

    @property
    def accepted(self) -> list[Accepted]:
        return read_accepted(self.log)

    def count_steps(self, step: str) -> int:
        """How often a step of the dialogue has begun."""
        events = self.log.with_suffix(".events")
        lines = events.read_text().splitlines() if events.exists() else []
        return sum(f'"step": "{step}"' in line for line in lines)

    @property
    def recipients(self) -> list[str]:
        return sorted(one.recipient for one in self.accepted)


def read_accepted(log: Path) -> list[Accepted]:
    """All that judges accepted by this log; a line that is being written does not count yet."""
    *lines, _ = log.read_text().split("\n")
    return [Accepted(**json.loads(line)) for line in lines]


@contextmanager
def open_court(
    folder: Path, *faults: str | Rule, delay_s: float = 0, port: int = 0, offers: Sequence[str] = (), password: str = ""
) -> Iterator[Court]:
    """A judge in its own process; its log goes on where an earlier judge of this folder ended."""
    folder.mkdir(exist_ok=True)
    log = folder / "judge.log"
    options = Options(log=str(log), port=port, delay_s=delay_s, password=password or None)
    options = replace(options, offers=(*options.offers, *offers))
    if "no-pipelining" in faults:
        options = replace(options, offers=tuple(set(options.offers) - {"PIPELINING"}))
    rules = tuple(fault if isinstance(fault, Rule) else named(fault) for fault in faults if fault != "no-pipelining")
    court = start_judge(replace(options, rules=rules))
    try:
        yield court
    finally:
        stop_judge(court)


def start_judge(options: Options) -> Court:
    """A judge in its own process, listening."""
    log = Path(options.log)
    log.touch()
    command = [sys.executable, str(SCRIPT), json.dumps(asdict(options))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return Court(int(process.stdout.readline()), log, process)


def stop_judge(court: Court) -> None:
    """End it at once; what it accepted stays written."""
    court.process.kill()
    court.process.wait()
    if court.process.stdout:
        court.process.stdout.close()


@dataclass(frozen=True)
class Judgement:
    """Lost, duplicated and uncertain deliveries, by the judge's log against the ledger."""

    lost: list[str]
    duplicated: list[str]
    uncertain: int


def judge(app: App, edition_id: str, court: Court) -> Judgement:
    """``lost``: sent in the ledger but never seen by the judge; ``duplicated``: accepted more than once."""
    rows = list(list_deliveries(app, edition_id))
    seen = Counter(one.message_id for one in court.accepted)
    return Judgement(
        lost=[row["email"] for row in rows if row["state"] == "sent" and not seen[row["message_id"]]],
        duplicated=[name for name, count in seen.items() if count > 1],
        uncertain=sum(row["state"] == "uncertain" for row in rows),
    )
