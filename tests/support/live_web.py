"""The web interface on a real socket, as the service runs it."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import httpx
from starlette.types import ASGIApp

from publisher.app import App
from publisher.web.server import bind, make_web_app, serve


@contextmanager
def open_web(app: App, make: Callable[[App], ASGIApp] = make_web_app) -> Iterator[httpx.Client]:
    """A client of a running server; redirects are not followed."""
    with _bound() as sock, _serving(make(app), sock) as client:
        yield client


@contextmanager
def open_site(app: App) -> Iterator[tuple[App, httpx.Client]]:
    """The same of a site that knows its own address, with its application."""
    with _bound() as sock:
        site = with_base_url(app, _url_of(sock))
        with _serving(make_web_app(site), sock) as client:
            yield site, client


@contextmanager
def _bound() -> Iterator[socket.socket]:
    with closing(bind("127.0.0.1", 0)) as sock:
        sock.listen()  # who comes before the server is ready waits
        yield sock


def _url_of(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}"


@contextmanager
def _serving(web_app: ASGIApp, sock: socket.socket) -> Iterator[httpx.Client]:
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(web_app, sock, stop),))
    thread.start()
    try:
        with httpx.Client(base_url=_url_of(sock), timeout=60) as client:
            yield client
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def with_base_url(app: App, base_url: str) -> App:
    """The same application for a site at another address."""
    site = app.config.site.model_copy(update={"base_url": base_url})
    return replace(app, config=app.config.model_copy(update={"site": site}))
