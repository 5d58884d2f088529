"""``/feeds/…``: the feeds themselves and their directory."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from feeds.paths import ROOT, Redirect, parse_page_path, parse_path
from publisher.app import App
from publisher.usecases.feed_choice import PATH, answer_choice, read_choice
from publisher.usecases.feed_directory import OPML, SCRIPT, STYLE, directory_name, directory_path
from publisher.usecases.feed_shelf import FeedShelf
from publisher.usecases.feeds import Catalogue
from publisher.web.documents import respond
from publisher.web.pages import FEED_PAGE_HEADERS, base_path, page_response

CACHE_CONTROL = "public, max-age=300, stale-if-error=86400"
_CACHE_CONTROL_MISSING = "public, max-age=60"


def routes(app: App) -> list[Route]:
    """The routes below ``/feeds/``, over one shelf of compiled feeds."""
    shelf = FeedShelf(app)

    def feed(request: Request) -> Response:
        return _serve_feed(app, shelf, request=request)

    def directory(name: str) -> Callable[[Request], Response]:
        return lambda request: respond(request, shelf.directory(name), cache_control=CACHE_CONTROL)

    def find(request: Request) -> Response:
        return _find(app, shelf.catalogue(), request=request)

    languages = (None, *app.config.site.languages)
    pages = [(directory_path(language), directory_name(language)) for language in languages]
    return [
        *(Route(path, directory(name)) for path, name in pages),
        *(Route(ROOT + name, directory(name)) for _path, name in pages),
        *(Route(ROOT + name, directory(name)) for name in (OPML, STYLE, SCRIPT)),
        Route(PATH, find),
        Route(ROOT + "{path:path}", feed),
    ]


def _serve_feed(app: App, shelf: FeedShelf, *, request: Request) -> Response:
    catalogue = shelf.catalogue()
    path = ROOT + request.path_params["path"]
    query, known = request.url.query, catalogue.known
    address = parse_path(path, query, known=known) or parse_page_path(path, query, known=known)
    match address:
        case None:
            return _missing(app)
        case Redirect(location):
            return _redirect(app, location)
        case _:
            return respond(request, shelf.feed(address, catalogue), cache_control=CACHE_CONTROL)


def _find(app: App, catalogue: Catalogue, *, request: Request) -> Response:
    """The answer to the form of the directory."""
    choice = read_choice(request.query_params.multi_items(), catalogue)
    if choice is None:
        return _missing(app)
    headers = FEED_PAGE_HEADERS | {"Cache-Control": CACHE_CONTROL}
    return HTMLResponse(answer_choice(app, catalogue, choice), headers=headers)


def _redirect(app: App, location: str) -> Response:
    headers = {"Cache-Control": CACHE_CONTROL, "Access-Control-Allow-Origin": "*"}
    return RedirectResponse(base_path(app) + location, status_code=HTTPStatus.MOVED_PERMANENTLY, headers=headers)


def _missing(app: App) -> Response:
    page = page_response(app, "feeds_missing.html", language="en", context={}, status=HTTPStatus.NOT_FOUND)
    page.headers["Cache-Control"] = _CACHE_CONTROL_MISSING
    return page
