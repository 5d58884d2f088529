"""A WebSub hub by the book (W3C WebSub, 23 January 2018), on a real socket.

It takes subscriptions of whatever topic, verifies the intent, fetches a topic when its publisher says that it has
changed, and distributes it with a signature. What it was asked and told can be looked up, and it can be made to fail.
"""

import asyncio
import hmac
import secrets
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Form = dict[str, str]
Key = tuple[str, str]
"""(topic, callback)"""


@dataclass
class Subscription:
    secret: str
    lease_s: int


@dataclass
class Hub:
    """What the hub knows and has seen."""

    url: str = ""
    lease_s: int = 3_600
    method: str = "sha256"
    subscriptions: dict[Key, Subscription] = field(default_factory=dict)
    requests: list[Form] = field(default_factory=list)
    """Forms posted to it, in order."""
    deliveries: list[tuple[str, int]] = field(default_factory=list)
    """(topic, status of the subscriber's answer)."""
    refusals: list[int] = field(default_factory=list)
    """Statuses to answer the next requests with, instead of doing what they ask."""
    retry_after: str = ""
    is_held: bool = False
    """Whether it keeps those who ask waiting."""
    unverified: list[Key] = field(default_factory=list)
    verifies_first: bool = False
    """Whether it asks back before it answers, as some hubs do."""
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    """What its server shows beside the hub: (text, headers) by path."""

    def pings(self) -> list[str]:
        return [form["hub.url"] for form in self.requests if form.get("hub.mode") == "publish"]

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 10) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, "the hub waited too long"
            time.sleep(0.005)

    async def take(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        self.requests.append(form)
        while self.is_held:
            await asyncio.sleep(0.01)
        if self.refusals:
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return Response(status_code=self.refusals.pop(0), headers=headers)
        mode = form.get("hub.mode")
        if mode == "publish":
            await self._do(self.distribute(form["hub.url"]))
        elif mode in {"subscribe", "unsubscribe"} and form.get("hub.callback") and form.get("hub.topic"):
            await self._do(self.verify(mode, form))
        else:
            return PlainTextResponse("hub.mode, hub.topic and hub.callback, please", 400)
        return Response(status_code=202)

    async def show(self, request: Request) -> Response:
        text, headers = self.pages[request.url.path]
        return Response(text, headers=headers)

    async def verify(self, mode: str, form: Form) -> None:
        """§5.3: only what the subscriber confirms with the challenge is done."""
        key = (form["hub.topic"], form["hub.callback"])
        challenge = secrets.token_urlsafe(24)
        asked = {"hub.mode": mode, "hub.topic": key[0], "hub.challenge": challenge}
        if mode == "subscribe":
            asked["hub.lease_seconds"] = str(self.lease_s)
        answer = await self._call("GET", key[1], params=asked)
        if not 200 <= answer.status_code < 300 or answer.text != challenge:
            self.unverified.append(key)
        elif mode == "subscribe":
            self.subscriptions[key] = Subscription(form.get("hub.secret", ""), self.lease_s)
        else:
            self.subscriptions.pop(key, None)

    async def distribute(self, topic: str) -> None:
        """§7: the full content, with its media type, links to hub and topic, and a signature (§8)."""
        if all(key[0] != topic for key in self.subscriptions):
            return
        content = await self._call("GET", topic)
        for key, one in list(self.subscriptions.items()):
            if key[0] == topic:
                headers = {
                    "Content-Type": content.headers["content-type"],
                    "Link": f'<{self.url}>; rel="hub", <{topic}>; rel="self"',
                    "X-Hub-Signature": f"{self.method}={sign(one.secret, content.content, self.method)}",
                }
                answer = await self._call("POST", key[1], content=content.content, headers=headers)
                self.deliveries.append((topic, answer.status_code))
                if answer.status_code == 410:
                    del self.subscriptions[key]

    async def deny(self, topic: str, callback: str) -> int:
        asked = {"hub.mode": "denied", "hub.topic": topic, "hub.reason": "no more"}
        return (await self._call("GET", callback, params=asked)).status_code

    async def _do(self, work: Coroutine[None, None, None]) -> None:
        if self.verifies_first:
            await work
            return
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, method: str, url: str, **more: object) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            return await client.request(method, url, **more)  # type: ignore[arg-type]


def sign(secret: str, body: bytes, method: str = "sha256") -> str:
    return hmac.new(secret.encode(), body, method).hexdigest()


def callback_path(callback: str) -> str:
    parts = urlsplit(callback)
    return urlunsplit(("", "", parts.path, parts.query, ""))


@contextmanager
def open_hub(**settings: object) -> Iterator[Hub]:
    """A running hub; it ends with the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    hub = Hub(f"http://127.0.0.1:{listener.getsockname()[1]}/hub", **settings)  # type: ignore[arg-type]
    web = Starlette(routes=[Route("/hub", hub.take, methods=["POST"]), Route("/{page}", hub.show)])
    server = uvicorn.Server(uvicorn.Config(web, log_level="warning", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield hub
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
