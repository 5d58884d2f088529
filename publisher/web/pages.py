"""Web pages: how they are rendered, the headers that every page carries, what an error shows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from publisher import i18n
from publisher.app import App
from publisher.errors import NotFoundError, RenderError, StateError
from publisher.templating import page_environment

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""For every page of HTML: nothing from elsewhere, no script, no frame, no copy kept."""

FEED_PAGE_HEADERS = PAGE_HEADERS | {
    "Content-Security-Policy": PAGE_HEADERS["Content-Security-Policy"] + "; script-src 'self'"
}
"""For pages of feeds, where our own script copies an address."""

NEGOTIATED = {"Vary": "Accept-Language"}
"""For what ``choose_language`` decides and caches may keep (RFC 9110 §12.5.5)."""

_RETRY_AFTER_S = "300"

_log = structlog.get_logger(__name__)


def page_response(
    app: App, template: str, *, language: str, context: Mapping[str, object], status: int = 200
) -> HTMLResponse:
    """A page of ``templates/web`` in that language. A public page may replace ``Cache-Control`` in what it gets."""
    html = render_page(app, template, language=language, context=context)
    said = {"Content-Language": i18n.translator(language).language}
    return HTMLResponse(html, status, headers=PAGE_HEADERS | said)


def render_page(app: App, template: str, *, language: str, context: Mapping[str, object]) -> str:
    """The HTML of a page. Its template extends ``base.html`` and has the site's name and paths beside the context."""
    site = {"site_name": app.config.site.name, "base_path": base_path(app)}
    return page_environment(language).get_template(template).render({**site, **context})


def base_path(app: App) -> str:
    """What stands before every path of the site: ``/news``, or nothing."""
    return urlsplit(app.config.site.base_url).path


def choose_language(app: App, request: Request) -> str:
    """The first of the site's languages that the reader accepts (RFC 9110 §12.5.4, as ordered), else its first."""
    known: Sequence[str] = app.config.site.languages
    accepted = request.headers.get("accept-language", "").split(",")
    wanted = (part.partition(";")[0].strip()[:2].lower() for part in accepted)
    return next((language for language in wanted if language in known), known[0])


ExceptionHandler = Callable[[Request, Any], Response]  # Any: each takes its own class of exceptions


def exception_handlers(app: App) -> Mapping[Any, ExceptionHandler]:  # Any: exception classes
    """Pages for what cannot be shown or done. Of what nobody foresaw they tell nothing; the log does."""

    def answer(request: Request, status: int, *, text: str, headers: Mapping[str, str] | None = None) -> Response:
        context = {"status": status, "text": text}
        page = page_response(app, "error.html", language=choose_language(app, request), context=context, status=status)
        page.headers.update(headers or {})
        return page

    def refuse(request: Request, error: HTTPException) -> Response:
        return answer(request, error.status_code, text=error.detail, headers=error.headers)

    def postpone(request: Request, error: RenderError) -> Response:
        _log.error("page cannot be rendered", path=request.url.path, error=str(error))
        text = "This cannot be rendered at the moment."
        return answer(request, 503, text=text, headers={"Retry-After": _RETRY_AFTER_S})

    return {
        HTTPException: refuse,
        NotFoundError: lambda request, _error: answer(request, 404, text="Not Found"),
        StateError: lambda request, error: answer(request, 409, text=str(error)),
        RenderError: postpone,
        Exception: lambda request, _error: answer(request, 500, text="Internal Server Error"),
    }
