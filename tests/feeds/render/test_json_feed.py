import json
from collections.abc import Callable

from feeds.model import Classification, Item
from feeds.render import FeedInfo, make_feed, render


def test_the_head_says_what_the_feed_is(info: FeedInfo) -> None:
    assert json.loads(render(make_feed(info, []), "json")) == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Harbour News",
        "description": "All the news of the harbour",
        "home_page_url": "https://harbour.example/feeds/en/all.html",
        "feed_url": "https://harbour.example/feeds/en/all.json",
        "language": "en",
        "authors": [{"name": "Harbour News"}],
        "items": [],
    }


def test_an_item_holds_all_that_is_known_of_it(info: FeedInfo, make_item: Callable[..., Item]) -> None:
    # when
    (item,) = json.loads(render(make_feed(info, [make_item()]), "json"))["items"]
    # then
    content = item.pop("content_html")
    assert 'href="https://harbour.example/lines"' in content
    assert item == {
        "id": "tag:harbour.example,2026:uid01",
        "url": "https://harbour.example/news/1",
        "title": "Ferry line 1 opens",
        "summary": "The council & the port open line 1.",
        "date_published": "2026-11-19T12:00:00+00:00",
        "date_modified": "2026-11-20T11:00:00+00:00",
        "authors": [{"name": "Ada Marin"}],
        "language": "en",
        "tags": ["Work", "Europe", "Open call"],
        "_publisher": {
            "themes": ["labour"],
            "regions": ["europe"],
            "countries": ["IT"],
            "kind": "call",
            "deadline": "2026-12-01",
            "event_dates": ["2026-12-03", "2026-12-04"],
        },
    }


def test_an_item_without_a_body_shows_its_summary_as_text(info: FeedInfo, make_item: Callable[..., Item]) -> None:
    # given
    bare = make_item(content_html="", authors=(), classification=Classification())
    # when
    (item,) = json.loads(render(make_feed(info, [bare]), "json"))["items"]
    # then
    assert item["content_text"] == bare.summary
    assert "authors" not in item
    assert item["tags"] == ["general", "news"]
