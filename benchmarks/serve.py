"""Requests a second for a feed of 50 items, beside nginx with the same bytes: ``python -m benchmarks.serve``.

Each server has one core of its own, wrk another; all take turns, several rounds long.
"""

import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from benchmarks.feed_items import make_newsroom
from benchmarks.sink import find_tool, free_port, wait_for
from feeds.paths import FORMATS, path_of
from publisher.app import App
from publisher.usecases.catalogue import list_feeds, read_catalogue
from publisher.usecases.feed_tree import build_static

_ROUNDS = 3
_SECONDS = 2
_CONNECTIONS = 32
_ITEMS = 2000
_FEEDS_IN_USE = 1000
_PATH = "/feeds/en/all.atom"
_EXAMPLE = Path(__file__).parents[1] / "docs" / "nginx.conf"
_NGINX = "install the Debian package nginx-light"
_WRK = "install the Debian package wrk"

_BARE_SITE = """
server {{
    listen 127.0.0.1:{port};
    root {root};
    types {{ application/atom+xml atom; }}
    gzip_static on;
}}
"""
_MAIN = """
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass
class Server:
    """One that is measured, and what it did per second of wrk, by kind of answer."""

    name: str
    port: int
    pid: int
    rates: dict[int, list[float]] = field(default_factory=lambda: {200: [], 304: []})


def main() -> None:
    """Prints requests a second, the median of the rounds, and what part of nginx's that is."""
    for tool, hint in (("wrk", _WRK), ("nginx", _NGINX), ("taskset", "install the Debian package util-linux")):
        find_tool(tool, hint)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        port = free_port()
        app = make_newsroom(folder, items=_ITEMS, port=port)
        root = folder / "www"
        build_static(app, root)
        servers = [stack.enter_context(one) for one in _start_all(folder, root, service_port=port)]
        for _ in range(_ROUNDS):
            for server in servers:
                for status in (200, 304):
                    server.rates[status].append(_measure(server.port, status))
        _print(servers)
        _print_memory(app, next(one for one in servers if one.port == port))


def _start_all(folder: Path, root: Path, *, service_port: int) -> Iterator[AbstractContextManager[Server]]:
    compressed = root / f"{_PATH.lstrip('/')}.gz"
    yield _nginx("nginx", folder / "bare", _BARE_SITE.format(port=(bare := free_port()), root=root), port=bare)
    yield _nginx("tree behind nginx", folder / "example", _adapt_example(root, port := free_port()), port=port)
    config = str(folder / "publisher.toml")
    yield _process("service", service_port, [sys.executable, "-m", "publisher", "--config", config, "serve"])
    bare_port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.bare_asgi:app", "--port", str(bare_port)]
    command += ["--http", "httptools", "--ws", "none", "--lifespan", "off", "--log-level", "warning"]
    yield _process("ten lines of ASGI", bare_port, [*command, "--no-access-log"], BARE_FILE=str(compressed))


@contextmanager
def _nginx(name: str, folder: Path, site: str, *, port: int) -> Iterator[Server]:
    folder.mkdir()
    (folder / "site.conf").write_text(site)
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user))
    command = [find_tool("nginx", _NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with _process(name, port, command) as server:
        yield server


@contextmanager
def _process(name: str, port: int, command: Sequence[str], **environment: str) -> Iterator[Server]:
    with subprocess.Popen(
        ["taskset", "-c", "0", *command], env={**os.environ, **environment}, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(port, timeout_s=60)
            yield Server(name, port, process.pid)
        finally:
            process.terminate()


def _measure(port: int, status: int) -> float:
    """Requests a second, all answered so."""
    etag = _ask(port, _PATH).headers["ETag"]
    headers = ["-H", "Accept-Encoding: gzip", *(["-H", f"If-None-Match: {etag}"] if status == 304 else [])]
    core = str(max(os.sched_getaffinity(0)))
    command = ["taskset", "-c", core, "wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", *headers]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{_PATH}"], capture_output=True, text=True, check=True, timeout=60
    )
    found = re.search(r"Requests/sec:\s+([0-9.]+)", done.stdout)
    if found is None or "Non-2xx" in done.stdout:
        sys.exit(f"wrk says: {done.stdout}")
    return float(found[1])


def _print(servers: Sequence[Server]) -> None:
    nginx, *_ = servers
    for server in servers:
        for status, rates in server.rates.items():
            ratio = statistics.median(
                rate / of_nginx for rate, of_nginx in zip(rates, nginx.rates[status], strict=True)
            )
            print(f"{server.name:18} {status}: {statistics.median(rates):8,.0f}/s, {ratio:.2f} of nginx")


def _print_memory(app: App, service: Server) -> None:
    """Of the service, before and after so many feeds were asked for."""
    before = _resident_mb(service.pid)
    documents = ((criteria, form) for criteria in list_feeds(read_catalogue(app)) for form in FORMATS)
    for criteria, form in islice(documents, _FEEDS_IN_USE):
        _ask(service.port, path_of(criteria, form))
    after = _resident_mb(service.pid)
    print(f"memory of the service: {before:.0f} MB before; {after:.0f} MB in all with {_FEEDS_IN_USE:,} feeds in use")


def _resident_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def _ask(port: int, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def _adapt_example(root: Path, port: int) -> str:
    text = _EXAMPLE.read_text().replace("listen 127.0.0.1:8080;", f"listen 127.0.0.1:{port};")
    return text.replace("root /var/www/publisher;", f"root {root};")


if __name__ == "__main__":
    main()
