"""A newsroom that tells a hub."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub import Hub, open_hub
from newsroom_app import Newsroom, open_newsroom, with_hubs


@pytest.fixture
def hub() -> Iterator[Hub]:
    with open_hub() as hub:
        yield hub


@pytest.fixture
def newsroom(tmp_path: Path, hub: Hub) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        newsroom.app = with_hubs(newsroom.app, hub.url)
        yield newsroom
