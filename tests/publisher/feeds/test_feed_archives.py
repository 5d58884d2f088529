"""Archives (RFC 5005): documents that never change once closed, and a chain that leads to every item."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from feed_newsroom import ABOUT, NOON, Newsroom
from lxml import etree

from feeds.content import content_of
from feeds.criteria import Criteria
from feeds.paths import ARCHIVED_FORMATS, Address, parse_path
from publisher.errors import NotFoundError
from publisher.store.item_changes import NewItem, change_item, insert_items
from publisher.store.items import read_item
from publisher.store.schema import items
from publisher.usecases.feed_archives import ITEMS_PER_ARCHIVE, close_archives, compile_archive
from publisher.usecases.feeds import compile_feed, read_catalogue
from publisher.usecases.items import reinstate_item, withdraw_item

NS = {"a": "http://www.w3.org/2005/Atom", "fh": "http://purl.org/syndication/history/1.0"}
BASE = "https://harbour.example"
EVERYTHING = Criteria()


def put_many(newsroom: Newsroom, count: int) -> None:
    """Items of which each came a minute after the one before."""
    for number in range(1, count + 1):
        came_at = NOON - timedelta(days=1) + timedelta(minutes=number)
        newsroom.put(number, updated_at=came_at, published_at=came_at)


def read(newsroom: Newsroom, path: str) -> etree._Element:
    catalogue = read_catalogue(newsroom.app)
    address = parse_path(path, "", known=catalogue.known)
    assert isinstance(address, Address), path
    return etree.fromstring(compile_feed(newsroom.app, catalogue, address=address).plain.body)


def link(document: etree._Element, rel: str) -> str | None:
    found = document.find(f"a:link[@rel='{rel}']", NS)
    return None if found is None else (found.get("href") or "").removeprefix(BASE)


def follow(newsroom: Newsroom, path: str) -> dict[str, str]:
    """Title by id, as a reader has it that starts at the feed and follows ``prev-archive``; the newer one counts."""
    known: dict[str, str] = {}
    next_path: str | None = path
    while next_path:
        document = read(newsroom, next_path)
        for entry in document.findall("a:entry", NS):
            known.setdefault(entry.findtext("a:id", "", NS), entry.findtext("a:title", "", NS))
        next_path = link(document, "prev-archive")
    return known


def freeze(newsroom: Newsroom, number: int) -> dict[str, bytes]:
    documents = compile_archive(newsroom.app, EVERYTHING, number)
    return {form: document.plain.body for form, document in documents.items()}


def test_fifty_changes_close_an_archive_and_fewer_do_not(newsroom: Newsroom) -> None:
    # given
    put_many(newsroom, ITEMS_PER_ARCHIVE - 1)
    assert close_archives(newsroom.app) == 0
    # when
    newsroom.put(ITEMS_PER_ARCHIVE, updated_at=NOON)
    closed = close_archives(newsroom.app)
    # then
    all_of_theme_and_region = 4 * 2  # all, theme, region, pair; in all languages together and in English
    assert closed == all_of_theme_and_region
    assert close_archives(newsroom.app) == 0
    assert read_catalogue(newsroom.app).archives["feeds/en/theme/asylum/region/africa"] == 1


def test_feed_and_archives_name_each_other(newsroom: Newsroom) -> None:
    # given
    put_many(newsroom, 120)
    close_archives(newsroom.app)
    # when
    feed, last, first = (read(newsroom, f"/feeds/all/all{tail}.atom") for tail in ("", "/archive/2", "/archive/1"))
    # then
    assert (link(feed, "prev-archive"), link(feed, "current")) == ("/feeds/all/all/archive/2.atom", None)
    assert feed.find("fh:archive", NS) is None
    assert link(last, "self") == "/feeds/all/all/archive/2.atom"
    assert (link(last, "prev-archive"), link(last, "current")) == (
        "/feeds/all/all/archive/1.atom",
        "/feeds/all/all.atom",
    )
    assert (link(first, "prev-archive"), link(first, "current")) == (None, "/feeds/all/all.atom")
    assert all(archive.find("fh:archive", NS) is not None for archive in (first, last))
    assert [len(archive.findall("a:entry", NS)) for archive in (first, last)] == [50, 50]


def test_the_chain_leads_to_every_item(newsroom: Newsroom) -> None:
    # given
    put_many(newsroom, 180)
    close_archives(newsroom.app)
    # then
    assert len(follow(newsroom, "/feeds/en/theme/asylum.atom")) == 180


def test_an_archive_never_changes(newsroom: Newsroom) -> None:
    # given
    put_many(newsroom, 60)
    close_archives(newsroom.app)
    before = freeze(newsroom, 1)
    # when
    rename(newsroom, 3, title="Ferry line 3 closes")
    withdraw_item(newsroom.app, 4, reason="It was another ferry")
    newsroom.add_theme("ferries", title="Ferries")
    rename(newsroom, 5, title="Ferry line 5 opens", theme="ferries")
    for number in range(61, 140):
        newsroom.put(number, updated_at=NOON)
    close_archives(newsroom.app)
    # then
    assert set(before) == set(ARCHIVED_FORMATS)
    assert freeze(newsroom, 1) == before
    assert read_catalogue(newsroom.app).archives["feeds/all/all"] == 2


def test_a_translation_that_came_later_does_not_change_an_archive(newsroom: Newsroom) -> None:
    # given
    put_many(newsroom, 50)
    close_archives(newsroom.app)
    before = freeze(newsroom, 1)
    # when
    newsroom.put(51, language="fr")
    newsroom.change(51, original_id=3)
    # then
    assert read(newsroom, "/feeds/all/all.atom").find("a:entry/a:link[@hreflang='fr']", NS) is not None
    assert freeze(newsroom, 1) == before


def test_items_of_one_moment_are_parted_between_archives(newsroom: Newsroom) -> None:
    # given
    for number in range(1, 76):
        newsroom.put(number, updated_at=NOON)
    close_archives(newsroom.app)
    # when
    for number in range(76, 101):
        newsroom.put(number, updated_at=NOON)
    close_archives(newsroom.app)
    # then
    archived = [read(newsroom, f"/feeds/all/all/archive/{number}.atom") for number in (1, 2)]
    ids = {entry.findtext("a:id", "", NS) for archive in archived for entry in archive.findall("a:entry", NS)}
    assert len(ids) == 100


def test_a_changed_item_is_told_again_by_a_newer_document(newsroom: Newsroom) -> None:
    # given
    put_many(newsroom, 110)
    close_archives(newsroom.app)
    # when
    rename(newsroom, 3, title="Ferry line 3 closes")
    withdraw_item(newsroom.app, 4)
    # then
    known = follow(newsroom, "/feeds/all/all.atom")
    assert known["tag:harbour.example,2026:uid03"] == "Ferry line 3 closes"
    assert known["tag:harbour.example,2026:uid04"] == "Withdrawn: Ferry line 4 opens"
    assert len(known) == 110


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_chain_tells_the_newest_of_every_item(newsroom: Newsroom, seed: int) -> None:
    # given
    put_many(newsroom, 70)
    chance = random.Random(seed)
    # when
    for minute in range(1, 120):
        now = NOON + timedelta(minutes=minute)
        app = replace(newsroom.app, clock=lambda now=now: now)
        number = chance.randint(1, 70)
        match chance.choice(["new", "new", "rename", "rename", "withdraw", "reinstate", "close"]):
            case "new":
                newsroom.put(70 + minute, updated_at=now, published_at=NOON - timedelta(days=number))
            case "rename":
                rename(newsroom, number, title=f"Renamed {minute}", now=now)
            case "withdraw":
                withdraw_item(app, number)
            case "reinstate":
                reinstate_item(app, number)
            case "close":
                close_archives(app)
    close_archives(newsroom.app)
    # then
    assert read_catalogue(newsroom.app).archives["feeds/all/all"] > 1
    assert follow(newsroom, "/feeds/all/all.atom") == list_titles(newsroom)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=9)])
def test_what_was_stamped_before_an_archive_and_committed_after_it_is_in_the_chain(
    newsroom: Newsroom, late: timedelta
) -> None:
    # given
    put_many(newsroom, 120)
    for number in range(61, 111):
        rename(newsroom, number, title=f"Ferry line {number} closes", now=NOON)
    close_archives(newsroom.app)
    assert read_catalogue(newsroom.app).archives["feeds/all/all"] == 2
    # when
    rename(newsroom, 1, title="Ferry line 1 closes", now=NOON - late)
    with newsroom.app.database.write() as tx:
        old = replace(content_of(read_item(tx, 2)), published_at=NOON - timedelta(days=30), title="Ferry line 200")
        insert_items(tx, [NewItem("new", old, ABOUT)], now=NOON - late)
    close_archives(newsroom.app)
    # then
    known = follow(newsroom, "/feeds/all/all.atom")
    assert known == list_titles(newsroom)
    assert {"Ferry line 1 closes", "Ferry line 200"} <= set(known.values())


def list_titles(newsroom: Newsroom) -> dict[str, str]:
    with newsroom.app.database.read() as tx:
        rows = tx.execute(items.select()).all()
    return {
        f"tag:harbour.example,2026:{row.uid}": f"Withdrawn: {row.title}" if row.withdrawn_at else row.title
        for row in rows
    }


def rename(newsroom: Newsroom, number: int, *, title: str, now: datetime = NOON, theme: str = "asylum") -> None:
    with newsroom.app.database.write() as tx:
        item = read_item(tx, number)
        content = replace(content_of(item), title=title)
        classification = replace(item.classification, themes=(theme,))
        change_item(tx, number, content=content, classification=classification, now=now)


def test_an_archive_is_served_and_one_that_is_not_there_leads_to_the_directory(
    newsroom: Newsroom, client: httpx.Client
) -> None:
    # given
    put_many(newsroom, 60)
    close_archives(newsroom.app)
    # when
    found, missing = (client.get(f"/feeds/all/all/archive/{number}.atom") for number in (1, 2))
    # then
    assert (found.status_code, found.headers["content-type"]) == (200, "application/atom+xml; charset=utf-8")
    assert found.content == freeze(newsroom, 1)["atom"]
    assert missing.status_code == 404
    assert b"/feeds/" in missing.content
    assert client.get("/feeds/all/all/archive/1.ics").status_code == 404
    assert client.get("/feeds/all/all/archive/01.atom").status_code == 404


def test_json_leads_to_its_archive_by_next_url(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    put_many(newsroom, 60)
    close_archives(newsroom.app)
    # when
    feed = client.get("/feeds/all/all.json").json()
    archive = client.get(feed["next_url"].removeprefix(BASE)).json()
    # then
    assert len(archive["items"]) == ITEMS_PER_ARCHIVE
    assert "next_url" not in archive


def test_an_unknown_archive_is_not_found(newsroom: Newsroom) -> None:
    with pytest.raises(NotFoundError, match="no archive 7"):
        compile_archive(newsroom.app, EVERYTHING, 7)


def test_a_feed_holds_what_came_late_with_an_old_date_until_it_is_archived(newsroom: Newsroom) -> None:
    # given
    put_many(newsroom, 100)
    close_archives(newsroom.app)
    # when
    newsroom.put(101, updated_at=NOON, published_at=NOON - timedelta(days=4_000))
    # then
    entries = read(newsroom, "/feeds/all/all.atom").findall("a:entry", NS)
    titles = [entry.findtext("a:title", "", NS) for entry in entries]
    assert titles[-1] == "Ferry line 101 opens"
    assert len(titles) == 51
