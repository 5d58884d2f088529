"""``/u/{token}``: a page that changes nothing on GET, and acts on POST. It is the target of RFC 8058 too.

No cookie, no login, no redirect; a POST with a genuine token is answered with 200, however often it comes.
"""

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive

from publisher.app import App
from publisher.usecases.unsubscribe import LinkState, Scope, read_link, unsubscribe
from publisher.web.pages import page_response

MAX_BODY_BYTES = 16_384
"""Enough for a form of one button, or the one field of RFC 8058, in any encoding."""


def routes(app: App) -> list[Route]:
    """The page behind every unsubscribe link."""

    async def page(request: Request) -> Response:
        if request.method != "POST":
            return _answer(app, await run_in_threadpool(read_link, app, request.path_params["token"]))
        scope = await _read_scope(request)
        return _answer(app, await run_in_threadpool(unsubscribe, app, request.path_params["token"], scope=scope))

    return [Route("/u/{token}", page, methods=["GET", "POST"])]


def _answer(app: App, state: LinkState | None) -> Response:
    if state is None:  # the same answer as for any address that does not exist
        raise HTTPException(404)
    return page_response(app, "unsubscribe.html", language=state.language, context={"state": state})


async def _read_scope(request: Request) -> Scope:
    """What to end. Whatever does not say "all" means the digest, as the one-click field of RFC 8058 does."""
    bounded = Request(request.scope, _bounded(request.receive))
    try:
        async with bounded.form(max_files=1, max_fields=10) as form:
            return "all" if form.get("scope") == "all" else "digest"
    except ClientDisconnect as error:
        raise HTTPException(408, "The request broke off.") from error
    except HTTPException as error:
        if error.status_code == 400:  # a form that cannot be read, as robots send them: the wish is plain
            return "digest"
        raise


def _bounded(receive: Receive) -> Receive:
    size = 0

    async def receive_within_limit() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, "The form is too large.")
        return message

    return receive_within_limit
