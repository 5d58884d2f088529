"""``/staff/``: editions to look at and approve. Until there are staff accounts: from this machine only.

A proxy on this machine makes everybody a visitor from this machine. So the listener that a proxy leads to has these
pages only where the site itself is on loopback; else they have a listener of their own.
"""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from publisher.app import App
from publisher.config_types import INTERFACE_LANGUAGES
from publisher.errors import RenderError
from publisher.usecases.editions import approve, list_all
from publisher.usecases.feeds import list_feed_problems
from publisher.usecases.previews import render_preview, review_edition
from publisher.web.pages import PAGE_HEADERS, base_path, page_response

_ACTOR = "staff on this machine"

_FRAMING = {"Content-Security-Policy": PAGE_HEADERS["Content-Security-Policy"] + "; frame-src 'self'"}

_FRAMED = PAGE_HEADERS | {
    # A mail brings its own styles; nothing in it may run, load from elsewhere or be framed by others.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; sandbox"
    )
}

_PROXY_HEADERS = {"forwarded", "via", "x-real-ip"}

_NOT_HERE = "Staff pages answer on this machine only until there are staff accounts."

Handler = Callable[[Request], Response]


def is_apart(app: App) -> bool:
    """Whether staff pages need a listener of their own: the site is open to others."""
    return not _is_loopback(urlsplit(app.config.site.base_url).hostname or "")


def closed_routes(_app: App) -> list[Route]:
    """``/staff/`` where it is not served."""

    def refuse(_request: Request) -> Response:
        raise HTTPException(403, _NOT_HERE)

    return [Route("/staff/{path:path}", refuse, methods=["GET", "POST"])]


def routes(app: App) -> list[Route]:
    """Editions: list, one with its previews, the previews themselves, approval."""

    def editions(_request: Request) -> Response:
        context = {"editions": list_all(app), "feed_problems": list_feed_problems(app)}
        return page_response(app, "staff/editions.html", language="en", context=context)

    def edition(request: Request) -> Response:
        return _show_edition(app, request.path_params["edition"])

    def preview(request: Request) -> Response:
        return _show_preview(app, request.path_params["edition"], request.path_params["name"])

    def unsubscribing(request: Request) -> Response:
        context = {"edition_id": request.path_params["edition"]}
        return page_response(app, "staff/unsubscribe.html", language="en", context=context)

    def approval(request: Request) -> Response:
        edition_id = request.path_params["edition"]
        approve(app, edition_id, actor=_ACTOR)
        return RedirectResponse(_path_of(app, edition_id), 303)

    return [
        Route("/staff/", _local(editions)),
        Route("/staff/editions/{edition}", _local(edition)),
        Route("/staff/editions/{edition}/approve", _local(approval), methods=["POST"]),
        Route("/staff/editions/{edition}/unsubscribe", _local(unsubscribing)),
        Route("/staff/editions/{edition}/{name}", _local(preview)),
    ]


def entrance(app: App) -> list[Route]:
    """The front page of the staff's own listener."""
    return [Route("/", _local(lambda _request: RedirectResponse(f"{base_path(app)}/staff/", 303)))]


def _local(handler: Handler) -> Handler:
    """Refuse whoever is not on this machine, and pages elsewhere that make a browser on this machine ask."""

    def guarded(request: Request) -> Response:
        if not _is_from_here(request):
            raise HTTPException(403, _NOT_HERE)
        if request.method == "POST" and not _is_same_origin(request):
            raise HTTPException(403, "This form was sent from another site.")
        return handler(request)

    return guarded


def _is_from_here(request: Request) -> bool:
    is_local = request.client and _is_loopback(request.client.host) and _is_loopback(request.url.hostname or "")
    return bool(is_local) and not any(
        name in _PROXY_HEADERS or name.startswith("x-forwarded") for name in request.headers
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.url.netloc


def _path_of(app: App, edition_id: str) -> str:
    return f"{base_path(app)}/staff/editions/{edition_id}"


def _show_edition(app: App, edition_id: str) -> Response:
    review, site = review_edition(app, edition_id), app.config.site
    context = {"review": review, "languages": site.languages, "zone": site.zone}
    response = page_response(app, "staff/edition.html", language="en", context=context)
    response.headers.update(_FRAMING)
    return response


def _show_preview(app: App, edition_id: str, name: str) -> Response:
    language, _, part = name.partition(".")
    if language not in INTERFACE_LANGUAGES or part not in ("html", "txt"):
        raise HTTPException(404)
    try:
        rendered = render_preview(app, edition_id, language, staff_path=_path_of(app, edition_id))
    except RenderError as error:  # staff can mend what it names
        raise HTTPException(500, str(error)) from error
    if part == "txt":
        return PlainTextResponse(rendered.text, headers=PAGE_HEADERS)
    return HTMLResponse(rendered.html, headers=_FRAMED)
