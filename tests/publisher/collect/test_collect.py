"""Collecting: from a web server on loopback to items in the database."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from local_web import Web
from newsroom_steps import entry, feed, items, listing, page, quick, report_of, rows, rss, set_up, titles

from publisher.app import App
from publisher.errors import NotFoundError
from publisher.store.schema import collections, sources
from publisher.store.schema import items as items_table
from publisher.usecases.collect import collect


def released(app: App) -> dict[str, datetime | None]:
    return {row.title: row.released_at for row in rows(app, items_table)}


def test_a_second_collection_finds_nothing_new(app: App, web: Web) -> None:
    set_up(app, listing(web), feed(web))
    web.put("/news/", page("quay", "fish"))
    web.put("/rss", rss(entry("fish?utm_source=rss"), entry("boats")))

    first = quick(app)
    again = quick(app, ["news", "rss"])

    assert first.to_json() == {
        "new": 3,
        "changed": 0,
        "unchanged": 1,
        "sources": [
            {"id": "news", "status": "ok", "entries": 2, "new": 2, "error": None},
            {"id": "rss", "status": "ok", "entries": 2, "new": 1, "error": None},
        ],
    }
    assert (again.new, again.changed, again.unchanged) == (0, 0, 4)
    assert titles(app) == ["About boats", "About fish", "About quay"]


def test_the_moment_of_the_first_collection_stays(app: App, web: Web, clock: Any) -> None:
    set_up(app, feed(web))
    web.put("/rss", rss())
    first_at = clock.now
    quick(app)
    clock.forward(days=2)

    quick(app)

    assert [row.first_collected_at for row in rows(app, sources)] == [first_at]


# Pages and articles


def test_all_pages_of_a_listing_are_read_and_a_loop_ends(app: App, web: Web) -> None:
    set_up(app, listing(web))
    web.put("/news/", page("a", rest='<a rel="next" href="?p=2">older</a>'))
    web.put("/news/?p=2", page("b", rest='<a rel="next" href="/news/">older</a>'))

    assert quick(app).new == 2
    assert web.paths == ["/news/", "/news/?p=2"]


def test_a_listing_that_was_read_before_is_read_up_to_a_page_without_news(app: App, web: Web) -> None:
    set_up(app, listing(web))
    for number in range(1, 4):
        rest = f'<a rel="next" href="?p={number + 1}">older</a>' if number < 3 else ""
        web.put("/news/" if number == 1 else f"/news/?p={number}", page(f"item-{number}", rest=rest))
    quick(app)
    web.requests.clear()

    web.put("/news/", page("item-0", rest='<a rel="next" href="?p=2">older</a>'))
    report = quick(app, ["news"])

    assert report.new == 1
    assert web.paths == ["/news/", "/news/?p=2"]


def test_an_endless_listing_is_read_for_twenty_pages(app: App, web: Web) -> None:
    set_up(app, listing(web))
    for number in range(40):
        web.put(f"/news/{number or ''}", page(f"item-{number}", rest=f'<a rel="next" href="/news/{number + 1}">x</a>'))

    report = quick(app)

    assert report.new == 20
    assert report.sources[0].error == f"only the first 20 pages were read, the next is {web.url}/news/20"


def test_an_article_page_is_read_once_for_title_date_and_address(app: App, web: Web) -> None:
    set_up(app, listing(web, follow=True, select={"item": "li", "link": "a", "summary": "a"}))
    web.put("/news/", '<ul><li><a href="/x?from=list">What the list says.</a></li></ul>')
    web.put(
        "/x?from=list",
        '<link rel="canonical" href="/x"><h1>The title</h1>'
        '<script type="application/ld+json">{"datePublished": "2026-02-01T09:00:00+01:00"}</script>',
    )

    quick(app)
    quick(app, ["news"])

    (item,) = items(app)
    assert (item.url, item.title, item.summary) == (f"{web.url}/x", "The title", "What the list says.")
    assert (item.day, item.date_source) == (date(2026, 2, 1), "source")
    assert web.paths.count("/x?from=list") == 1


def test_a_link_to_a_document_that_is_no_page_keeps_what_the_list_says(app: App, web: Web) -> None:
    set_up(app, listing(web, follow=True))
    web.put("/news/", page("report.pdf"))
    web.put("/report.pdf", b"%PDF-1.7", Content_Type="application/pdf")

    quick(app)

    assert titles(app) == ["About report.pdf"]


# Backlog and release


@pytest.mark.parametrize(("backlog", "is_mailed"), [("feeds", False), ("digest", True)])
def test_a_backlog_is_mailed_only_where_its_source_says_so(
    app: App, web: Web, clock: Any, *, backlog: str, is_mailed: bool
) -> None:
    set_up(app, feed(web, backlog=backlog))
    web.put("/rss", rss(entry("old")))
    first_at = clock.now
    quick(app)
    clock.forward(hours=1)

    web.put("/rss", rss(entry("new"), entry("old")))
    quick(app)

    assert released(app) == {"About old": first_at if is_mailed else None, "About new": clock.now}


def test_an_item_of_a_silent_backlog_is_released_when_another_source_shows_it_as_news(
    app: App, web: Web, clock: Any
) -> None:
    set_up(app, feed(web, "old"), feed(web, "other"))
    web.put("/old", rss(entry("x")))
    web.put("/other", rss())
    quick(app)
    clock.forward(hours=1)

    web.put("/other", rss(entry("x")))
    quick(app)

    assert released(app) == {"About x": clock.now}


# Conditional requests and schedule


def test_what_has_not_changed_is_not_sent_again(app: App, web: Web, clock: Any) -> None:
    set_up(app, feed(web))
    web.put("/rss", rss(entry("x")), ETag='W/"v 1"', Last_Modified="some day")
    quick(app)
    clock.forward(hours=1)

    web.put("/rss", status=304)
    report = report_of(quick(app), "rss")

    assert (report.status, report.entries, report.error) == ("not-modified", 0, None)
    assert web.requests[-1][1]["If-None-Match"] == 'W/"v 1"'
    assert web.requests[-1][1]["If-Modified-Since"] == "some day"


def test_a_source_is_asked_again_when_it_is_due_and_not_before(app: App, web: Web, clock: Any) -> None:
    set_up(app, feed(web, every="2h"))
    web.put("/rss", rss(entry("x")))
    quick(app)

    clock.forward(minutes=119)
    early = quick(app)
    clock.forward(minutes=1)
    due = quick(app)

    assert early.sources == ()
    assert [source.id for source in due.sources] == ["rss"]


def test_a_source_may_ask_to_be_asked_less_often_but_not_more(app: App, web: Web, clock: Any) -> None:
    set_up(app, feed(web, "slow", every="30m"), feed(web, "fast", every="30m"))
    web.put("/slow", rss(), Cache_Control="public, max-age=7200")
    web.put("/fast", rss(), Cache_Control="max-age=1")

    quick(app)

    due = {row.id: row.next_due_at - clock.now for row in rows(app, sources)}
    assert due == {"slow": timedelta(hours=2), "fast": timedelta(minutes=30)}


def test_a_source_that_has_moved_for_good_is_asked_there(app: App, web: Web) -> None:
    set_up(app, feed(web))
    web.put("/rss", status=301, Location="/new-rss")
    web.put("/new-rss", rss(entry("x")))
    quick(app)
    web.requests.clear()

    quick(app, ["rss"])

    assert web.paths == ["/new-rss"]


def test_every_attempt_is_kept(app: App, web: Web, clock: Any) -> None:
    set_up(app, feed(web))
    web.put("/rss", rss(entry("x")))
    quick(app)
    web.put("/rss", status=500)
    quick(app, ["rss"])

    kept = [(row.status, row.entries, row.new, row.at) for row in rows(app, collections)]

    assert kept == [("ok", 1, 1, clock.now), ("failed", 0, 0, clock.now)]


def test_an_unknown_source_is_named_with_those_that_there_are(app: App, web: Web) -> None:
    set_up(app, feed(web))

    with pytest.raises(NotFoundError, match=r"no active source nws\. There are: rss"):
        collect(app, ["nws"])


def test_without_sources_there_is_nothing_to_do(app: App) -> None:
    assert collect(app).sources == ()


def test_progress_is_told_source_by_source_in_their_order(app: App, web: Web) -> None:
    set_up(app, feed(web, "one"), feed(web, "two"))
    told: list[tuple[str, int]] = []

    collect(app, progress=lambda report, total: told.append((report.id, total)))

    assert told == [("one", 2), ("two", 2)]
