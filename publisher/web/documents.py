"""Documents over HTTP: validators, content codings, 304."""

from email.utils import format_datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from publisher.usecases.documents import Document
from publisher.web.conditional import is_fresh, takes_gzip
from publisher.web.pages import FEED_PAGE_HEADERS


def respond(request: Request, document: Document, *, cache_control: str) -> Response:
    """The document, or 304; HEAD differs only in that the server keeps the body back."""
    gzipped = takes_gzip(request.headers)
    chosen = document.gzipped if gzipped else document.plain
    headers = _validators(document, chosen.etag) | {"Cache-Control": cache_control}
    if is_fresh(request.headers, etag=chosen.etag, changed_at=document.changed_at):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers |= {"Content-Type": document.media_type}
    if gzipped:
        headers |= {"Content-Encoding": "gzip"}
    if document.media_type.startswith("text/html"):
        headers = FEED_PAGE_HEADERS | headers
    return Response(chosen.body, headers=headers)


def _validators(document: Document, etag: str) -> dict[str, str]:
    """What a full answer and a 304 say alike (RFC 9110 §15.4.5), Cache-Control aside."""
    headers = {
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
    }
    if document.changed_at:
        headers["Last-Modified"] = format_datetime(document.changed_at, usegmt=True)
    return headers
