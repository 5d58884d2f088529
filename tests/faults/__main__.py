"""The fault matrix, run: ``python -m tests.faults [--rows A1,B*] [--seeds 30] [--long] [--write docs/faults.md]``.

Prints a line for each row with L, D, X, U, and fails where one is red or a guard can be taken out unseen.
"""

import argparse
import os
import sys
import tempfile
import time
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from tests.faults.program import NoCompilerError, build_shim  # noqa: E402
from tests.faults.registry import Row, all_rows  # noqa: E402
from tests.faults.runner import Task, run_tasks  # noqa: E402
from tests.faults.table import Line, format_controls, format_lines, write_table  # noqa: E402
from tests.faults.verdict import Setting, Verdict  # noqa: E402

CONTROLS = {"unique-key": "A2", "fence": "D3", "consent": "G1", "synchronous": "C5"}
"""For each guard a row that must turn red without it."""

LONGEST_FIRST = ("A19", "C3", "E4", "E3")


def main() -> int:
    options = _read_options()
    rows = [one for one in all_rows() if any(fnmatchcase(one.id, wanted) for wanted in options.rows.split(","))]
    began_at = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="shim-") as folder:
        try:
            _preload(build_shim(Path(folder)))
        except NoCompilerError as error:
            sys.stdout.write(f"The fault matrix is skipped: {error}.\n")
            return 2
        verdicts = run_tasks(_list_tasks(rows, options), workers=options.workers, tell=_tell)
    lines = [_line(one, verdicts) for one in rows]
    controls = {name: _shows(name, verdicts) for name in CONTROLS if Task(CONTROLS[name], _control(name)) in verdicts}
    sys.stdout.write(format_lines(lines) + format_controls(controls))
    sys.stdout.write(f"\n{sum(one.is_green for one in lines)} of {len(lines)} rows are green, ")
    sys.stdout.write(f"{time.monotonic() - began_at:.0f} s.\n")
    if options.write:
        write_table(options.write, lines, controls)
    return int(not all(one.is_green for one in lines) or not all(controls.values()))


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Run the fault matrix.")
    parser.add_argument("--rows", default="*", help="names or patterns, with commas: A1,B*,C5")
    parser.add_argument("--seeds", type=int, default=1, help="how often each row is run, each time another way")
    parser.add_argument("--long", action="store_true", help="time-outs at full length and the great run, once each")
    parser.add_argument("--fresh", action="store_true", help="a new interpreter for each command")
    parser.add_argument("--no-controls", action="store_true", help="leave the negative controls out")
    parser.add_argument("--workers", type=int, default=2, help="rows at a time")
    parser.add_argument("--write", type=Path, help="a Markdown file whose table is replaced")
    return parser.parse_args()


def _preload(shim: Path) -> None:
    """Processes started from now on have the shim; it sleeps until told."""
    os.environ["LD_PRELOAD"] = str(shim)
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])


def _list_tasks(rows: list[Row], options: argparse.Namespace) -> list[Task]:
    seeds = range(1, options.seeds + 1)
    tasks = [Task(one.id, Setting(seed, is_fresh=options.fresh)) for one in rows for seed in seeds]
    if options.long:
        tasks += [Task(one.id, Setting(scale=1.0, is_long=True)) for one in rows if one.needs_time]
    if not options.no_controls:
        tasks += [Task(identity, _control(name)) for name, identity in CONTROLS.items() if _has(rows, identity)]
    longest = {name: place for place, name in enumerate(LONGEST_FIRST)}
    return sorted(tasks, key=lambda one: (not one.setting.is_long, longest.get(one.row, len(longest))))


def _control(guard: str) -> Setting:
    return Setting(without=(guard,))


def _has(rows: list[Row], identity: str) -> bool:
    return any(one.id == identity for one in rows)


def _tell(task: Task, verdict: Verdict) -> None:
    """Progress, on a terminal only; and what is red, with its seed, everywhere."""
    if sys.stderr.isatty() or not (verdict.is_green or task.setting.without):
        word = "green" if verdict.is_green else f"RED (seed {task.setting.seed}) {verdict.problem}"
        without = f" without {task.setting.without[0]}" if task.setting.without else ""
        sys.stderr.write(f"{task.row}{without}: {word}\n")


def _line(row: Row, verdicts: dict[Task, Verdict]) -> Line:
    found = [one for task, one in verdicts.items() if task.row == row.id and not task.setting.without]
    counts = [one.counts for one in found if one.counts]
    worst = tuple(max(values) for values in zip(*counts, strict=True)) if counts else None
    red = next((one for one in found if not one.is_green), None)
    notes = [note for one in found for note in one.notes]
    problem = f"seed {red.seed}: {red.problem}" if red else ""
    return Line(
        row.id,
        row.title,
        worst,
        green=sum(one.is_green for one in found),
        trials=len(found),
        seconds=sum(one.seconds for one in found),
        problem=problem,
        note=notes[-1] if notes else "",
    )


def _shows(guard: str, verdicts: dict[Task, Verdict]) -> bool:
    """Whether a row that is green turns red without the guard."""
    row = CONTROLS[guard]
    whole = [one for task, one in verdicts.items() if task.row == row and not task.setting.without]
    return all(one.is_green for one in whole) and not verdicts[Task(row, _control(guard))].is_green


if __name__ == "__main__":
    sys.exit(main())
