"""The feeds of a small newsroom, behind a real web server."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from feed_newsroom import NOON, Newsroom
from feed_site import Site

from publisher.app import open_app
from publisher.usecases.feed_shelf import FeedShelf
from publisher.web.server import bind, make_web_app, serve

CONFIG = """
[site]
name = "Harbour News"
base_url = "https://harbour.example"
postal_address = "1 Quay Street, Portside"

[mail]
from = "Harbour News <news@harbour.example>"
bounce_domain = "bounces.harbour.example"
"""


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    sock = bind("127.0.0.1", 0)
    sock.listen()  # requests wait until the server takes them
    site, stop, loop = Site(), asyncio.Event(), asyncio.new_event_loop()
    site.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(site, sock, stop),))
    thread.start()
    yield site
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()
    sock.close()


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
    """A client of this newsroom's feeds, served by a real server; what is in memory is looked over at every request."""
    site.show(make_web_app(newsroom.app, shelf=FeedShelf(newsroom.app, fresh_for_s=0)))
    return visitor
