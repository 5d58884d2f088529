"""``/feeds/…``: the feeds themselves and their directory."""

from collections.abc import Callable
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from feeds.paths import ROOT, Redirect, parse_path
from publisher.app import App
from publisher.usecases.documents import Document
from publisher.usecases.feed_directory import OPML, PAGE, STYLE
from publisher.usecases.feed_shelf import FeedShelf
from publisher.web.conditional import is_fresh, takes_gzip
from publisher.web.pages import PAGE_HEADERS, page_response

CACHE_CONTROL = "public, max-age=300, stale-if-error=86400"
_CACHE_CONTROL_MISSING = "public, max-age=60"


def routes(app: App) -> list[Route]:
    """The routes below ``/feeds/``, over one shelf of compiled feeds."""
    shelf = FeedShelf(app)

    def feed(request: Request) -> Response:
        return _serve_feed(app, shelf, request=request)

    def directory(name: str) -> Callable[[Request], Response]:
        return lambda request: _respond(request, shelf.directory(name))

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
            return _respond(request, shelf.feed(address, catalogue))


def _respond(request: Request, document: Document) -> Response:
    """The document, or 304; HEAD differs only in that the server keeps the body back."""
    gzipped = takes_gzip(request.headers)
    chosen = document.gzipped if gzipped else document.plain
    headers = _validators(document, chosen.etag)
    if is_fresh(request.headers, etag=chosen.etag, changed_at=document.changed_at):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers |= {"Content-Type": document.media_type}
    if gzipped:
        headers |= {"Content-Encoding": "gzip"}
    if document.media_type.startswith("text/html"):
        headers |= {"Content-Security-Policy": PAGE_HEADERS["Content-Security-Policy"]}
    return Response(chosen.body, headers=headers)


def _validators(document: Document, etag: str) -> dict[str, str]:
    """What a full answer and a 304 say alike (RFC 9110 §15.4.5)."""
    headers = {
        "ETag": etag,
        "Cache-Control": CACHE_CONTROL,
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
    }
    if document.changed_at:
        headers["Last-Modified"] = format_datetime(document.changed_at, usegmt=True)
    return headers


def _redirect(app: App, location: str) -> Response:
    prefix = urlsplit(app.config.site.base_url).path
    headers = {"Cache-Control": CACHE_CONTROL, "Access-Control-Allow-Origin": "*"}
    return RedirectResponse(prefix + location, status_code=HTTPStatus.MOVED_PERMANENTLY, headers=headers)


def _missing(app: App) -> Response:
    page = page_response(app, "feeds_missing.html", language="en", context={}, status=HTTPStatus.NOT_FOUND)
    page.headers["Cache-Control"] = _CACHE_CONTROL_MISSING
    return page
