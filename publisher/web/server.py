"""The web interface: all routes in one Starlette application, and the server that carries it."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from publisher.app import App
from publisher.errors import ConfigError
from publisher.usecases.feed_shelf import FeedShelf
from publisher.web import editions, home, pages, personal, staff, static, unsubscribe, websub
from publisher.web.feeds import FeedDesk
from publisher.web.quick import QuickApp, QuickProtocol


@dataclass(frozen=True, slots=True)
class Listener:
    """Pages, and the bound socket where they will be served."""

    name: str
    web_app: ASGIApp
    sock: socket.socket
    trusted_proxies: tuple[str, ...] = ()
    """Whose word on the scheme of a request is believed."""

    @property
    def url(self) -> str:
        """Ends with a slash."""
        host, port = self.sock.getsockname()[:2]
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def listen(app: App) -> list[Listener]:
    """The public listener, and the staff's where they need one of their own."""
    web = app.config.web
    proxies = tuple(str(network) for network in web.trusted_proxies)
    public = Listener("Web", make_web_app(app), bind(web.host, web.port), proxies)
    if not staff.is_apart(app) or not web.staff_port:
        return [public]
    try:
        return [public, listen_for_staff(app, web.staff_port)]
    except ConfigError:
        public.sock.close()
        raise


def listen_for_staff(app: App, port: int = 0) -> Listener:
    """The staff's own listener, on loopback whatever the configuration says."""
    return Listener("Staff", make_staff_app(app), bind("127.0.0.1", port, key="web.staff_port"))


async def serve_all(listeners: Sequence[Listener], stop: asyncio.Event) -> None:
    """Serve everything until ``stop`` is set."""
    serving = (serve(one.web_app, one.sock, stop, trusted_proxies=one.trusted_proxies) for one in listeners)
    await asyncio.gather(*serving)


def make_web_app(app: App, extra_routes: Sequence[BaseRoute] = (), *, shelf: FeedShelf | None = None) -> QuickApp:
    """The ASGI application of the public pages, and of the staff's where they need no listener of their own."""
    desk = FeedDesk(app, shelf)
    parts = [part.routes for part in (unsubscribe, websub, editions, home, static)]
    staff_part = staff.closed_routes if staff.is_apart(app) else staff.routes
    routes = [route for part in [*parts, staff_part] for route in part(app)]
    return QuickApp(
        desk, _make(app, [*extra_routes, *personal.routes(app, refuse=desk.refuse), *desk.routes(), *routes])
    )


def make_staff_app(app: App) -> Starlette:
    """The ASGI application of the staff's own listener."""
    return _make(app, [*staff.routes(app), *static.routes(app), *staff.entrance(app)])


async def serve(
    web_app: ASGIApp, sock: socket.socket, stop: asyncio.Event, *, trusted_proxies: Sequence[str] = ()
) -> None:
    """Serve on a bound socket until ``stop`` is set, then let open requests end."""
    config = uvicorn.Config(
        web_app,
        http=QuickProtocol,
        ws="none",
        lifespan="off",
        forwarded_allow_ips=list(trusted_proxies),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    server.should_exit = True
    await serving


def bind(host: str, port: int, *, key: str = "web.port") -> socket.socket:
    """A bound socket; ConfigError, which names the key, where the address is taken or not ours. Port 0 picks one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol asyncio does not recognise TCP and leaves Nagle's delay on: 40 ms a page.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except (OSError, OverflowError, UnicodeError) as error:
        sock.close()
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"web: cannot listen on {host}:{port} ({reason}). Choose another {key}") from error
    return sock


def _make(app: App, routes: Sequence[BaseRoute]) -> Starlette:
    """Whether a proxy strips the path of the site or passes it on, and without a proxy: the same pages."""
    prefix = pages.base_path(app)
    prefixed = [Mount(prefix, routes=routes)] if prefix else []
    return Starlette(routes=[*prefixed, *routes], exception_handlers=pages.exception_handlers(app))


class _Server(uvicorn.Server):
    """Leaves signals to whoever started it: several servers and the sender stop together."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # as untyped as the method it replaces
        yield
