"""How well and how fast items are classified: ``python -m benchmarks.classify [ITEMS LABELS]…``.

Without arguments it scores the labelled items beside the checkout (``../shared/gold``), where they are.
"""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feeds.classify import classify
from publisher.classify import answer, classify_lines, read_item
from publisher.taxonomy import load_taxonomy

GOLD = Path(__file__).parents[2] / "shared" / "gold"
PAIRS = (("items.jsonl", "labels.jsonl"), ("more_items.jsonl", "more_labels.jsonl"))
SETS = ("themes", "countries", "regions", "projects")
VALUES = ("primary_theme", "kind", "deadline", "event_dates")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scores:
    """Micro-F1 of the sets, accuracy of the single values, and every difference."""

    figures: dict[str, float]
    differences: list[str] = field(default_factory=list)


def score(items: Path, labels: Path) -> Scores:
    """The answers of ``publisher classify``, which learns projects from all items first, against labels."""
    return _compared(map(json.loads, classify_lines(_lines(items))), labels)


def score_alone(items: Path, labels: Path) -> Scores:
    """The answers to each item for itself, as collections classify, against labels."""
    taxonomy = load_taxonomy()
    texts = (read_item(line, number) for number, line in enumerate(_lines(items), start=1))
    answers = (json.dumps(answer(item_id, classify(text, taxonomy))) for item_id, text in texts)
    return _compared(map(json.loads, answers), labels)


def _compared(answers: Iterable[Row], labels: Path) -> Scores:
    found = {row["id"]: row for row in answers}
    wanted = [json.loads(line) for line in _lines(labels)]
    pairs = [(row, found[row["id"]]) for row in wanted]
    figures = {name: f1(pairs, name) for name in SETS}
    figures |= {name: sum(want[name] == got[name] for want, got in pairs) / len(pairs) for name in VALUES}
    return Scores(figures, list(differences(pairs)))


def f1(pairs: Sequence[tuple[Row, Row]], name: str) -> float:
    """Micro-F1 of a set of labels; projects are compared with case, spaces and phase numbers folded."""
    right = spurious = missed = 0
    for want, got in pairs:
        wanted, found = _set(want, name), _set(got, name)
        right += len(wanted & found)
        spurious += len(found - wanted)
        missed += len(wanted - found)
    return 2 * right / max(1, 2 * right + spurious + missed)


def differences(pairs: Iterable[tuple[Row, Row]]) -> Iterable[str]:
    for want, got in pairs:
        for name in (*SETS, *VALUES):
            left, right = (_set(want, name), _set(got, name)) if name in SETS else (want[name], got[name])
            if left != right:
                yield f"{want['id']} {name}: wanted {want[name]}, found {got[name]}"


def items_per_second(items: Path, *, rounds: int = 20) -> float:
    """Throughput of classification with a warm taxonomy."""
    lines = _lines(items)
    list(classify_lines(lines))
    begin = time.perf_counter()
    for _ in range(rounds):
        list(classify_lines(lines))
    return rounds * len(lines) / (time.perf_counter() - begin)


def _set(row: Row, name: str) -> set[str]:
    values = row[name]
    return {_folded(value) for value in values} if name == "projects" else set(values)


def _folded(project: str) -> str:
    words = project.casefold().split()
    return "".join(words[:-1] if len(words) > 1 and words[-1].isdigit() else words)


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def main(arguments: Sequence[str]) -> None:
    """Prints the figures, and with ``--differences`` what is answered otherwise than labelled."""
    paths = [Path(argument) for argument in arguments if not argument.startswith("-")]
    pairs = list(zip(paths[::2], paths[1::2], strict=True)) or [(GOLD / left, GOLD / right) for left, right in PAIRS]
    for items, labels in pairs:
        if not items.exists():
            print(f"{items.name}: not here, left out")
            continue
        scores = score(items, labels)
        for how, figures in (("together", scores.figures), ("alone", score_alone(items, labels).figures)):
            print(f"{items.name}, {how}: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
        print(f"{items.name}: {items_per_second(items):,.0f} items/s")
        if "--differences" in arguments:
            print("\n".join(scores.differences))


if __name__ == "__main__":
    main(sys.argv[1:])
