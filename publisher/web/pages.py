"""Web pages: one Jinja2 environment per language, the headers that every page carries, the stylesheet."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from publisher import i18n
from publisher.app import App

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""For every page of HTML: nothing from elsewhere, no script, no frame, no copy kept. A public page may say how long it keeps."""


def page_response(
    app: App,
    template: str,
    *,
    language: str,
    context: Mapping[str, object],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page of ``templates/web`` in that language; ``headers`` replace those of ``PAGE_HEADERS``."""
    html = render_page(app, template, language=language, context=context)
    said = {"Content-Language": i18n.translator(language).language}
    return HTMLResponse(html, status, headers={**PAGE_HEADERS, **said, **(headers or {})})


def render_page(app: App, template: str, *, language: str, context: Mapping[str, object]) -> str:
    """The HTML of a page. Its template extends ``base.html`` and has the site's name and paths beside the context."""
    site = {"site_name": app.config.site.name, "base_path": urlsplit(app.config.site.base_url).path}
    return page_environment(language).get_template(template).render({**site, **context})


@lru_cache
def page_environment(language: str) -> Environment:
    """The templates of pages, escaping everything, speaking that language."""
    interface = i18n.translator(language)
    environment = Environment(
        loader=PackageLoader("templates", "web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    i18n.install(environment, interface)
    environment.globals.update(language=interface.language, direction=interface.direction)
    return environment


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
