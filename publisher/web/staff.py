"""``/staff/``: editions to look at and approve. Until there are staff accounts: from this machine only."""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from publisher.app import App
from publisher.config import INTERFACE_LANGUAGES
from publisher.store import editions as store
from publisher.store.deliveries import count_states
from publisher.usecases.editions import approve
from publisher.usecases.rendering import EditionRenderer
from publisher.web.pages import PAGE_HEADERS, page_response

_ACTOR = "staff on this machine"

_FRAMING = {"Content-Security-Policy": PAGE_HEADERS["Content-Security-Policy"] + "; frame-src 'self'"}

_FRAMED = PAGE_HEADERS | {
    # A mail brings its own styles; nothing in it may run, load from elsewhere or be framed by others.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; sandbox"
    )
}

Handler = Callable[[Request], Response]


def routes(app: App) -> list[Route]:
    """Editions: list, one with its previews, the previews themselves, approval."""

    def editions(_request: Request) -> Response:
        with app.database.read() as tx:
            context = {"editions": store.list_editions(tx)}
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
        return RedirectResponse(f"/staff/editions/{edition_id}", 303)

    return [
        Route("/staff/", _local(editions)),
        Route("/staff/editions/{edition}", _local(edition)),
        Route("/staff/editions/{edition}/approve", _local(approval), methods=["POST"]),
        Route("/staff/editions/{edition}/unsubscribe", _local(unsubscribing)),
        Route("/staff/editions/{edition}/{name}", _local(preview)),
    ]


def _local(handler: Handler) -> Handler:
    """Refuse whoever is not on this machine, and pages elsewhere that make a browser on this machine ask."""

    def guarded(request: Request) -> Response:
        if not (request.client and _is_loopback(request.client.host) and _is_loopback(request.url.hostname or "")):
            raise HTTPException(403, "Staff pages answer on this machine only until there are staff accounts.")
        if request.method == "POST" and not _is_same_origin(request):
            raise HTTPException(403, "This form was sent from another site.")
        return handler(request)

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.url.netloc


def _show_edition(app: App, edition_id: str) -> Response:
    with app.database.read() as tx:
        edition = store.read_edition(tx, edition_id)
        items = [one.item for one in store.read_frozen_items(tx, edition_id)]
        context = {
            "edition": edition,
            "items": items,
            "states": count_states(tx, edition_id),
            "errors": store.list_errors(tx, edition_id),
            "languages": app.config.site.languages,
            "zone": app.config.site.zone,
        }
    response = page_response(app, "staff/edition.html", language="en", context=context)
    response.headers.update(_FRAMING)
    return response


def _show_preview(app: App, edition_id: str, name: str) -> Response:
    language, _, part = name.partition(".")
    if language not in INTERFACE_LANGUAGES or part not in ("html", "txt"):
        raise HTTPException(404)
    rendered = EditionRenderer(app, edition_id).render(language)
    unsubscribing = f"/staff/editions/{edition_id}/unsubscribe"  # nobody's token stands in a preview
    if part == "txt":
        text = rendered.text.replace(f"/u/{rendered.placeholder}", unsubscribing)
        return PlainTextResponse(text, headers=PAGE_HEADERS)
    html = rendered.html.replace(f"/u/{rendered.placeholder}", unsubscribing)
    return HTMLResponse(html, headers=_FRAMED)
