"""How long a feed of 50 items takes: ``python -m benchmarks.feeds``."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from feeds.model import Classification, Image, Item
from feeds.paths import FORMATS
from feeds.render import FeedInfo, check_document, make_feed, render

_ROUNDS = 20
_NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def main() -> None:
    """Prints milliseconds of processor time, the best of several rounds."""
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
