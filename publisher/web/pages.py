"""Web pages: how they are rendered, the headers that every page carries, the stylesheet."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

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


def page_response(
    app: App, template: str, *, language: str, context: Mapping[str, object], status: int = 200
) -> HTMLResponse:
    """A page of ``templates/web`` in that language. A public page may replace ``Cache-Control`` in what it gets."""
    html = render_page(app, template, language=language, context=context)
    said = {"Content-Language": i18n.translator(language).language}
    return HTMLResponse(html, status, headers=PAGE_HEADERS | said)


def render_page(app: App, template: str, *, language: str, context: Mapping[str, object]) -> str:
    """The HTML of a page. Its template extends ``base.html`` and has the site's name and paths beside the context."""
    site = {"site_name": app.config.site.name, "base_path": urlsplit(app.config.site.base_url).path}
    return page_environment(language).get_template(template).render({**site, **context})


def choose_language(app: App, request: Request) -> str:
    """The first of the site's languages that the reader accepts (RFC 9110 §12.5.4, as ordered), else its first."""
    known: Sequence[str] = app.config.site.languages
    accepted = request.headers.get("accept-language", "").split(",")
    wanted = (part.partition(";")[0].strip()[:2].lower() for part in accepted)
    return next((language for language in wanted if language in known), known[0])


ExceptionHandler = Callable[[Request, Exception], Response]


def exception_handlers(app: App) -> Mapping[Any, ExceptionHandler]:  # Any: statuses and exception classes
    """Pages for what cannot be shown or done."""

    def answer(request: Request, status: int, text: str) -> Response:
        context = {"status": status, "text": text}
        return page_response(app, "error.html", language=choose_language(app, request), context=context, status=status)

    def refuse(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return answer(request, error.status_code, error.detail)
        return answer(request, 500, "")

    return {
        HTTPException: refuse,
        NotFoundError: lambda request, _error: answer(request, 404, "Not Found"),
        StateError: lambda request, error: answer(request, 409, str(error)),
        RenderError: lambda request, error: answer(request, 500, str(error)),
    }


def static_routes() -> list[Route]:
    """``/static/style.css``, for all pages."""
    return [Route("/static/style.css", _style)]


async def _style(request: Request) -> Response:
    body, etag = _read_style()
    headers = {"ETag": etag, "Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="text/css")


@lru_cache
def _read_style() -> tuple[bytes, str]:
    body = (files("templates") / "web" / "style.css").read_bytes()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'
