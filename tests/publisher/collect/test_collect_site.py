"""The shared example site, served on loopback and collected by the shared example set-up."""

import html
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from local_web import Web, serve
from newsroom_steps import items, quick, rows

from feeds.model import Item
from publisher.app import App, build_app
from publisher.store.schema import item_labels
from publisher.store.schema import items as items_table
from publisher.usecases.items import list_items
from publisher.usecases.newsroom import apply

SHARED = Path(__file__).parents[3] / "../shared"
WRITTEN_FOR = "http://127.0.0.1:8900"
SOURCES = ("news", "press", "home", "rss")

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the shared example site is not here")


@pytest.fixture(scope="module")
def site() -> Iterator[Web]:
    with serve() as web:
        web.put_site(SHARED / "site", written_for=WRITTEN_FOR)
        yield web


@pytest.fixture
def newsroom(app: App, site: Web) -> App:
    text = (SHARED / "examples/newsroom.toml").read_text(encoding="utf-8")
    apply(app, text.replace(WRITTEN_FOR, site.url), name="newsroom.toml")
    return app


def shown(item: Item) -> Item:
    """What must not hang on the order of reading: all but the numbers of rows, and how often and when they changed."""
    return replace(item, id=0, uid="", version=1, updated_at=item.published_at)


def test_there_are_32_items_and_a_second_run_finds_none(newsroom: App) -> None:
    first = quick(newsroom)
    again = quick(newsroom, SOURCES)

    assert first.new == 32
    assert [(source.id, source.entries) for source in first.sources] == [
        ("news", 14),
        ("press", 13),
        ("home", 5),
        ("rss", 9),
    ]
    assert not first.has_failed
    assert all(source.error is None for source in first.sources)
    assert (again.new, again.changed, len(items(newsroom))) == (0, 0, 32)


def test_no_item_has_tracking_in_its_address_and_each_has_title_and_summary_once(newsroom: App) -> None:
    quick(newsroom)

    for item in items(newsroom):
        assert "utm_" not in item.url
        assert item.title
        half = item.summary[: len(item.summary) // 2].strip()
        assert half
        assert item.summary.count(half) == 1


def test_press_items_have_the_title_of_their_article_page(newsroom: App, site: Web) -> None:
    quick(newsroom)

    press = [item for item in list_items(newsroom) if "press" in item["sources"]]
    assert len(press) == 13
    for item in press:
        page = str(site.replies[item["url"].removeprefix(site.url)].body)
        assert f"<h1>{item['title']}</h1>" in html.unescape(page)


def test_exactly_two_items_are_first_seen(newsroom: App, clock: Any) -> None:
    quick(newsroom)

    undated = [item for item in items(newsroom) if item.date_source == "first-seen"]
    assert sorted(item.url.rpartition("/")[2].split("-")[0] for item in undated) == ["breaking", "featured"]
    assert {item.published_at for item in undated} == {clock.now}


def test_items_know_all_the_sources_that_show_them(newsroom: App) -> None:
    quick(newsroom)

    sources = [tuple(item["sources"]) for item in list_items(newsroom)]
    assert sources.count(("home", "rss")) == 3
    assert sources.count(("news", "rss")) == 6
    assert sum(len(one) for one in sources) == 14 + 13 + 5 + 9


def test_what_the_set_up_calls_digest_may_be_mailed_from_the_first_collection(newsroom: App, clock: Any) -> None:
    quick(newsroom)

    assert {row.released_at for row in rows(newsroom, items_table)} == {clock.now}


def test_without_that_word_no_backlog_is_mailed(app: App, site: Web) -> None:
    text = (SHARED / "examples/newsroom.toml").read_text(encoding="utf-8").replace('backlog = "digest"', "")
    apply(app, text.replace(WRITTEN_FOR, site.url), name="newsroom.toml")

    quick(app)

    assert {row.released_at for row in rows(app, items_table)} == {None}


def test_the_items_are_the_same_in_any_order_of_the_sources(
    newsroom: App, empty_newsroom: Path, tmp_path: Path, clock: Any, site: Web
) -> None:
    quick(newsroom)
    expected = [shown(item) for item in items(newsroom)]
    text = (SHARED / "examples/newsroom.toml").read_text(encoding="utf-8").replace(WRITTEN_FOR, site.url)

    for number, order in enumerate(list(permutations(SOURCES))[::4]):
        folder = tmp_path / f"order-{number}"
        shutil.copytree(empty_newsroom, folder)
        other = build_app(newsroom.config.model_copy(update={"folder": folder}), clock)
        apply(other, text, name="newsroom.toml")
        for source_id in order:
            quick(other, [source_id])
        found = [shown(item) for item in items(other)]
        other.database.close()
        assert found == expected, order


def test_every_item_is_classified(newsroom: App) -> None:
    quick(newsroom)

    themed = {row.item_id for row in rows(newsroom, item_labels) if row.axis == "theme"}
    assert len(themed) == 32
