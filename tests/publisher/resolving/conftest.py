"""The fixture of all tests of deliveries in doubt."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from doubts import Doubts, open_doubts
from trial import Begin, begin_trial


@pytest.fixture
def doubts(tmp_path: Path) -> Iterator[Doubts]:
    with open_doubts(tmp_path) as doubts:
        yield doubts


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """``begin(people, …)`` enters a trial that ends with the test."""
    with ExitStack() as stack:
        yield lambda people, *faults, **options: stack.enter_context(begin_trial(tmp_path, people, *faults, **options))
