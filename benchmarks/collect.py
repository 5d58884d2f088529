"""How long it takes to collect from a local server, and how much memory: ``python -m benchmarks.collect [ITEMS]``."""

import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import tomlkit

from benchmarks.newsroom import make_app
from publisher.app import App
from publisher.usecases.collect import collect
from publisher.usecases.newsroom import apply

PAGE_ITEMS = 100
SUMMARY = (
    "The harbour office of Moldova trains border guards in the handling of asylum requests and of lost cargo. " * 3
)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with tempfile.TemporaryDirectory() as folder, _serve(count) as url:
        app = make_app(Path(folder))
        _add_sources(app, url)
        first_s, first = _measure(app)
        again_s, again = _measure(app)
        app.database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"collect: {first:,} new items of a listing and a feed: {first_s:.2f} s, {first / first_s:,.0f} items/s; "
        f"again: {again} new, {again_s:.2f} s; peak memory {peak} MB"
    )


def _measure(app: App) -> tuple[float, int]:
    started = time.perf_counter()
    report = collect(app, ["listing", "feed"])
    assert not report.has_failed, report
    return time.perf_counter() - started, report.new


def _add_sources(app: App, url: str) -> None:
    common = {"language": "en", "every": "30m", "internal": True}
    select = {"item": "li", "title": "b", "link": "a", "summary": "p", "date": "i", "date_format": "%d %B %Y"}
    sources: list[dict[str, Any]] = [
        {"id": "listing", "kind": "listing", "url": f"{url}/0", "select": select | {"next": "a[rel=next]"}} | common,
        {"id": "feed", "kind": "feed", "url": f"{url}/feed"} | common,
    ]
    apply(app, tomlkit.dumps({"sources": sources}), name="benchmark")


@contextmanager
def _serve(count: int) -> Iterator[str]:
    """A server with half of the items in a listing of several pages, half in a feed."""
    pages = _make_pages(count // 2) | {"/feed": _make_feed(count - count // 2)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _make_pages(count: int) -> dict[str, bytes]:
    starts = range(0, count, PAGE_ITEMS)
    return {f"/{page}": _make_page(page, start, count=count) for page, start in enumerate(starts)}


def _make_page(page: int, start: int, *, count: int) -> bytes:
    end = min(start + PAGE_ITEMS, count)
    items = "".join(
        f'<li><a href="/l{number}"><b>Notice {number}</b></a><i>7 March 2026</i><p>{number}: {SUMMARY}</p></li>'
        for number in range(start, end)
    )
    following = f'<a rel="next" href="/{page + 1}">older</a>' if end < count else ""
    return f"<ul>{items}</ul>{following}".encode()


def _make_feed(count: int) -> bytes:
    items = "".join(
        f"<item><title>News {number}</title><link>/f{number}</link><guid>f{number}</guid>"
        f"<description>{number}: {SUMMARY}</description><pubDate>Sat, 07 Mar 2026 10:00:00 GMT</pubDate></item>"
        for number in range(count)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>N</title>{items}</channel></rss>'.encode()


if __name__ == "__main__":
    main()
