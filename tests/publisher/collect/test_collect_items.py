"""What becomes an item, by what it is known again, and what it keeps of its sources."""

from datetime import date
from typing import Any

import pytest
from local_web import Web
from newsroom_steps import entry, feed, items, listing, page, quick, report_of, rows, rss, set_up, story, titles

from publisher.app import App
from publisher.store.schema import item_keys, item_versions
from publisher.store.schema import items as items_table


def test_an_item_keeps_what_its_source_says_and_is_classified(app: App, web: Web) -> None:
    set_up(app, listing(web))
    web.put("/news/", f"<ul>{story('x', title='Training in Moldova', summary='For border guards.')}</ul>")

    quick(app)

    (item,) = items(app)
    assert (item.url, item.day, item.date_source) == (f"{web.url}/x", date(2026, 3, 1), "source")
    assert (item.summary, item.language) == ("For border guards.", "en")
    assert item.classification.countries == ("MD",)


def test_known_tracking_parameters_are_the_only_ones_that_go(app: App, web: Web) -> None:
    set_up(app, feed(web))
    web.put("/rss", rss(entry("x?id=1&amp;utm_medium=mail"), entry("x?id=2", title="About x?id=1&amp;utm_medium=mail")))

    quick(app)

    assert [item.url for item in items(app)] == [f"{web.url}/x?id=1", f"{web.url}/x?id=2"]


def test_equal_titles_alone_are_two_items(app: App, web: Web) -> None:
    set_up(app, listing(web))
    web.put("/news/", f"<ul>{story('a', title='Notice')}{story('b', title='Notice')}</ul>")

    assert quick(app).new == 2


@pytest.mark.parametrize(
    ("later", "new"),
    [
        (entry("moved", guid="g1", title="Same"), 0),
        (entry("a", guid="g2", title="Same"), 0),
        (entry("b", guid="g2", title="Same"), 1),
    ],
)
def test_an_item_is_known_by_its_guid_or_its_address(app: App, web: Web, later: str, new: int) -> None:
    set_up(app, feed(web))
    web.put("/rss", rss(entry("a", guid="g1", title="Same")))
    quick(app)

    web.put("/rss", rss(later))

    assert quick(app, ["rss"]).new == new


def test_after_its_address_and_then_its_guid_has_changed_an_item_is_still_itself(app: App, web: Web) -> None:
    set_up(app, feed(web))
    for later in (entry("a", guid="g1"), entry("b", guid="g1"), entry("b", guid="g2"), entry("c", guid="g2")):
        web.put("/rss", rss(later))
        quick(app, ["rss"])

    assert len(items(app)) == 1
    assert len(rows(app, item_keys)) == 5


def test_a_feed_that_shows_one_entry_at_a_time_at_one_address_loses_none(app: App, web: Web) -> None:
    set_up(app, feed(web))
    for guid, title in (("g1", "Storm warning"), ("g2", "Flood warning"), ("g1", "Storm warning"), ("g2", "Flood")):
        web.put("/rss", rss(entry("now", guid=guid, title=title)))
        quick(app, ["rss"])

    assert sorted(titles(app)) == ["Flood", "Storm warning"]


@pytest.mark.parametrize("canonical", ["/news/", "/section"])
def test_pages_that_all_give_one_canonical_address_are_items_of_their_own(app: App, web: Web, canonical: str) -> None:
    set_up(app, listing(web, follow=True))
    shown: list[str] = []
    for name in "abcd":
        web.put(f"/{name}", f'<link rel="canonical" href="{canonical}"><h1>About {name}</h1>')
        shown.insert(0, name)
        web.put("/news/", page(*shown))
        quick(app, ["news"])

    own = {f"{web.url}/{name}" for name in "bcd"}
    assert sorted(titles(app)) == ["About a", "About b", "About c", "About d"]
    assert own <= {item.url for item in items(app)}


def test_two_items_that_turn_out_to_be_one_stay_two_and_are_said(app: App, web: Web) -> None:
    set_up(app, listing(web, "a"), listing(web, "b", follow=True), listing(web, "c"))
    web.put("/a/", f"<ul>{story('y', title='Same')}</ul>")
    web.put("/b/", f"<ul>{story('y', title='Same')}</ul>")
    web.put("/c/", f"<ul>{story('x', title='Same')}</ul>")
    web.put("/y", '<link rel="canonical" href="/x"><h1>Same</h1>')

    reports = [report_of(quick(app, [source_id]), source_id) for source_id in ("a", "c", "b")]

    assert len(items(app)) == 2
    assert reports[-1].error == f"1 entries lead to several items by their addresses, first {web.url}/y"


def test_a_changed_item_keeps_its_old_text_as_a_version(app: App, web: Web, clock: Any) -> None:
    set_up(app, listing(web))
    web.put("/news/", f"<ul>{story('x', title='Tarde')}</ul>")
    quick(app)
    clock.forward(hours=1)

    web.put("/news/", f"<ul>{story('x', title='Trade')}</ul>")
    report = quick(app)

    assert (report.new, report.changed) == (0, 1)
    (item,) = items(app)
    assert (item.title, item.updated_at) == ("Trade", clock.now)
    (version,) = rows(app, item_versions)
    assert (version.version, version.until, version.content["title"]) == (1, clock.now, "Tarde")


def test_collecting_the_same_again_changes_no_moment_of_an_item(app: App, web: Web, clock: Any) -> None:
    set_up(app, listing(web))
    web.put("/news/", page("quay"))
    quick(app)
    before = rows(app, items_table)
    clock.forward(days=2)

    quick(app)

    assert rows(app, items_table) == before


def test_an_undated_item_is_first_seen_until_some_source_dates_it(app: App, web: Web, clock: Any) -> None:
    set_up(app, listing(web), feed(web))
    web.put("/news/", f"<ul>{story('x', date='')}</ul>")
    web.put("/rss", rss())
    quick(app)
    seen = items(app)[0]
    clock.forward(days=1)

    web.put("/rss", rss(entry("x", more="<pubDate>Sun, 01 Mar 2026 10:00:00 GMT</pubDate>")))
    quick(app)

    dated = items(app)[0]
    assert (seen.day, seen.date_source) == (date(2026, 3, 7), "first-seen")
    assert (dated.day, dated.date_source) == (date(2026, 3, 1), "source")


def test_a_date_that_is_not_understood_is_said_and_not_guessed(app: App, web: Web) -> None:
    set_up(app, listing(web))
    web.put("/news/", f"<ul>{story('x', date='03/07/2026')}</ul>")

    report = report_of(quick(app), "news")

    assert (report.status, report.new) == ("ok", 1)
    assert report.error == "1 dates were not understood or not believed, first '03/07/2026'"
    assert items(app)[0].date_source == "first-seen"


def test_an_entry_without_a_title_is_no_item(app: App, web: Web) -> None:
    set_up(app, feed(web))
    web.put("/rss", rss(entry("a"), "<item><link>/b</link></item>"))

    report = report_of(quick(app), "rss")

    assert titles(app) == ["About a"]
    assert report.error == f"1 entries without a title were left out, first {web.url}/b"


# Three rotations of six: every source is once first, once between and once last. All orders are tried on the decider.
@pytest.mark.parametrize("order", [("one", "two", "three"), ("three", "one", "two"), ("two", "three", "one")])
def test_the_items_are_the_same_in_any_order_of_reading(app: App, web: Web, order: tuple[str, ...]) -> None:
    set_up(app, listing(web, "one"), listing(web, "two"), feed(web, "three"))
    web.put("/one/", f"<ul>{story('x', title='From one', date='')}{story('y', title='Y', date='')}</ul>")
    web.put("/two/", f"<ul>{story('x', title='From two', summary='Two says.')}</ul>")
    web.put("/three", rss(entry("x", title="From three", more="<category>Third</category>")))

    for source_id in order:
        quick(app, [source_id])

    shown = [(item.title, item.summary, item.category, item.day, item.date_source) for item in items(app)]
    assert shown == [
        ("From one", "All of x.", "Third", date(2026, 3, 1), "source"),
        ("Y", "All of y.", "", date(2026, 3, 7), "first-seen"),
    ]
