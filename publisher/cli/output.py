"""How commands speak: results on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def say(text: str) -> None:
    """A line of the result."""
    typer.echo(_printable(text))


def say_json(value: Any) -> None:  # Any: whatever JSON holds
    """The result as one JSON document."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def complain(text: str) -> None:
    """A line for the person at the keyboard, not part of the result."""
    typer.secho(_printable(text), err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)


def remark(text: str) -> None:
    """A line about the work, not part of the result."""
    typer.echo(_printable(text), err=True)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int | None], Callable[[int], None]]]:
    """A bar with rate and estimate on a terminal, nothing in a pipe.

    The value is told the total (None: unknown) and returns what to call with each step done.
    """
    if not sys.stderr.isatty():
        yield lambda _total: lambda _done: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class RateColumn(ProgressColumn):
        """Steps a second, over the last half minute."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:,.0f}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def start(total: int | None) -> Callable[[int], None]:
            task = bar.add_task(label, total=total)
            return lambda done: bar.advance(task, done)

        yield start


def _printable(text: str) -> str:
    """Without what would steer a terminal: titles and replies come from outside."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
