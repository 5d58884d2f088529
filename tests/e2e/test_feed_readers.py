"""Real feed readers follow a feed of the running service: what they get, what they ask again, what they forget."""

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import tomlkit
from feed_programs import Newsboat, Reader, ReaderLibrary, Rss2Email
from live_web import open_web
from newsroom_app import Newsroom, open_newsroom

from publisher.app import App
from publisher.store.items import select_items
from publisher.usecases.collect import collect
from publisher.usecases.feed_shelf import FeedShelf
from publisher.usecases.items import withdraw_item
from publisher.usecases.newsroom import apply
from publisher.web.documents import Answer
from publisher.web.feeds import FeedDesk
from publisher.web.quick import QuickApp
from publisher.web.server import make_web_app

pytestmark = pytest.mark.slow

Headers = Sequence[tuple[bytes, bytes]]


class WatchedDesk:
    """A desk that remembers the statuses it answered with; None for what was not in memory yet."""

    def __init__(self, desk: FeedDesk) -> None:
        self._desk = desk
        self.statuses: list[int | None] = []

    def answer(self, target: str, headers: Headers, peer: str | None) -> Answer | None:
        found = self._desk.answer(target, headers, peer)
        self.statuses.append(int(found.status) if found else None)
        return found


@dataclass
class Press:
    """The newsroom: a source with stories, and the service that collects it and publishes a feed."""

    app: App
    newsroom: Newsroom
    url: str
    desk: WatchedDesk
    stories: dict[str, str] = field(default_factory=dict)
    """Path → title; the text says its path."""

    def publish(self, **titles: str) -> None:
        """Write these stories and let them be collected."""
        self.stories |= titles
        self.newsroom.clock.forward(minutes=10)
        (report,) = collect(self.app, ["news"]).sources
        assert report.error in (None, "")

    def withdraw(self, path: str) -> None:
        self.newsroom.clock.forward(minutes=10)
        with self.app.database.read() as tx:
            item = next(item for item in select_items(tx) if item.url.endswith(f"/{path}"))
        withdraw_item(self.app, item.id, reason="It was not true.")


@contextmanager
def serve_source(write: Callable[[], str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = write().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def write_source(stories: dict[str, str]) -> str:
    items = "".join(
        f"<item><title>{escape(title)}</title><link>https://harbour.example/{path}</link><guid>{path}</guid>"
        f"<pubDate>Fri, 20 Nov 2026 0{place}:00:00 GMT</pubDate><description>All about {path}.</description></item>"
        for place, (path, title) in enumerate(stories.items())
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>N</title>{items}</channel></rss>'


@pytest.fixture
def press(tmp_path: Path) -> Iterator[Press]:
    with open_newsroom(tmp_path / "newsroom") as newsroom:
        web_app: QuickApp = make_web_app(newsroom.app, shelf=FeedShelf(newsroom.app, fresh_for_s=0))
        desk = WatchedDesk(web_app.desk)
        web_app.desk = desk  # type: ignore[assignment]  # it answers alike
        with open_web(newsroom.app, lambda _app: web_app) as client:
            press = Press(newsroom.app, newsroom, str(client.base_url).rstrip("/"), desk)
            with serve_source(lambda: write_source(press.stories)) as source_url:
                entry = {"id": "news", "kind": "feed", "url": f"{source_url}/rss", "language": "en", "every": "30m"}
                apply(newsroom.app, tomlkit.dumps({"sources": [entry | {"internal": True}]}), name="newsroom.toml")
                yield press


PROGRAMS: dict[str, tuple[str, Callable[[Path, str], Reader]]] = {
    "newsboat": ("newsboat", Newsboat),
    "rss2email": ("r2e", Rss2Email),
    "reader": ("", ReaderLibrary),
}


@pytest.fixture(
    params=[
        "newsboat-atom",
        "newsboat-rss",
        "rss2email-atom",
        "rss2email-rss",
        "reader-atom",
        "reader-rss",
        "reader-json",
    ]
)
def reader(request: pytest.FixtureRequest, press: Press, tmp_path: Path) -> Reader:
    """A reader that follows a feed of two stories and has polled it."""
    program, _, form = request.param.partition("-")
    command, follow = PROGRAMS[program]
    if command and shutil.which(command) is None:
        pytest.skip(f"{program} is not installed")
    press.publish(ferry="Ferries sail again", quay="The quay is mended & painted")
    (tmp_path / "reader").mkdir()
    reader = follow(tmp_path / "reader", f"{press.url}/feeds/en/all.{form}")
    assert reader.poll() == ["Ferries sail again", "The quay is mended & painted"]
    return reader


def test_every_poll_after_the_first_is_answered_by_304(press: Press, reader: Reader) -> None:
    # given
    for _ in range(reader.full_polls - 1):
        assert reader.poll() == []
    press.desk.statuses.clear()
    # when
    new = [reader.poll(), reader.poll()]
    # then
    assert press.desk.statuses == [304, 304]
    assert new == [[], []]
    shown = reader.shown()
    assert set(shown) == {"Ferries sail again", "The quay is mended & painted"}
    assert "All about ferry." in shown["Ferries sail again"]


def test_a_new_item_arrives_once(press: Press, reader: Reader) -> None:
    # when
    press.publish(light="The light burns")
    new = [reader.poll(), reader.poll()]
    # then
    assert new == [["The light burns"], []]
    assert "All about light." in reader.shown()["The light burns"]


def test_a_changed_item_is_not_a_new_one(press: Press, reader: Reader) -> None:
    # when
    press.publish(ferry="Ferries sail again on Monday")
    new = [reader.poll(), reader.poll()]
    # then
    assert new == [[], []]
    if not isinstance(reader, Rss2Email):  # a mail stays as it was sent
        assert set(reader.shown()) == {"Ferries sail again on Monday", "The quay is mended & painted"}


def test_a_withdrawn_item_goes_and_is_not_a_new_one(press: Press, reader: Reader) -> None:
    # when
    press.withdraw("ferry")
    new = [reader.poll(), reader.poll()]
    # then
    assert new == [[], []]
    if not isinstance(reader, Rss2Email):
        shown = reader.shown()
        assert set(shown) == {"Withdrawn: Ferries sail again", "The quay is mended & painted"}
        assert "All about ferry." not in str(shown)
        assert "It was not true." in shown["Withdrawn: Ferries sail again"]


def test_who_comes_later_reads_of_the_withdrawal_alone(press: Press, reader: Reader, tmp_path: Path) -> None:
    # given
    press.withdraw("ferry")
    (tmp_path / "later").mkdir()
    # when
    later = type(reader)(tmp_path / "later", f"{press.url}/feeds/all/all.atom")  # type: ignore[call-arg]  # see PROGRAMS
    new = later.poll()
    # then
    assert new == ["The quay is mended & painted", "Withdrawn: Ferries sail again"]
    assert "All about ferry." not in str(later.shown())
