"""A real web server on loopback that answers what a test tells it to, faults included."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class Reply:
    """One answer; ``write`` sends the body in its own way (slowly, broken) once the headers are out."""

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    write: Callable[[BinaryIO], None] | None = None


@dataclass
class Web:
    """The server: what it answers by path, and what it was asked, in order."""

    url: str
    replies: dict[str, Reply]
    requests: list[tuple[str, dict[str, str]]]

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def put(self, path: str, body: bytes | str = b"", status: int = 200, **headers: str) -> None:
        """Answer that path so from now on; ``{url}`` in a text stands for the server."""
        text = body.replace("{url}", self.url) if isinstance(body, str) else body
        self.replies[path] = Reply(text, status, {name.replace("_", "-"): value for name, value in headers.items()})

    def put_site(self, folder: Path, *, written_for: str) -> None:
        """Serve a folder of files whose links were written for another address."""
        for file in folder.rglob("*"):
            if file.is_file():
                path = "/" + file.relative_to(folder).as_posix()
                kind = "application/xml" if file.suffix == ".xml" else "text/html; charset=utf-8"
                text = file.read_text(encoding="utf-8").replace(written_for, self.url)
                self.put(path, text, Content_Type=kind)
                self.put(path.removesuffix("index.html"), text, Content_Type=kind)
                self.put(path.removesuffix("/index.html") or "/", text, Content_Type=kind)


@contextmanager
def serve(host: str = "127.0.0.1") -> Iterator[Web]:
    """A running server on a free port of that loopback address."""
    server = ThreadingHTTPServer((host, 0), _Handler)
    web = Web(f"http://{host}:{server.server_port}", {}, [])
    server.web = web  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        web: Web = self.server.web  # type: ignore[attr-defined]
        web.requests.append((self.path, dict(self.headers)))
        reply = web.replies.get(self.path, Reply("not here", 404))
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.write is None and reply.status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            (reply.write or (lambda wire: wire.write(body)))(self.wfile)  # type: ignore[arg-type, return-value]
        except OSError:
            self.close_connection = True  # the fetcher has had enough

    def log_message(self, *_: object) -> None:
        """Say nothing."""
