"""``/websub/{token}``: where hubs ask whether we meant it, and tell of changes (WebSub §5, §7)."""

import asyncio
import hmac
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from publisher.app import App
from publisher.usecases.hub_subscriptions import (
    CALLBACK,
    LEASE_S,
    accept_denial,
    confirm,
    find_signing_secret,
    mark_due,
)

MAX_BODY_BYTES = 10_000_000
"""As much as a feed may have. The body is signed, and otherwise not looked at: the source itself is read."""
SLOWEST_BODY_S = 30
LONGEST_CHALLENGE = 1_000

_METHODS = frozenset({"sha1", "sha256", "sha384", "sha512"})
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def routes(app: App) -> list[Route]:
    """The callback of every subscription at a hub."""

    async def callback(request: Request) -> Response:
        token = request.path_params["token"]
        match request.method:
            case "POST":
                return await _take_notice(app, token, request)
            case "GET":
                return await run_in_threadpool(_answer_hub, app, token, request.query_params)
            case _:  # HEAD, which shall change nothing
                raise HTTPException(405, headers={"Allow": "GET, POST"})

    return [Route(CALLBACK + "{token}", callback, methods=["GET", "POST"])]


def _answer_hub(app: App, token: str, query: Mapping[str, str]) -> Response:
    """The challenge, where we asked for what the hub asks about; a GET that acts, because the standard says so."""
    mode, topic = query.get("hub.mode", ""), query.get("hub.topic", "")
    if mode == "denied" and accept_denial(app, token, topic=topic):
        return Response(headers=_HEADERS)
    challenge = query.get("hub.challenge", "")
    is_known = mode in {"subscribe", "unsubscribe"} and 0 < len(challenge) <= LONGEST_CHALLENGE
    lease_s = _read_seconds(query.get("hub.lease_seconds", ""))
    if not is_known or not confirm(app, token, mode=mode, topic=topic, lease_s=lease_s):
        raise HTTPException(404)
    return PlainTextResponse(challenge, headers=_HEADERS)


async def _take_notice(app: App, token: str, request: Request) -> Response:
    """410 ends what we know nothing of; a wrong signature is answered like a right one and changes nothing (§8)."""
    secret = await run_in_threadpool(find_signing_secret, app, token)
    if secret is None:
        raise HTTPException(410, "Nobody here wants to be told of this.")
    if await _is_signed(request, secret):
        await run_in_threadpool(mark_due, app, token)
    return Response(status_code=202, headers=_HEADERS)


async def _is_signed(request: Request, secret: bytes) -> bool:
    """Whether the body, byte for byte as it came, has the signature that its header names."""
    method, _, given = request.headers.get("x-hub-signature", "").partition("=")
    digest = hmac.new(secret, digestmod=method if method in _METHODS else "sha256")
    size = 0
    try:
        async with asyncio.timeout(SLOWEST_BODY_S):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_BODY_BYTES:
                    raise HTTPException(413, "The notice is too large.")
                digest.update(chunk)
    except (ClientDisconnect, TimeoutError) as error:
        raise HTTPException(408, "The request broke off.") from error
    is_equal = hmac.compare_digest(digest.hexdigest().encode(), given.strip().lower().encode())
    return is_equal and method in _METHODS


def _read_seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else LEASE_S
