"""Documents over HTTP: validators, content codings, 304."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from publisher.usecases.documents import Document
from publisher.web.conditional import Asked, choose_coding, is_fresh, read_asked
from publisher.web.pages import FEED_PAGE_HEADERS

RawHeaders = list[tuple[bytes, bytes]]
"""As ASGI wants them: names in small letters."""


_PAGE_HEADERS = [
    (name.lower().encode(), value.encode())
    for name, value in FEED_PAGE_HEADERS.items()
    if name not in ("Cache-Control", "X-Content-Type-Options")
]
"""What pages have beside the headers of all documents."""


class Answer(NamedTuple):
    """What goes over the wire, whatever carries it."""

    status: int
    headers: RawHeaders
    body: bytes


def answer(document: Document, asked: Asked, *, cache_control: bytes, link: bytes = b"") -> Answer:
    """The document, or 304; HEAD differs only in that whoever sends it keeps the body back."""
    coding = choose_coding(asked.accept_encoding)
    encoded = document.coded[coding] if coding else None
    etag = encoded.etag if encoded else document.plain_etag
    headers = _validators(etag, document.changed_at, cache_control=cache_control)
    if link:
        headers.append((b"link", link))
    if asked.is_conditional and is_fresh(asked, etag=etag, changed_at=document.changed_at):
        return Answer(HTTPStatus.NOT_MODIFIED, headers, b"")
    body = encoded.body if encoded else document.plain.body
    headers += [(b"content-type", document.media_type.encode()), (b"content-length", b"%d" % len(body))]
    if coding:
        headers.append((b"content-encoding", coding.encode()))
    if document.media_type.startswith("text/html"):
        headers += _PAGE_HEADERS
    return Answer(HTTPStatus.OK, headers, body)


def respond(request: Request, document: Document, *, cache_control: str, link: bytes = b"") -> Response:
    """The same, for routes of Starlette."""
    asked = read_asked(request.scope["headers"])
    return to_response(answer(document, asked, cache_control=cache_control.encode(), link=link))


def to_response(found: Answer) -> Response:
    """What a route of Starlette returns."""
    response = Response(found.body, found.status)
    response.raw_headers = found.headers
    return response


def link_header(hubs: Sequence[str], self_url: str) -> bytes:
    """Where the hubs of a feed are, and its own address (WebSub §4); nothing where it has no hub."""
    if not hubs:
        return b""
    links = [*(f'<{hub}>; rel="hub"' for hub in hubs), f'<{self_url}>; rel="self"']
    return ", ".join(links).encode("ascii", "ignore")


def _validators(etag: str, changed_at: datetime | None, *, cache_control: bytes) -> RawHeaders:
    """What a full answer and a 304 say alike (RFC 9110 §15.4.5)."""
    headers = [
        (b"etag", etag.encode()),
        (b"cache-control", cache_control),
        (b"vary", b"Accept-Encoding"),
        (b"access-control-allow-origin", b"*"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if changed_at:
        headers.append((b"last-modified", _format_date(changed_at)))
    return headers


@lru_cache(maxsize=512)
def _format_date(moment: datetime) -> bytes:
    return format_datetime(moment, usegmt=True).encode()
