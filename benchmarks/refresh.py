"""What a new item among many costs: feeds in memory, files on the disk. ``python -m benchmarks.refresh``."""

import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path

from benchmarks.feed_items import make_items, make_newsroom
from feeds.paths import FORMATS, Address
from publisher.app import App
from publisher.store.item_changes import NewItem, insert_items
from publisher.usecases.catalogue import list_feeds, read_catalogue
from publisher.usecases.documents import Document
from publisher.usecases.feed_shelf import FeedShelf
from publisher.usecases.feed_tree import BuildReport, build_static

_ROUNDS = 10
_ITEMS = 100_000
_FEEDS_KEPT = 300


def main() -> None:
    """Prints seconds by the clock; of a machine that does nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        app = make_newsroom(Path(folder), items=_ITEMS)
        _measure_refresh(app)
        _measure_build(app, Path(folder) / "www")


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
    begin = time.perf_counter()
    catalogue = shelf.catalogue()
    now = {address: shelf.feed(address, catalogue) for address in kept}
    duration_ms = (time.perf_counter() - begin) * 1000
    renewed = sum(now[address] is not document for address, document in kept.items())
    kept.update(now)
    return duration_ms, renewed


def _measure_build(app: App, directory: Path) -> None:
    """All files, then none, then those of one new item."""
    for name in ("all files", "nothing new", "one new item"):
        if name == "one new item":
            with app.database.write() as tx:
                insert_items(tx, [next(make_items(read_catalogue(app), seed=3))], now=app.clock())
        begin = time.perf_counter()
        report = build_static(app, directory)
        duration_s = time.perf_counter() - begin
        print(f"static tree, {name}: {len(report.written)} of {_count(report)} files written in {duration_s:.1f} s")


def _count(report: BuildReport) -> int:
    return len(report.written) + len(report.unchanged)


if __name__ == "__main__":
    main()
