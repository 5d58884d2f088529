"""What a collection came to, for people and for ``--json``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What collecting one source came to."""

    id: str
    status: str
    """``ok``, ``partial`` (something was left out), ``not-modified`` or ``failed``."""
    entries: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    error: str | None = None
    """What went wrong, or is odd though the source was collected."""

    @property
    def has_failed(self) -> bool:
        return self.status in {"failed", "partial"}


@dataclass(frozen=True, slots=True)
class CollectReport:
    """What a collection came to, source by source in their order."""

    sources: tuple[SourceReport, ...]

    @property
    def new(self) -> int:
        return sum(source.new for source in self.sources)

    @property
    def changed(self) -> int:
        return sum(source.changed for source in self.sources)

    @property
    def unchanged(self) -> int:
        return sum(source.unchanged for source in self.sources)

    @property
    def has_failed(self) -> bool:
        """Whether any source failed, in whole or in part."""
        return any(source.has_failed for source in self.sources)

    def to_json(self) -> dict[str, Any]:
        """The ``--json`` document of ``publisher collect``."""
        keys = ("id", "status", "entries", "new", "error")
        return {
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "sources": [{key: getattr(source, key) for key in keys} for source in self.sources],
        }


def join_remarks(remarks: Sequence[str]) -> str | None:
    """The first few in one line, and how many more there are; None where there are none."""
    if not remarks:
        return None
    more = len(remarks) - _SHOWN
    return "; ".join([*remarks[:_SHOWN], *([f"and {more} more"] if more > 0 else [])])
