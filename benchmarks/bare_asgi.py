"""The least that an ASGI application can do: one document, or 304. ``BARE_FILE`` names its bytes."""

import os
from pathlib import Path
from typing import Any

_BODY = Path(os.environ.get("BARE_FILE", os.devnull)).read_bytes()
_HEADERS = [(b"etag", b'"1"'), (b"cache-control", b"public, max-age=300"), (b"vary", b"Accept-Encoding")]
_ABOUT_BODY = [(b"content-type", b"application/atom+xml; charset=utf-8"), (b"content-encoding", b"gzip")]
_LENGTH = [(b"content-length", b"%d" % len(_BODY))]


async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:  # Any: ASGI's messages
    is_unchanged = any(name == b"if-none-match" for name, _ in scope["headers"])
    headers = _HEADERS if is_unchanged else _HEADERS + _ABOUT_BODY + _LENGTH
    await send({"type": "http.response.start", "status": 304 if is_unchanged else 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_unchanged else _BODY})
