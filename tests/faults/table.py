"""The table of the fault matrix: for the eye, and for the documentation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.guards import GUARDS

BEGIN, END = "<!-- table: written by python -m tests.faults --write -->", "<!-- end of table -->"


@dataclass(frozen=True)
class Line:
    """A row with what all its trials showed: the worst of each count."""

    id: str
    title: str
    counts: tuple[int, ...] | None
    green: int
    trials: int
    seconds: float
    problem: str
    note: str

    @property
    def is_green(self) -> bool:
        return self.green == self.trials > 0

    @property
    def figures(self) -> list[str]:
        return [str(count) for count in self.counts] if self.counts else ["?"] * 4


def format_lines(lines: Sequence[Line]) -> str:
    """Fixed columns for a terminal."""
    text = [f"{'row':<5}{'L':>4}{'D':>4}{'X':>4}{'U':>4}  {'green':>7}{'s':>7}  what happens"]
    for one in lines:
        figures = "".join(f"{figure:>4}" for figure in one.figures)
        share = f"{one.green}/{one.trials}"
        text.append(f"{one.id:<5}{figures}  {share:>7}{one.seconds:>7.1f}  {one.title}")
        text += [f"{'':<9}{words}" for words in (one.note, one.problem and f"RED {one.problem}") if words]
    return "\n".join(text) + "\n"


def format_controls(controls: Mapping[str, bool]) -> str:
    """Which guards are seen to be missing."""
    words = {True: "turns red", False: "STAYS GREEN or was red before"}
    return "".join(f"without {name} ({GUARDS[name]}): {words[seen]}\n" for name, seen in controls.items())


def write_table(path: Path, lines: Sequence[Line], controls: Mapping[str, bool]) -> None:
    """Replace what stands between the marks of the file."""
    head, _, rest = path.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    rows = ["| row | what happens | L | D | X | U | |", "|---|---|---|---|---|---|---|"]
    for one in lines:
        words = f"{one.title} ({one.note})" if one.note else one.title
        rows.append(f"| {one.id} | {words} | {' | '.join(one.figures)} | {'green' if one.is_green else 'red'} |")
    rows += ["", "| guard taken out | and then |", "|---|---|"]
    rows += [f"| {GUARDS[name]} | {'a row turns red' if seen else 'not shown'} |" for name, seen in controls.items()]
    path.write_text(f"{head}{BEGIN}\n\n" + "\n".join(rows) + f"\n\n{END}{tail}")
