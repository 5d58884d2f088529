"""Starting the judge, and comparing what it accepted with the ledger."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Court:
    """A running judge: where it listens, what it accepted."""

    port: int
    log: Path

    @property
    def accepted(self) -> list[Accepted]:
        return [Accepted(**json.loads(line)) for line in self.log.read_text().splitlines()]

    @property
    def recipients(self) -> list[str]:
        return sorted(one.recipient for one in self.accepted)


@contextmanager
def open_court(folder: Path, *faults: str, delay_s: float = 0, port: int = 0) -> Iterator[Court]:
    """A judge in its own process; its log goes on where an earlier judge of this folder ended."""
    log = folder / "judge.log"
    log.touch()
    options = [f"--fault={fault}" for fault in faults] + [f"--delay={delay_s}", f"--port={port}"]
    with subprocess.Popen([sys.executable, SCRIPT, log, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Court(int(process.stdout.readline()), log)
        finally:
            process.kill()


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
