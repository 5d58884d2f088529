"""All measurements, one after the other, each in a process of its own: ``make bench``."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

PARTS = ("collect", "classify", "feeds", "refresh", "serve", "render", "signing", "plan", "pace", "dispatch")
LIMIT_S = 600
HELP_ROUNDS = 5


def main() -> int:
    """Print a line for each figure; 1 where a part failed. Figures hang on what else the machine does."""
    _print("start", f"publisher --help: {_measure_help_s():.2f} s, the median of {HELP_ROUNDS} cold starts")
    failed = [part for part in PARTS if not _run(part)]
    if failed:
        _print("failed", ", ".join(failed))
    return 1 if failed else 0


def _run(part: str) -> bool:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{part}"], capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    for line in _lines(done.stdout):
        _print(part, line.removeprefix(f"{part}: "))
    if done.returncode == 0:
        return True
    *_, reason = ["no reason given", *_lines(done.stderr)]
    is_tool_missing = " is not here: " in reason
    _print(part, f"skipped: {reason}" if is_tool_missing else f"failed: {reason}")
    return is_tool_missing


def _measure_help_s() -> float:
    found_s = []
    for _ in range(HELP_ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "publisher", "--help"], stdout=subprocess.DEVNULL, check=True)
        found_s.append(time.perf_counter() - started)
    return statistics.median(found_s)


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.strip())


def _print(part: str, line: str) -> None:
    print(f"{part:<9} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
