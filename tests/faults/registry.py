"""The rows of the fault matrix, each with what happens in it and the trial that shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.trial import Trial

Play = Callable[["Trial"], None]


class RedError(AssertionError):
    """The trial saw something else than the row expects."""


@dataclass(frozen=True)
class Row:
    """One named fault."""

    id: str
    title: str
    play: Play
    needs_time: bool
    """Whether ``--long`` runs it once at full length or size."""

    @property
    def order(self) -> tuple[str, int]:
        return self.id[0], int(self.id[1:])


ROWS: dict[str, Row] = {}

FILES = ("death", "refusals", "silence", "storage", "network", "clock", "rights")


def row(identity: str, title: str, *, needs_time: bool = False) -> Callable[[Play], Play]:
    """Enter a trial into the matrix."""

    def enter(play: Play) -> Play:
        if identity in ROWS:
            raise ValueError(f"{identity} is there twice")
        ROWS[identity] = Row(identity, title, play, needs_time)
        return play

    return enter


def all_rows() -> list[Row]:
    """Every row, in the order of the matrix."""
    for name in FILES:
        import_module(f"tests.faults.rows_{name}")  # they enter themselves
    return sorted(ROWS.values(), key=lambda one: one.order)
