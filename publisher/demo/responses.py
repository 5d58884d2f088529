"""What both web apps of the demo answer with: rendered pages under a strict policy, and answers that can be a 304."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

HTML = "text/html; charset=utf-8"

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def render(template: str, request: Request, *, context: Mapping[str, object]) -> bytes:
    """The page of that template; links in it begin with ``root``, so that the app can be mounted anywhere."""
    root = str(request.scope.get("root_path", ""))
    return _templates().get_template(f"demo/{template}").render({"root": root, **context}).encode()


def respond(body: bytes, *, status: int = 200, media_type: str = HTML) -> Response:
    """An answer that the browser asks for again each time."""
    return Response(body, status_code=status, media_type=media_type, headers=_HEADERS)


def respond_if_changed(request: Request, body: bytes, *, modified_at: datetime, media_type: str = HTML) -> Response:
    """The body with its validators, or 304 where the reader has it (RFC 9110 §13)."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    validators = {
        "ETag": etag,
        "Last-Modified": format_datetime(modified_at.astimezone(UTC), usegmt=True),
    }
    if _is_held(request, etag, modified_at=modified_at):
        return Response(status_code=304, headers=_HEADERS | validators)
    return Response(body, media_type=media_type, headers=_HEADERS | validators)


async def stylesheet(_request: Request) -> Response:
    """The one stylesheet of the demo's pages."""
    return respond(_css(), media_type="text/css; charset=utf-8")


def _is_held(request: Request, etag: str, *, modified_at: datetime) -> bool:
    held = request.headers.get("If-None-Match")
    if held is not None:
        return held.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in held.split(","))
    since = request.headers.get("If-Modified-Since")
    return since is not None and _is_since(since, modified_at)


def _is_since(header: str, modified_at: datetime) -> bool:
    try:
        return modified_at.replace(microsecond=0) <= parsedate_to_datetime(header)
    except (TypeError, ValueError):  # not a date, or one without a zone
        return False


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("templates", "web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _css() -> bytes:
    return files("templates").joinpath("web", "demo", "demo.css").read_bytes()
