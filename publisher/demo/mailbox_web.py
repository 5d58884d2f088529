"""The pages of the demo's mailbox: who got what, and each message as HTML, text, headers and source.

Nothing a message brings can act: its HTML stands in a sandboxed frame without scripts, all else is escaped.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publisher.demo.mailbox import Mailbox, Received
from publisher.demo.reading import Letter, read_headers, read_letter, visible
from publisher.demo.responses import HTML, render, respond, stylesheet

PAGE_SIZE = 50

_HTML_PART_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
        "img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A message in the list."""

    number: int
    subject: str
    recipients: tuple[str, ...]
    sender: str
    received: str
    received_iso: str


def mailbox_app(mailbox: Mailbox) -> Starlette:
    """The pages of that mailbox; can be mounted under any path."""
    app = Starlette(routes=_routes(), exception_handlers={404: _missing})
    app.state.mailbox = mailbox
    return app


def _routes() -> list[Route]:
    return [
        Route("/", _list),
        Route("/demo.css", stylesheet),
        Route("/{number:int}", _message),
        Route("/{number:int}/html", _html_part),
        Route("/{number:int}/message.eml", _source),
    ]


async def _list(request: Request) -> Response:
    mailbox = _mailbox(request)
    recipient = request.query_params.get("to") or None
    messages = mailbox.newest_first(recipient)
    number = _page_number(request)
    context = {
        "recipient": recipient,
        "shown_recipient": visible(recipient or ""),
        "counts": [(address, visible(address), count) for address, count in mailbox.counts().items()],
        "total": len(messages),
        "lines": _lines(messages[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]),
        "number": number,
        "has_older": len(messages) > number * PAGE_SIZE,
    }
    return respond(render("mailbox/list.html", request, context=context))


async def _message(request: Request) -> Response:
    message = _find(request)
    letter = read_letter(message.source)
    context = {
        "line": _line(message, letter),
        "letter": letter,
        "text": visible(letter.text or ""),
        "size": len(message.source),
    }
    return respond(render("mailbox/message.html", request, context=context))


async def _html_part(request: Request) -> Response:
    letter = read_letter(_find(request).source)
    if letter.html is None:
        raise HTTPException(404)
    return Response(_opening_new_tabs(letter.html), media_type=HTML, headers=_HTML_PART_HEADERS)


async def _source(request: Request) -> Response:
    message = _find(request)
    headers = {
        "Content-Disposition": f'attachment; filename="message-{message.number}.eml"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(message.source, media_type="message/rfc822", headers=headers)


async def _missing(request: Request, _error: Exception) -> Response:
    return respond(render("mailbox/missing.html", request, context={}), status=404)


def _lines(messages: Sequence[Received]) -> list[Line]:
    return [_line(message, read_headers(message.source)) for message in messages]


def _line(message: Received, letter: Letter) -> Line:
    return Line(
        number=message.number,
        subject=" ".join(letter.header("Subject").split()) or "(no subject)",
        recipients=tuple(visible(address) for address in message.recipients),
        sender=letter.header("From") or visible(message.sender),
        received=f"{message.received_at:%d %B %Y, %H:%M:%S UTC}",
        received_iso=message.received_at.isoformat(),
    )


def _opening_new_tabs(html: str) -> str:
    """The document with its links opening outside the frame: most pages refuse to be framed."""
    return _HEAD.sub(lambda head: f'{head[0]}<base target="_blank">', html, count=1)


def _find(request: Request) -> Received:
    message = _mailbox(request).find(request.path_params["number"])
    if message is None:
        raise HTTPException(404)
    return message


def _page_number(request: Request) -> int:
    text = request.query_params.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 and int(text) else 1


def _mailbox(request: Request) -> Mailbox:
    mailbox: Mailbox = request.app.state.mailbox
    return mailbox
