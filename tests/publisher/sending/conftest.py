"""The fixture of all trials of sending."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from trial import Begin, begin_trial


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """``begin(people, *faults, …)`` enters a trial that ends with the test."""
    with ExitStack() as stack:
        yield lambda people, *faults, **options: stack.enter_context(begin_trial(tmp_path, people, *faults, **options))
