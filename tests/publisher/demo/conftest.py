"""A real web server around the demo's apps."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

Serve = Callable[[ASGIApp], httpx.Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves an app on a free port of loopback and returns a client whose base is its address."""
    with ExitStack() as stack:

        def start(app: ASGIApp) -> httpx.Client:
            address = stack.enter_context(_serving(app))
            return stack.enter_context(httpx.Client(base_url=address, trust_env=False))

        yield start


@contextmanager
def _serving(app: ASGIApp) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))  # listens at once: requests wait until the server takes them
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
