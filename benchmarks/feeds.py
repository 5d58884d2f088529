"""How long a feed of 50 items takes, and what a new item costs: ``python -m benchmarks.feeds``."""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

from benchmarks.feed_items import make_items, make_newsroom
from feeds.model import Classification, Image, Item
from feeds.paths import FORMATS, Address
from feeds.render import FeedInfo, check_document, make_feed, render
from publisher.app import App
from publisher.store.item_changes import NewItem, insert_items
from publisher.usecases.catalogue import list_feeds, read_catalogue
from publisher.usecases.documents import Document
from publisher.usecases.feed_shelf import FeedShelf
from publisher.usecases.feed_tree import BuildReport, build_static

_ROUNDS = 20
_ITEMS = 100_000
_FEEDS_KEPT = 300
_NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def main() -> None:
    """Prints milliseconds of processor time."""
    _measure_rendering()
    with tempfile.TemporaryDirectory() as folder:
        app = make_newsroom(Path(folder), items=_ITEMS)
        _measure_refresh(app)
        _measure_build(app, Path(folder) / "www")


def _measure_rendering() -> None:
    """The best of several rounds."""
    items, info = [_make_item(number) for number in range(50)], _make_info()
    feed = make_feed(info, items)
    durations = {"clean": _measure(lambda: make_feed(info, items))}
    for form in FORMATS:
        document = render(feed, form)
        durations[form] = _measure(lambda form=form: render(feed, form))
        durations[f"{form}, read back"] = _measure(
            lambda form=form, document=document: check_document(document, feed, form)
        )
    for name, duration_ms in [*durations.items(), ("all formats", sum(durations.values()))]:
        print(f"{name:18} {duration_ms:6.1f} ms")


def _measure_refresh(app: App) -> None:
    """From a new item until every kept document is as it should be; the median of several items."""
    shelf = FeedShelf(app, fresh_for_s=0)
    catalogue = shelf.catalogue()
    wanted = islice((Address(one, form) for one in list_feeds(catalogue) for form in FORMATS), _FEEDS_KEPT)
    kept = {address: shelf.feed(address, catalogue) for address in wanted}
    measured = [_refresh(app, shelf, kept=kept, item=item) for item in islice(make_items(catalogue, seed=2), _ROUNDS)]
    durations_ms, renewed = zip(*measured, strict=True)
    print(
        f"a new item among {_ITEMS:,}: {statistics.median(renewed):.0f} of {_FEEDS_KEPT} kept documents renewed"
        f" in {statistics.median(durations_ms):.0f} ms; at most {max(renewed)} in {max(durations_ms):.0f} ms"
    )


def _refresh(app: App, shelf: FeedShelf, *, kept: dict[Address, Document], item: NewItem) -> tuple[float, int]:
    """Milliseconds, and how many documents were renewed."""
    with app.database.write() as tx:
        insert_items(tx, [item], now=app.clock())
    begin = time.process_time()
    catalogue = shelf.catalogue()
    now = {address: shelf.feed(address, catalogue) for address in kept}
    duration_ms = (time.process_time() - begin) * 1000
    renewed = sum(now[address] is not document for address, document in kept.items())
    kept.update(now)
    return duration_ms, renewed


def _measure_build(app: App, directory: Path) -> None:
    """All files, then none, then those of one new item."""
    for name in ("all files", "nothing new", "one new item"):
        if name == "one new item":
            with app.database.write() as tx:
                insert_items(tx, [next(make_items(read_catalogue(app), seed=3))], now=app.clock())
        begin = time.process_time()
        report = build_static(app, directory)
        duration_s = time.process_time() - begin
        print(f"static tree, {name}: {len(report.written)} of {_count(report)} files written in {duration_s:.1f} s")


def _count(report: BuildReport) -> int:
    return len(report.written) + len(report.unchanged)


def _measure(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best * 1000


def _make_item(number: int) -> Item:
    return Item(
        id=number,
        uid=f"uid{number}",
        url=f"https://harbour.example/news/{number}",
        title=f"Ferry line {number} opens between the islands & the mainland",
        summary="The council and the port open another line. " * 8,
        language="en",
        day=date(2026, 11, 20),
        date_source="source",
        published_at=_NOON - timedelta(days=number),
        updated_at=_NOON,
        content_html=f"<p>{'More on the timetable, the ships and the fares. ' * 20}<a href='/lines'>All lines</a></p>",
        authors=("Ada Marin",),
        images=(Image(f"https://harbour.example/ferry-{number}.jpg", "image/jpeg", 48_000 + number),),
        classification=Classification(
            themes=("asylum", "development"),
            regions=("africa",),
            kind="event",
            event_dates=(date(2026, 12, 1), date(2026, 12, 1 + number % 30)),
        ),
    )


def _make_info() -> FeedInfo:
    return FeedInfo(
        authority="harbour.example,2026",
        name="feeds/en/all",
        title="Harbour News",
        subtitle="All the news of the harbour",
        urls={form: f"https://harbour.example/feeds/en/all.{form}" for form in FORMATS},
        page_url="https://harbour.example/feeds/en/all.html",
        site_name="Harbour News",
        updated=_NOON,
    )


if __name__ == "__main__":
    main()
