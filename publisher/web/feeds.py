"""``/feeds/…``: the feeds themselves and their directory.

What is kept in memory is answered by ``FeedDesk.answer``, ahead of all routes; the routes make what is not.
"""

import time
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from feeds.paths import ROOT, Address, PageAddress, Redirect, is_topic, parse_page_path, parse_path
from publisher.app import App
from publisher.usecases.documents import Document
from publisher.usecases.feed_choice import PATH, answer_choice, read_choice
from publisher.usecases.feed_directory import OPML, SCRIPT, STYLE, directory_name, directory_path
from publisher.usecases.feed_server_files import CACHE_CONTROL
from publisher.usecases.feed_shelf import FeedShelf, target_of
from publisher.web.conditional import Asked, Headers, read_asked
from publisher.web.documents import Answer, answer, link_header, respond, to_response
from publisher.web.pages import FEED_PAGE_HEADERS, base_path, page_response
from publisher.web.readers import Allowance

_RAW_CACHE_CONTROL = CACHE_CONTROL.encode()
_CACHE_CONTROL_MISSING = "public, max-age=60"
_TOO_MANY = b"Too many requests. Ask less often, and with If-None-Match: what has not changed costs nothing.\n"


class FeedDesk:
    """Gives out the feeds of one shelf, and refuses those who take too many."""

    def __init__(self, app: App, shelf: FeedShelf | None = None) -> None:
        self._app = app
        self._shelf = shelf or FeedShelf(app)
        self._prefix = base_path(app)
        self._allowance = Allowance(app.config.web.feeds_per_minute, app.config.web.trusted_proxies)

    def answer(self, target: str, headers: Headers, peer: str | None) -> Answer | None:
        """The answer to GET or HEAD of that path and query, where it is in memory; it never waits."""
        path = target.removeprefix(self._prefix) if self._prefix else target
        document = self._shelf.find(path)
        if document is None:
            return None
        asked = read_asked(headers)
        found = answer(document, asked, cache_control=_RAW_CACHE_CONTROL, link=self._link(path))
        if found.status == HTTPStatus.NOT_MODIFIED:
            return found
        return self._refuse(asked, peer) or found

    def refuse(self, request: Request) -> Response | None:
        """The refusal of a reader who has had too much; whatever it asks is counted."""
        refusal = self._refuse(read_asked(request.scope["headers"]), request.client.host if request.client else None)
        return to_response(refusal) if refusal else None

    def routes(self) -> list[Route]:
        """What is not in memory: feeds never asked for, redirects, pages."""

        def directory(name: str) -> Callable[[Request], Response]:
            return lambda request: self._give(request, self._shelf.directory(name))

        def redirect(location: str) -> Callable[[Request], Response]:
            return lambda _request: _redirect(self._prefix + location)

        languages = (None, *self._app.config.site.languages)
        pages = [(directory_path(language), directory_name(language)) for language in languages]
        return [
            *(Route(path, directory(name)) for path, name in pages),
            *(Route(path.rstrip("/"), redirect(path)) for path, _name in pages),
            *(Route(ROOT + name, directory(name)) for _path, name in pages),
            *(Route(ROOT + name, directory(name)) for name in (OPML, STYLE, SCRIPT)),
            Route(PATH, self._choose),
            Route(ROOT + "{path:path}", self._serve_feed),
        ]

    def _serve_feed(self, request: Request) -> Response:
        # Whether the copy is still good nobody knows before it is compiled, and that is what costs.
        refusal = self.refuse(request)
        if refusal:
            return refusal
        catalogue = self._shelf.catalogue()
        path, query, known = ROOT + request.path_params["path"], request.url.query, catalogue.known
        address = parse_path(path, query, known=known) or parse_page_path(path, query, known=known)
        match address:
            case None:
                return _missing(self._app, path)
            case Redirect(location):
                return _redirect(self._prefix + location)
            case Address() | PageAddress():
                target = target_of(address)
                if not self._is_spelt(request, target):
                    return _redirect(self._prefix + target)
                document = self._shelf.feed(address, catalogue)
                return respond(request, document, cache_control=CACHE_CONTROL, link=self._link(target))

    def _is_spelt(self, request: Request, target: str) -> bool:
        """Whether these very bytes were asked for: a needless ``%61`` is another address to every cache."""
        path: str = request.scope["raw_path"].decode("latin-1").removeprefix(self._prefix)
        return path == target.partition("?")[0]

    def _give(self, request: Request, document: Document) -> Response:
        """A document from memory."""
        found = respond(request, document, cache_control=CACHE_CONTROL)
        return found if found.status_code == HTTPStatus.NOT_MODIFIED else self.refuse(request) or found

    def _choose(self, request: Request) -> Response:
        """The answer to the form of the directory."""
        refusal = self.refuse(request)
        if refusal:
            return refusal
        catalogue = self._shelf.catalogue()
        choice = read_choice(request.query_params.multi_items(), catalogue)
        if choice is None:
            return _missing(self._app, PATH)
        headers = FEED_PAGE_HEADERS | {"Cache-Control": CACHE_CONTROL}
        return HTMLResponse(answer_choice(self._app, catalogue, choice), headers=headers)

    def _refuse(self, asked: Asked, peer: str | None) -> Answer | None:
        wait_s = self._allowance.take(peer, asked.forwarded_for, now_s=time.monotonic())
        return _too_many(wait_s) if wait_s else None

    def _link(self, path: str) -> bytes:
        web = self._app.config.web
        return link_header(web.hubs, self._app.config.site.base_url + path) if is_topic(path) else b""


def _redirect(location: str) -> Response:
    headers = {"Cache-Control": CACHE_CONTROL, "Access-Control-Allow-Origin": "*"}
    return RedirectResponse(location, status_code=HTTPStatus.MOVED_PERMANENTLY, headers=headers)


def _missing(app: App, path: str) -> Response:
    """404 in the language that the path names."""
    known = app.config.site.languages
    named = path.removeprefix(ROOT).partition("/")[0]
    language = named if named in known else known[0]
    page = page_response(app, "feeds_missing.html", language=language, context={}, status=HTTPStatus.NOT_FOUND)
    page.headers["Cache-Control"] = _CACHE_CONTROL_MISSING
    return page


def _too_many(wait_s: int) -> Answer:
    """429 (RFC 6585 §4)."""
    headers = [
        (b"retry-after", b"%d" % wait_s),
        (b"cache-control", b"no-store"),
        (b"access-control-allow-origin", b"*"),
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(_TOO_MANY)),
    ]
    return Answer(HTTPStatus.TOO_MANY_REQUESTS, headers, _TOO_MANY)
