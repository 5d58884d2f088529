"""``/static/``: the style sheet of all pages, and the icon of feeds."""

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publisher.app import App
from publisher.templating import read_icon, read_style
from publisher.usecases.documents import Document
from publisher.web.documents import respond

_CACHE_CONTROL = "public, max-age=3600"


def routes(_app: App) -> list[Route]:
    """The style sheet and the icon."""
    return [Route("/static/style.css", _serve_style), Route("/static/icon.png", _serve_icon)]


def _serve_style(request: Request) -> Response:
    return respond(request, _make_style(), cache_control=_CACHE_CONTROL)


@lru_cache
def _make_style() -> Document:
    return Document.of(read_style("style.css"), "text/css; charset=utf-8")


def _serve_icon(request: Request) -> Response:
    return respond(request, _make_icon(), cache_control=_CACHE_CONTROL)


@lru_cache
def _make_icon() -> Document:
    return Document.of(read_icon(), "image/png")
