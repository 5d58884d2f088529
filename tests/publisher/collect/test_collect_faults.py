"""Bad sources: each is said clearly, none stops the others, nothing is lost."""

import asyncio
import gzip
import threading
from datetime import timedelta
from itertools import pairwise
from typing import Any, BinaryIO

import pytest
from local_web import Reply, Web, serve
from newsroom_steps import entry, feed, items, listing, page, quick, report_of, rows, rss, set_up, titles

from feeds.entries import Document, Entry
from publisher.app import App
from publisher.fetch.fetcher import Response
from publisher.store.schema import collections, sources
from publisher.usecases.following import follow


def fail(app: App, web: Web, bad: dict[str, Any], **limits: Any) -> str:
    """Collect the bad source before a good one; what is said of the bad one."""
    set_up(app, bad, feed(web, "good"))
    web.put("/good", rss(entry("x")))

    report = quick(app, **limits)

    assert report.has_failed
    assert report_of(report, "good").status == "ok"
    assert titles(app) == ["About x"]
    failed = report_of(report, bad["id"])
    assert failed.status == "failed"
    assert failed.error
    assert [row.error for row in rows(app, collections) if row.source_id == bad["id"]] == [failed.error]
    return failed.error


def test_a_page_that_is_not_there(app: App, web: Web) -> None:
    assert fail(app, web, feed(web, "bad")) == f"{web.url}/bad answered 404. Check the address"


def test_a_feed_that_is_html(app: App, web: Web) -> None:
    web.put("/bad", "<!doctype html><title>Login</title>")

    assert f"{web.url}/bad is HTML, not a feed" in fail(app, web, feed(web, "bad"))


def test_a_selector_that_matches_nothing(app: App, web: Web) -> None:
    web.put("/bad/", "<p>A new design</p>")

    error = fail(app, web, listing(web, "bad"))

    assert f"sources.bad.select.item: 'li' matched nothing on {web.url}/bad/" in error


def test_a_source_on_this_machine_that_is_not_internal(app: App, web: Web) -> None:
    web.put("/bad", rss(entry("secret")))

    assert "127.0.0.1 is not a public address" in fail(app, web, feed(web, "bad", internal=False))


def test_a_redirect_to_a_private_host(app: App, web: Web) -> None:
    with serve("127.0.0.2") as private:
        web.put("/bad", status=302, Location="http://127.0.0.2:{}/".format(web.url.rpartition(":")[2]))

        assert "127.0.0.2 is not a public address" in fail(app, web, feed(web, "bad"))

    assert private.requests == []


def test_a_body_that_explodes_when_decompressed(app: App, web: Web) -> None:
    web.put("/bad", gzip.compress(b" " * 5_000_000), Content_Encoding="gzip")

    assert "more than 100 times" in fail(app, web, feed(web, "bad"))


def test_a_body_that_is_too_large(app: App, web: Web) -> None:
    web.put("/bad", rss(*(entry(f"n{number}") for number in range(1_000))))

    assert "larger than 20000 bytes" in fail(app, web, feed(web, "bad"), max_bytes=20_000)


def test_a_source_that_drips(app: App, web: Web) -> None:
    has_ended = threading.Event()

    def drip(wire: BinaryIO) -> None:
        while not has_ended.wait(0.02):
            wire.write(b" ")

    web.replies["/bad"] = Reply(write=drip)

    assert "no complete answer within 0.3 seconds" in fail(app, web, feed(web, "bad"), total_s=0.3)
    has_ended.set()


def test_a_document_with_entities_of_its_own(app: App, web: Web) -> None:
    web.put("/bad", '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss>&a;</rss>')

    assert "declares entities of its own" in fail(app, web, feed(web, "bad"))


def test_a_listing_of_which_one_page_fails_gives_nothing_of_it(app: App, web: Web) -> None:
    web.put("/bad/", page("a", "b", rest='<a rel="next" href="?p=2">older</a>'))
    web.put("/bad/?p=2", status=503)

    assert "?p=2 answered 503" in fail(app, web, listing(web, "bad"))


def test_an_article_page_that_fails_at_the_first_collection_fails_the_source(app: App, web: Web) -> None:
    web.put("/bad/", page("a"))
    web.put("/a", status=500)

    assert "/a answered 500" in fail(app, web, listing(web, "bad", follow=True))


def test_a_bug_in_reading_one_source_is_recorded_and_the_others_go_on(
    app: App, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    web.put("/bad/", page("a"))
    monkeypatch.setattr("publisher.usecases.reading.parse_listing", break_down)

    assert "unexpected ZeroDivisionError, a bug of the publisher" in fail(app, web, listing(web, "bad"))


def break_writes(app: App, table: str) -> None:
    """From now on the database refuses rows of the bad source in that table."""
    with app.database.write() as tx:
        tx.exec_driver_sql(
            f"CREATE TRIGGER broken BEFORE INSERT ON {table} WHEN NEW.source_id = 'bad' "
            "BEGIN SELECT RAISE(ABORT, 'disk trouble'); END"
        )


def test_a_source_that_cannot_be_written_is_recorded_and_the_others_go_on(app: App, web: Web) -> None:
    break_writes(app, "sightings")
    web.put("/bad", rss(entry("y")))

    assert "could not be written (IntegrityError)" in fail(app, web, feed(web, "bad"))


def test_a_source_of_which_not_even_the_attempt_can_be_written_is_reported(app: App, web: Web) -> None:
    set_up(app, feed(web, "bad"), feed(web, "good"))
    break_writes(app, "collections")
    web.put("/bad", rss(entry("y")))
    web.put("/good", rss(entry("x")))

    report = quick(app)

    assert [source.status for source in report.sources] == ["failed", "ok"]
    assert titles(app) == ["About x"]


def test_a_visit_that_takes_too_long_as_a_whole(app: App, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    has_ended = threading.Event()
    web.put("/bad/", page("a"))
    web.replies["/a"] = Reply(write=lambda _: has_ended.wait() and None)
    monkeypatch.setattr("publisher.usecases.reading.LONGEST_VISIT_S", 0.3)

    error = fail(app, web, listing(web, "bad", follow=True), total_s=20)

    assert error == f"{web.url}/bad/ was not read within 0.3 seconds, its pages included. It is tried again later"
    has_ended.set()


class Pages:
    """A visit whose first page has a bug while its second never answers."""

    is_first = False

    def __init__(self) -> None:
        self.given_up: list[str] = []

    async def find_seen(self, _: object) -> set[Entry]:
        return set()

    async def fetch(self, url: str) -> Response:
        if url == "https://harbour.example/a":
            raise ZeroDivisionError
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.given_up.append(url)
            raise
        raise AssertionError


def test_after_a_bug_no_other_page_of_the_source_is_waited_for() -> None:
    pages = Pages()

    async def follow_both() -> list[str]:
        document = Document((Entry("https://harbour.example/a"), Entry("https://harbour.example/b")))
        with pytest.raises(ZeroDivisionError):
            await follow(pages, document)  # type: ignore[arg-type]
        await asyncio.sleep(0)
        return list(pages.given_up)

    assert asyncio.run(follow_both()) == ["https://harbour.example/b"]


def test_what_a_source_gave_before_it_failed_stays(app: App, web: Web) -> None:
    set_up(app, feed(web))
    web.put("/rss", rss(entry("x")))
    quick(app)
    before = items(app)

    web.put("/rss", "<html>maintenance</html>")
    quick(app, ["rss"])

    assert items(app) == before


def test_a_source_that_recovers_is_read_whole_and_its_backlog_is_still_its_backlog(
    app: App, web: Web, clock: Any
) -> None:
    set_up(app, feed(web))
    quick(app)
    clock.forward(hours=1)

    web.put("/rss", rss(entry("x")))
    report = quick(app)

    (row,) = rows(app, sources)
    assert (report.new, row.failures, row.first_collected_at) == (1, 0, clock.now)


# A gone or passing article page


def test_an_article_page_that_is_gone_leaves_its_entry_out_and_is_asked_for_again(app: App, web: Web) -> None:
    set_up(app, listing(web, follow=True))
    web.put("/news/", page("a", "b"), ETag='"1"')
    web.put("/a", "<h1>A</h1>")

    report = report_of(quick(app), "news")
    web.put("/b", "<h1>B</h1>")
    again = report_of(quick(app, ["news"]), "news")

    assert (report.status, report.new) == ("partial", 1)
    assert report.error == f"left out for now: {web.url}/b answered 404. Check the address"
    assert (again.status, again.new) == ("ok", 1)
    assert [headers.get("If-None-Match") for path, headers in web.requests if path == "/news/"] == [None, None]


def test_later_a_failing_article_page_leaves_only_its_own_entry_out(app: App, web: Web) -> None:
    set_up(app, listing(web, follow=True))
    web.put("/a", "<h1>A</h1>")
    web.put("/news/", page("a"))
    quick(app)

    web.put("/news/", page("c", "b", "a"))
    web.put("/b", status=500)
    web.put("/c", "<h1>C</h1>")
    report = report_of(quick(app, ["news"]), "news")

    assert (report.status, report.new) == ("partial", 1)
    assert len(items(app)) == 2


# When to try again


def test_failures_wait_longer_and_longer_up_to_a_day(app: App, web: Web, clock: Any) -> None:
    set_up(app, feed(web))
    waits = []
    for _ in range(12):
        assert quick(app).sources
        (row,) = rows(app, sources)
        waits.append(row.next_due_at - clock.now)
        clock.now = row.next_due_at

    assert timedelta(minutes=5) <= waits[0] <= timedelta(minutes=5.5)
    assert all(later >= 1.7 * earlier for earlier, later in pairwise(waits[:8]))
    assert waits[-1] == timedelta(days=1)


@pytest.mark.parametrize("retry_after", ["7200", "Sat, 07 Mar 2026 14:00:00 GMT"])
def test_a_source_that_says_when_to_come_again_is_left_alone_until_then(
    app: App, web: Web, clock: Any, retry_after: str
) -> None:
    set_up(app, feed(web))
    web.put("/rss", status=429, Retry_After=retry_after)

    quick(app)

    (row,) = rows(app, sources)
    assert row.next_due_at - clock.now == timedelta(hours=2)


def test_a_source_that_is_gone_for_good_is_ended_and_its_items_stay(app: App, web: Web) -> None:
    set_up(app, feed(web))
    web.put("/rss", rss(entry("x")))
    quick(app)

    web.put("/rss", status=410)
    report = quick(app, ["rss"])

    (row,) = rows(app, sources)
    assert "gone for good" in (report.sources[0].error or "")
    assert row.ended_at is not None
    assert len(items(app)) == 1
    assert quick(app).sources == ()


def test_a_source_that_staff_change_while_it_is_read_is_not_written(app: App, web: Web) -> None:
    set_up(app, feed(web))

    def change(wire: BinaryIO) -> None:
        set_up(app, feed(web, backlog="digest"))
        wire.write(rss(entry("x")).encode())

    web.replies["/rss"] = Reply(write=change)

    report = quick(app)

    assert "settings changed while it was read" in (report.sources[0].error or "")
    assert items(app) == []
