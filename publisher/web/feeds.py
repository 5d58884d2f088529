"""``/feeds/…``: the feeds themselves and their directory."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from feeds.paths import ROOT, Redirect, parse_path
from publisher.app import App
from publisher.usecases.feed_directory import OPML, PAGE, STYLE
from publisher.usecases.feed_shelf import FeedShelf
from publisher.web.documents import respond
from publisher.web.pages import base_path, page_response

CACHE_CONTROL = "public, max-age=300, stale-if-error=86400"
_CACHE_CONTROL_MISSING = "public, max-age=60"


def routes(app: App) -> list[Route]:
    """The routes below ``/feeds/``, over one shelf of compiled feeds."""
    shelf = FeedShelf(app)

    def feed(request: Request) -> Response:
        return _serve_feed(app, shelf, request=request)

    def directory(name: str) -> Callable[[Request], Response]:
        return lambda request: respond(request, shelf.directory(name), cache_control=CACHE_CONTROL)

    return [
        Route(ROOT, directory(PAGE), name="feeds"),
        *(Route(ROOT + name, directory(name)) for name in (PAGE, OPML, STYLE)),
        Route(ROOT + "{path:path}", feed),
    ]


def _serve_feed(app: App, shelf: FeedShelf, *, request: Request) -> Response:
    catalogue = shelf.catalogue()
    path = ROOT + request.path_params["path"]
    address = parse_path(path, request.url.query, known=catalogue.known)
    match address:
        case None:
            return _missing(app)
        case Redirect(location):
            return _redirect(app, location)
        case _:
            return respond(request, shelf.feed(address, catalogue), cache_control=CACHE_CONTROL)


def _redirect(app: App, location: str) -> Response:
    headers = {"Cache-Control": CACHE_CONTROL, "Access-Control-Allow-Origin": "*"}
    return RedirectResponse(base_path(app) + location, status_code=HTTPStatus.MOVED_PERMANENTLY, headers=headers)


def _missing(app: App) -> Response:
    page = page_response(app, "feeds_missing.html", language="en", context={}, status=HTTPStatus.NOT_FOUND)
    page.headers["Cache-Control"] = _CACHE_CONTROL_MISSING
    return page
