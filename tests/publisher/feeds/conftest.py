"""The feeds of a small newsroom, behind a real web server."""

import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from feed_newsroom import NOON, Newsroom
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from publisher.app import open_app
from publisher.web.feeds import routes

CONFIG = """
[site]
name = "Harbour News"
base_url = "https://harbour.example"
postal_address = "1 Quay Street, Portside"

[mail]
from = "Harbour News <news@harbour.example>"
bounce_domain = "bounces.harbour.example"
"""


@dataclass
class Site:
    """What stands behind the one server of all tests."""

    url: str
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    listener = socket.create_server(("127.0.0.1", 0))  # listens at once: requests wait until the server takes them
    site = Site(f"http://127.0.0.1:{listener.getsockname()[1]}", Starlette())
    server = uvicorn.Server(uvicorn.Config(site, log_level="warning", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield site
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture(scope="session")
def empty_newsroom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with configuration, secret and database; migrating once is enough for all tests."""
    folder = tmp_path_factory.mktemp("newsroom")
    (folder / "publisher.toml").write_text(CONFIG)
    open_app(folder / "publisher.toml").database.close()
    return folder


@pytest.fixture
def newsroom(empty_newsroom: Path, tmp_path: Path) -> Iterator[Newsroom]:
    folder = shutil.copytree(empty_newsroom, tmp_path / "newsroom")
    app = open_app(folder / "publisher.toml", clock=lambda: NOON)
    yield Newsroom(app, folder / "publisher.toml")
    app.database.close()


@pytest.fixture(scope="session")
def visitor(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, headers={"Accept-Encoding": "identity"}, trust_env=False) as client:
        yield client


@pytest.fixture
def client(newsroom: Newsroom, site: Site, visitor: httpx.Client) -> httpx.Client:
    """A client of this newsroom's feeds, served by a real server."""
    site.app = Starlette(routes=routes(newsroom.app))
    return visitor
