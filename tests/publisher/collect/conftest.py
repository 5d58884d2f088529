"""A small newsroom that collects from a web server on loopback."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from local_web import Web, serve

from publisher.app import App, open_app

CONFIG = """
[site]
name = "Harbour News"
base_url = "https://harbour.example"
timezone = "Europe/Vienna"
postal_address = "1 Quay Street, Portside"

[mail]
from = "Harbour News <news@harbour.example>"
reply_to = "desk@harbour.example"
bounce_domain = "bounces.harbour.example"
"""


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: datetime = datetime(2026, 3, 7, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def web() -> Iterator[Web]:
    with serve() as web:
        yield web


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty_newsroom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with configuration and database; migrating once is enough for all tests."""
    folder = tmp_path_factory.mktemp("collecting")
    (folder / "publisher.toml").write_text(CONFIG)
    open_app(folder / "publisher.toml").database.close()
    return folder


@pytest.fixture
def app(empty_newsroom: Path, tmp_path: Path, clock: Clock) -> Iterator[App]:
    folder = tmp_path / "newsroom"
    shutil.copytree(empty_newsroom, folder)
    opened = open_app(folder / "publisher.toml", clock)
    yield replace(opened)
    opened.database.close()
