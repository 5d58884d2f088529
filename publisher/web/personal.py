"""``/feeds/personal/{token}.{format}``: a subscriber's own mix, for that reader's eyes.

No cache but the reader's own keeps it, no search engine lists it, no hub is told of it, and its address stands in no
log. An address that was taken away is answered like one that never was.
"""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from feeds.paths import FORMATS, Format
from publisher.app import App
from publisher.errors import RenderError
from publisher.usecases.documents import Document
from publisher.usecases.personal_feeds import PATH, PersonalShelf
from publisher.web.conditional import read_asked
from publisher.web.documents import respond

CACHE_CONTROL = "private, max-age=300"
_PRIVATE = {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
_RETRY_AFTER = {"Retry-After": "300", **_PRIVATE}

_log = structlog.get_logger(__name__)


def routes(app: App, *, refuse: Callable[[Request], Response | None]) -> list[Route]:
    """The personal feeds; they stand before the routes of all other feeds. ``refuse`` counts what a reader asks."""
    shelf = PersonalShelf(app)

    async def feed(request: Request) -> Response:
        is_conditional = read_asked(request.scope["headers"]).is_conditional
        refusal = None if is_conditional else refuse(request)
        if refusal:
            return refusal
        token, _, suffix = request.path_params["name"].rpartition(".")
        found: list[Format] = [form for form in FORMATS if form == suffix]
        document = await run_in_threadpool(_find, shelf, token, found[0]) if found else None
        if document is None:
            if is_conditional and (refusal := refuse(request)):
                return refusal
            raise HTTPException(404, headers=_PRIVATE)
        response = respond(request, document, cache_control=CACHE_CONTROL)
        if is_conditional and response.status_code != HTTPStatus.NOT_MODIFIED:
            response = refuse(request) or response
        response.headers.update(_PRIVATE)
        return response

    return [Route(PATH + "{name}", feed)]


def _find(shelf: PersonalShelf, token: str, form: Format) -> Document | None:
    try:
        return shelf.feed(token, form)
    except RenderError as error:  # what answers other errors of this kind logs the path
        _log.error("personal feed cannot be rendered", error=str(error))
        raise HTTPException(503, "This cannot be rendered at the moment.", headers=_RETRY_AFTER) from error
