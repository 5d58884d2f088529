"""Messages that pace holds back for moments: kept in hand, so that a run need not end to wait for them."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

Waiting = TypeVar("Waiting")

KEPT_MAX = 400
"""As many are kept in hand; a provider that is slow must not hold up all others."""

KEPT_S = 60.0
"""What has to wait longer goes back to the ledger, with its date."""


class Later(Generic[Waiting]):
    """A queue by the moment at which to ask again, on the event loop's clock."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Waiting]] = []
        self._numbers = count()  # of equal moments the first in is the first out
        self._surplus: list[tuple[Waiting, float]] = []

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def wait_s(self) -> float | None:
        """Seconds until something is due; None where nothing waits."""
        return max(0.0, self._heap[0][0] - asyncio.get_running_loop().time()) if self._heap else None

    def add(self, one: Waiting, wait_s: float) -> None:
        """Keep it for so many seconds, or put it aside for ``take_surplus``."""
        if wait_s > KEPT_S or len(self._heap) >= KEPT_MAX:
            self._surplus.append((one, max(wait_s, KEPT_S)))
        else:
            heapq.heappush(self._heap, (asyncio.get_running_loop().time() + wait_s, next(self._numbers), one))

    def take_due(self) -> list[Waiting]:
        """What may be asked for again, the first one first."""
        now, due = asyncio.get_running_loop().time(), []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        return due

    def take_surplus(self) -> list[tuple[Waiting, float]]:
        """What cannot be kept, with the seconds it has to wait at least."""
        surplus, self._surplus = self._surplus, []
        return surplus

    def drop(self, is_unwanted: Callable[[Waiting], bool]) -> None:
        """Forget some."""
        self._heap = [entry for entry in self._heap if not is_unwanted(entry[2])]
        heapq.heapify(self._heap)

    def clear(self) -> None:
        """Forget everything."""
        self._heap.clear()
        self._surplus.clear()
