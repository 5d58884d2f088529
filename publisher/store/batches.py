"""Long lists in statements, a batch at a time: databases limit the number of bound values."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Value = TypeVar("Value")

BATCH_SIZE = 5_000


def in_batches(values: Sequence[Value], *, size: int = BATCH_SIZE) -> Iterator[Sequence[Value]]:
    """The values in their order, in lists that a statement can hold."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
