"""The matrix is whole, and some of its rows run with all tests; the others by ``make faults``."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.program import NoCompilerError, build_shim
from tests.faults.registry import all_rows
from tests.faults.table import BEGIN, END, Line, format_lines, write_table

ROOT = Path(__file__).parents[2]

NAMED = (
    [f"A{number}" for number in (*range(1, 13), 16, 17, 19)]
    + [f"B{number}" for number in range(1, 34)]
    + [f"C{number}" for number in (*range(1, 7), 8, 9, 10)]
    + ["D2", "D3"]
    + [f"E{number}" for number in range(1, 7)]
    + ["G1", "G2"]
    + [f"J{number}" for number in range(1, 6)]
)


def test_every_fault_of_dispatch_has_its_row() -> None:
    assert [one.id for one in all_rows()] == NAMED


def line(**changes: object) -> Line:
    usual = {"id": "A1", "title": "Killed", "counts": (0, 0, 0, 2), "green": 1, "trials": 1, "seconds": 1.0}
    return Line(**{**usual, "problem": "", "note": "", **changes})  # type: ignore[arg-type]


def test_a_red_row_says_why_and_one_without_trials_is_not_green() -> None:
    red = line(green=0, problem="seed 1: D 1")

    assert "RED seed 1: D 1" in format_lines([red])
    assert not red.is_green
    assert not line(green=0, trials=0).is_green


def test_the_table_takes_its_place_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "faults.md"
    page.write_text(f"before\n{BEGIN}\nan earlier table\n{END}\nafter\n")

    write_table(page, [line()], {"fence": True})

    text = page.read_text()
    assert "| A1 | Killed | 0 | 0 | 0 | 2 | green |" in text
    assert "a row turns red" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "an earlier table" not in text


@pytest.mark.slow
def test_some_rows_of_each_kind_are_green(tmp_path: Path) -> None:
    try:
        build_shim(tmp_path)
    except NoCompilerError as error:
        pytest.skip(str(error))
    command = [sys.executable, "-m", "tests.faults", "--rows=A4,B15,C1,E6,J5", "--workers=1", "--no-controls"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
