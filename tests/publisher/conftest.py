"""A newsroom of their own for tests that need nothing special in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from newsroom_app import Newsroom, open_newsroom


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        yield newsroom
