"""Hubs are told of each changed feed: after the commit, until they answer, and of no other."""

import asyncio
import fcntl
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hub import Hub, open_hub
from newsroom_app import MONDAY, Newsroom, with_hubs
from sqlalchemy import insert

from feeds.content import content_of
from feeds.model import Translation
from feeds.urls import make_url_key
from publisher.app import open_app
from publisher.store.hubs import end_ping, list_due_pings
from publisher.store.item_changes import NewItem, change_item, insert_items
from publisher.store.items import read_item
from publisher.store.schema import item_keys
from publisher.store.schema_hubs import hub_pings
from publisher.store.translations import link_translations
from publisher.usecases.feed_tree import build_static
from publisher.usecases.hub_pings import FIRST_RETRY_S, MOST_ATTEMPTS, PingReport, note_changes, ping_hubs
from publisher.usecases.items import withdraw_item
from publisher.usecases.service import hub_tick

SITE = "https://harbour.example/feeds/"


def tell(newsroom: Newsroom) -> PingReport:
    note_changes(newsroom.app)
    return asyncio.run(ping_hubs(newsroom.app))


def told(hub: Hub) -> set[str]:
    """The feeds of which the hub was told, without their formats; it forgets them."""
    feeds = {url.removeprefix(SITE).rpartition(".")[0] for url in hub.pings()}
    hub.requests.clear()
    return feeds


def relabel(newsroom: Newsroom, number: int, **labels: Any) -> None:
    with newsroom.app.database.write() as tx:
        item = read_item(tx, number)
        classification = replace(item.classification, **labels)
        change_item(tx, number, content=content_of(item), classification=classification, now=newsroom.clock.now)


def test_a_hub_is_told_of_every_feed_that_a_new_item_belongs_to(newsroom: Newsroom, hub: Hub) -> None:
    # given
    newsroom.add_item(released_at=MONDAY, themes=["asylum"], regions=["africa"], language="fr")
    # when
    report = tell(newsroom)
    # then
    assert all(form["hub.mode"] == "publish" and form["hub.topic"] == form["hub.url"] for form in hub.requests)
    assert f"{SITE}fr/theme/asylum/region/africa.atom" in hub.pings()
    assert {url.rpartition(".")[2] for url in hub.pings()} == {"atom", "rss", "json"}
    assert report == PingReport(sent=len(hub.pings()))
    assert told(hub) == {
        f"{language}/{name}"
        for language in ("all", "fr")
        for name in ("all", "theme/asylum", "region/africa", "theme/asylum/region/africa")
    }


def test_nothing_new_tells_nobody(newsroom: Newsroom, hub: Hub) -> None:
    # given
    newsroom.add_item(released_at=MONDAY)
    tell(newsroom)
    hub.requests.clear()
    # when
    report = tell(newsroom)
    # then
    assert report == PingReport()
    assert hub.requests == []


def test_a_feed_that_an_item_leaves_has_changed_too(newsroom: Newsroom, hub: Hub) -> None:
    # given
    number = newsroom.add_item(released_at=MONDAY, themes=["asylum"], regions=[])
    tell(newsroom)
    hub.requests.clear()
    # when
    relabel(newsroom, number, themes=("development",), primary_theme="development")
    tell(newsroom)
    # then
    both = {"all/all", "all/theme/asylum", "all/theme/development"}
    assert told(hub) == both | {name.replace("all/", "en/", 1) for name in both}


def join(newsroom: Newsroom, original: int, *, title: str) -> int:
    """A French item that its source calls a translation of that one; its number."""
    with newsroom.app.database.write() as tx:
        first = read_item(tx, original)
        led_to = (Translation(first.language, first.url),)
        content = replace(content_of(first), language="fr", url=f"{first.url}/fr", title=title, alternates=led_to)
        (number,) = insert_items(tx, [NewItem(title, content, first.classification)], now=newsroom.clock.now)
        tx.execute(insert(item_keys).values(key=f"url:{make_url_key(first.url)}", item_id=original))
        link_translations(tx, [number], written=[number], now=newsroom.clock.now)
    return number


def test_a_translation_that_comes_is_told_of_the_feeds_that_lead_to_it(newsroom: Newsroom, hub: Hub) -> None:
    # given
    number = newsroom.add_item(released_at=MONDAY)
    tell(newsroom)
    hub.requests.clear()
    newsroom.clock.forward(hours=1)
    # when
    french = join(newsroom, number, title="En français")
    tell(newsroom)
    # then
    assert {"en/all", "fr/all", "all/all"} <= told(hub)
    with newsroom.app.database.read() as tx:
        first, other = read_item(tx, number), read_item(tx, french)
    assert (first.version, other.version) == (2, 1)
    assert first.updated_at >= newsroom.clock.now


def test_a_translation_that_is_withdrawn_is_told_of_the_feeds_that_led_to_it(newsroom: Newsroom, hub: Hub) -> None:
    # given
    number = newsroom.add_item(released_at=MONDAY)
    french = join(newsroom, number, title="En français")
    tell(newsroom)
    hub.requests.clear()
    # when
    withdraw_item(newsroom.app, french)
    tell(newsroom)
    # then
    assert {"en/all", "fr/all"} <= told(hub)


def test_many_changes_between_two_ticks_are_told_once(newsroom: Newsroom, hub: Hub) -> None:
    # given
    number = newsroom.add_item(released_at=MONDAY)
    for theme in ("development", "asylum", "development"):
        relabel(newsroom, number, themes=(theme,), primary_theme=theme)
    # when
    tell(newsroom)
    # then
    assert len(hub.pings()) == len(set(hub.pings()))
    assert {"all/theme/development", "all/theme/asylum"} <= told(hub)


def test_a_calendar_is_told_only_where_there_are_days(newsroom: Newsroom, hub: Hub) -> None:
    # given
    number = newsroom.add_item(released_at=MONDAY)
    relabel(newsroom, number, deadline=date(2026, 12, 24))
    # when
    tell(newsroom)
    # then
    assert f"{SITE}all/all.ics" in hub.pings()


def test_a_change_while_the_hub_is_told_is_told_again(newsroom: Newsroom, hub: Hub) -> None:
    # given
    number = newsroom.add_item(released_at=MONDAY)
    note_changes(newsroom.app)
    with newsroom.app.database.read() as tx:
        under_way = list_due_pings(tx, hub.url, now=MONDAY, limit=100)
    # when
    newsroom.clock.forward(seconds=1)
    relabel(newsroom, number, kind="event")
    note_changes(newsroom.app)
    with newsroom.app.database.write() as tx:
        for ping in under_way:
            end_ping(tx, ping)
    # then
    assert tell(newsroom).sent == len(under_way)
    assert newsroom.rows(hub_pings) == []


def test_a_hub_that_is_down_is_tried_again_later_each_time_and_nothing_is_forgotten(
    newsroom: Newsroom, hub: Hub
) -> None:
    # given
    newsroom.add_item(released_at=MONDAY)
    hub.refusals = [503, 503]
    # when
    first = tell(newsroom)
    # then
    assert len(hub.requests) == 1, "the rest would fare no better"
    assert first.sent == 0
    assert first.postponed == len(newsroom.rows(hub_pings)) > 1
    assert tell(newsroom) == PingReport(), "not before its time"
    # when
    newsroom.clock.forward(seconds=FIRST_RETRY_S)
    second = tell(newsroom)
    newsroom.clock.forward(seconds=FIRST_RETRY_S)
    third = tell(newsroom)
    newsroom.clock.forward(seconds=FIRST_RETRY_S)
    last = tell(newsroom)
    # then
    assert (second.postponed, third, last.sent) == (first.postponed, PingReport(), first.postponed)
    assert newsroom.rows(hub_pings) == []


def test_a_hub_that_says_when_is_asked_then(newsroom: Newsroom, hub: Hub) -> None:
    # given
    newsroom.add_item(released_at=MONDAY)
    hub.refusals = [429]
    hub.retry_after = "7200"
    # when
    tell(newsroom)
    # then
    assert {row["next_attempt_at"] for row in newsroom.rows(hub_pings)} == {MONDAY + timedelta(hours=2)}


def test_a_feed_that_the_hub_refuses_holds_up_no_other(newsroom: Newsroom, hub: Hub) -> None:
    # given
    newsroom.add_item(released_at=MONDAY)
    hub.refusals = [400]
    # when
    report = tell(newsroom)
    # then
    assert report.postponed == 1
    assert report.sent == len(hub.requests) - 1 > 0


def test_a_hub_that_is_down_for_days_is_given_up_until_the_next_change(newsroom: Newsroom, hub: Hub) -> None:
    # given
    newsroom.add_item(released_at=MONDAY)
    hub.refusals = [503] * MOST_ATTEMPTS
    # when
    reports = [tell(newsroom)]
    for _ in range(MOST_ATTEMPTS - 1):
        newsroom.clock.forward(hours=7)
        reports.append(tell(newsroom))
    # then
    assert all(report.given_up == 0 for report in reports[:-1])
    assert reports[-1].given_up > 0
    assert newsroom.rows(hub_pings) == []


def test_what_was_to_be_told_survives_a_restart(newsroom: Newsroom, hub: Hub) -> None:
    # given
    newsroom.add_item(released_at=MONDAY)
    note_changes(newsroom.app)
    newsroom.app.database.close()
    restarted = open_app(newsroom.config_file, newsroom.clock)
    # when
    report = asyncio.run(ping_hubs(replace(restarted, config=newsroom.app.config)))
    restarted.database.close()
    # then
    assert report.sent == len(hub.pings()) > 0


def test_a_hub_that_nobody_listens_at_does_not_hold_up_another(newsroom: Newsroom, hub: Hub) -> None:
    # given
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    newsroom.app = with_hubs(newsroom.app, nobody, hub.url)
    newsroom.add_item(released_at=MONDAY)
    # when
    report = tell(newsroom)
    # then
    assert report.sent == report.postponed == len(hub.pings()) > 0


def test_a_hub_that_does_not_answer_yet_does_not_hold_up_another(newsroom: Newsroom, hub: Hub) -> None:
    # given
    with open_hub(is_held=True) as slow, ThreadPoolExecutor(1) as threads:
        newsroom.app = with_hubs(newsroom.app, slow.url, hub.url)
        newsroom.add_item(released_at=MONDAY)
        note_changes(newsroom.app)
        # when
        telling = threads.submit(asyncio.run, ping_hubs(newsroom.app))
        try:
            # then
            hub.wait_until(lambda: {row["hub"] for row in newsroom.rows(hub_pings)} == {slow.url}, timeout_s=5)
        finally:
            slow.is_held = False
        assert telling.result().sent == 2 * len(hub.pings()) > 0


def test_what_waits_for_one_hub_crowds_out_no_other(
    newsroom: Newsroom, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr("publisher.usecases.hub_pings.PINGS_AT_ONCE", 1)
    with open_hub() as other:
        newsroom.app = with_hubs(newsroom.app, hub.url, other.url)
        newsroom.add_item(released_at=MONDAY)
        # when
        tell(newsroom)
        # then
        assert len(hub.pings()) == len(other.pings()) == 1


def test_a_hub_that_takes_too_long_goes_on_at_the_next_tick(
    newsroom: Newsroom, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    newsroom.add_item(released_at=MONDAY)
    note_changes(newsroom.app)
    waiting = len(newsroom.rows(hub_pings))
    with monkeypatch.context() as patch:
        patch.setattr("publisher.usecases.hub_pings.TURN_S", 0)
        # when
        assert tell(newsroom) == PingReport()
    # then
    assert tell(newsroom) == PingReport(sent=waiting)


def test_a_hub_that_is_configured_no_more_is_forgotten(newsroom: Newsroom, hub: Hub) -> None:
    # given
    newsroom.add_item(released_at=MONDAY)
    note_changes(newsroom.app)
    newsroom.app = with_hubs(newsroom.app)
    # when
    asyncio.run(hub_tick(newsroom.app))
    # then
    assert hub.requests == []
    assert newsroom.rows(hub_pings) == []


def keep_tree(newsroom: Newsroom, directory: Path) -> None:
    """Let the service keep the feeds as files there, too."""
    config = newsroom.app.config
    web = config.web.model_copy(update={"feeds_dir": directory})
    newsroom.app = replace(newsroom.app, config=config.model_copy(update={"web": web}))


def test_a_hub_is_told_when_the_files_of_feeds_show_the_change(newsroom: Newsroom, hub: Hub, tmp_path: Path) -> None:
    # given files that cannot be built now
    tree = tmp_path / "www"
    keep_tree(newsroom, tree)
    build_static(newsroom.app, tree)
    newsroom.add_item(released_at=MONDAY, title="Harbour opens at night")
    with (tree / "feeds/.build.lock").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        # when
        asyncio.run(hub_tick(newsroom.app))
        told_early = hub.pings()
    asyncio.run(hub_tick(newsroom.app))
    # then
    assert not told_early
    assert f"{SITE}all/all.atom" in hub.pings()
    assert b"Harbour opens at night" in (tree / "feeds/all/all.atom").read_bytes()


def test_files_of_feeds_are_left_alone_where_nothing_has_changed(newsroom: Newsroom, hub: Hub, tmp_path: Path) -> None:
    # given
    tree = tmp_path / "www"
    keep_tree(newsroom, tree)
    newsroom.add_item(released_at=MONDAY)
    asyncio.run(hub_tick(newsroom.app))
    # when
    before = {file: file.stat().st_ctime_ns for file in tree.rglob("*")}
    asyncio.run(hub_tick(newsroom.app))
    # then
    assert {file: file.stat().st_ctime_ns for file in tree.rglob("*")} == before
    assert len(before) > 1000


def test_a_folder_that_cannot_be_written_holds_up_no_tick(
    newsroom: Newsroom, hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    (tmp_path / "file").touch()
    keep_tree(newsroom, tmp_path / "file/www")
    newsroom.add_item(released_at=MONDAY)
    # when
    asyncio.run(hub_tick(newsroom.app))
    # then
    assert "web.feeds_dir" in capsys.readouterr().out
    assert hub.pings() == []
