"""The web interface on a real socket, as the service runs it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
from starlette.types import ASGIApp

from publisher.app import App
from publisher.web.server import bind, make_web_app, serve


@contextmanager
def open_web(app: App, make: Callable[[App], ASGIApp] = make_web_app) -> Iterator[httpx.Client]:
    """A client of a running server; redirects are not followed."""
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()
    sock = bind("127.0.0.1", 0)
    sock.listen()  # who comes before the server is ready waits
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(make(app), sock, stop),))
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{sock.getsockname()[1]}", timeout=60) as client:
            yield client
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
        sock.close()


def with_base_url(app: App, base_url: str) -> App:
    """The same application for a site at another address."""
    site = app.config.site.model_copy(update={"base_url": base_url})
    return replace(app, config=app.config.model_copy(update={"site": site}))
