"""The web interface: all routes in one Starlette application, and the server that carries it."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from publisher.app import App
from publisher.errors import ConfigError
from publisher.web import editions, feeds, home, pages, staff, unsubscribe


def make_web_app(app: App, extra_routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The ASGI application of the public and staff pages."""
    parts = (feeds, unsubscribe, editions, staff, home)
    routes = [route for part in parts for route in part.routes(app)] + pages.static_routes()
    return Starlette(routes=[*extra_routes, *routes], exception_handlers=pages.exception_handlers(app))


async def serve(web_app: Starlette, sock: socket.socket, stop: asyncio.Event) -> None:
    """Serve on a bound socket until ``stop`` is set, then let open requests end."""
    server = _Server(
        uvicorn.Config(
            web_app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=10
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    server.should_exit = True
    await serving


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; ConfigError where the address is taken or not ours. Port 0 picks a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol asyncio does not recognise TCP and leaves Nagle's delay on: 40 ms a page.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise ConfigError(f"web: cannot listen on {host}:{port} ({error.strerror}). Choose another web.port") from error
    return sock


class _Server(uvicorn.Server):
    """Leaves signals to whoever started it: several servers and the sender stop together."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # as untyped as the method it replaces
        yield
