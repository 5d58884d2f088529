"""An edition of 1,000,000 in one run, next to small ones: ``python -m benchmarks.million [READERS]``.

The subscribers are made first, each sender is a process of its own: what is measured is planning, rendering, sending
and accounting alone. Editions of 10,000 go before and after the large one, as the machine may have changed meanwhile.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.edition import Content, open_approved, run_sender
from benchmarks.memory import Memory
from benchmarks.newsroom import make_app
from benchmarks.sink import sink
from publisher.app import App
from publisher.usecases.planning import plan
from publisher.usecases.rendering import render_variants
from publisher.usecases.reports import count_figures, list_deliveries

MANY = 1_010_000
"""A few of whom have nothing to read."""
FEW = 10_000
FEW_RUNS = 3
"""Before the large edition, and as many after it."""

CONTENT = Content(10, 20, 130)
CONNECTIONS = 20

Result = TypeVar("Result")


def main() -> None:
    """Make the subscribers, then send; or, called by itself, do one of the two."""
    match sys.argv[1:]:
        case ["make", folder, readers]:
            _make(Path(folder), int(readers))
        case ["send", folder, edition, port]:
            print(json.dumps(_send(Path(folder), edition, int(port))))
        case rest:
            _compare(int(rest[0]) if rest else MANY)


def _compare(readers: int) -> None:
    with tempfile.TemporaryDirectory() as name, sink() as port:
        few, many = Path(name) / "few", Path(name) / "many"
        edition = _call("make", few, FEW)
        _call("make", many, readers)
        costs = [_send_copy(few, edition, port) for _ in range(FEW_RUNS)]
        large = json.loads(_call("send", many, edition, port))
        costs += [_send_copy(few, edition, port) for _ in range(FEW_RUNS)]
    _print(large)
    _print_costs(large, costs)


def _print(found: dict[str, Any]) -> None:
    print(f"{found['planned']:,} deliveries, {found['variants']} variants, {CONNECTIONS} connections")
    for phase in ("plan", "render", "send", "report"):
        print(f"  {phase:<8} {found['seconds'][phase]:8.1f} s, peak {found['peaks_mb'][phase]:.0f} MB")
    print(f"  rate     {found['rate']:8,.0f} messages/s, {found['cpu_us']:.0f} µs of CPU each")
    print(f"  memory   peak {max(found['peaks_mb'].values()):.0f} MB (wanted ≤ 150); while sending, at every tenth:")
    print(f"           {', '.join(f'{size:.0f}' for size in found['samples_mb'])} MB")
    print(f"  disk     database {found['database_mb']:,.0f} MB, write-ahead log {found['log_mb']:,.0f} MB at most")
    print(f"  report   {found['states']}: {'adds up' if found['adds_up'] else 'DOES NOT ADD UP'}")


def _print_costs(large: dict[str, Any], few: list[dict[str, Any]]) -> None:
    for key, name in (("ledger_us", "claim + account"), ("cpu_us", "all CPU")):
        small = statistics.median(one[key] for one in few)
        more = large[key] / small - 1
        print(f"  {name:<16} {large[key]:5.1f} µs a delivery, {small:.1f} at {FEW:,}: {more:+.0%} (wanted ≤ +15 %)")


def _make(folder: Path, readers: int) -> None:
    folder.mkdir()
    app = make_app(folder)
    print(open_approved(app, readers, CONTENT))
    app.database.close()


def _send_copy(folder: Path, edition: str, port: int) -> dict[str, Any]:
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    found: dict[str, Any] = json.loads(_call("send", copy, edition, port))
    shutil.rmtree(copy)
    return found


def _send(folder: Path, edition: str, port: int) -> dict[str, Any]:
    """All phases in this process; its figures."""
    app = make_app(folder, smtp_port=port, connections=CONNECTIONS)
    memory = Memory(log=folder / "publisher.db-wal")
    seconds, peaks_mb = {}, {}

    def measure(phase: str, work: Callable[[], Result]) -> Result:
        memory.forget_peak()
        started = time.perf_counter()
        done = work()
        seconds[phase], peaks_mb[phase] = time.perf_counter() - started, memory.peak_mb
        return done

    planned = measure("plan", lambda: plan(app, edition))
    measure("render", lambda: render_variants(app, edition, stop=lambda: False))
    with memory.sampled():
        result, spent = measure("send", lambda: run_sender(app, edition))
    adds_up = measure("report", lambda: _adds_up(app, edition, planned=planned))
    return {
        "planned": planned,
        "variants": result.variants,
        "states": result.states,
        "adds_up": adds_up and sum(result.states.values()) == planned,
        "seconds": seconds,
        "peaks_mb": peaks_mb,
        "samples_mb": memory.tenths_mb,
        "log_mb": memory.log_mb,
        "database_mb": (folder / "publisher.db").stat().st_size / 1024**2,
        **{name: getattr(spent, name) for name in ("rate", "cpu_us", "ledger_us")},
    }


def _adds_up(app: App, edition: str, *, planned: int) -> bool:
    """Whether the report has each delivery once, whichever way it is counted."""
    figures = count_figures(app, edition)
    by_domain, by_reply = (
        sum(count for states in table.values() for count in states.values())
        for table in (figures.domains, figures.replies)
    )
    listed = sum(1 for _ in list_deliveries(app, edition))
    return by_domain == by_reply == listed == planned


def _call(*words: object) -> str:
    command = [sys.executable, "-m", "benchmarks.million", *map(str, words)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
