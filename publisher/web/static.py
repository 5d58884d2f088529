"""``/static/style.css``, for all pages."""

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publisher.app import App
from publisher.templating import read_style
from publisher.usecases.documents import Document
from publisher.web.documents import respond

_CACHE_CONTROL = "public, max-age=3600"


def routes(_app: App) -> list[Route]:
    """The style sheet."""
    return [Route("/static/style.css", _serve_style)]


def _serve_style(request: Request) -> Response:
    return respond(request, _make_style(), cache_control=_CACHE_CONTROL)


@lru_cache
def _make_style() -> Document:
    return Document.of(read_style("style.css"), "text/css; charset=utf-8")
