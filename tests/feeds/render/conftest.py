from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from feeds.model import Classification, Item
from feeds.paths import FORMATS
from feeds.render import FeedInfo

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def make_item() -> Callable[..., Item]:
    def make(number: int = 1, **changes: object) -> Item:
        item = Item(
            id=number,
            uid=f"uid{number:02}",
            url=f"https://harbour.example/news/{number}",
            title=f"Ferry line {number} opens",
            summary=f"The council & the port open line {number}.",
            language="en",
            day=date(2026, 11, 20),
            date_source="source",
            published_at=NOON - timedelta(days=number),
            updated_at=NOON - timedelta(hours=number),
            content_html='<p>More on <a href="/lines">the lines</a>.</p>',
            authors=("Ada Marin",),
            classification=Classification(
                themes=("labour",),
                primary_theme="labour",
                countries=("IT",),
                regions=("europe",),
                kind="call",
                deadline=date(2026, 12, 1),
                event_dates=(date(2026, 12, 3), date(2026, 12, 4)),
            ),
        )
        return replace(item, **changes)

    return make


@pytest.fixture
def info() -> FeedInfo:
    return FeedInfo(
        authority="harbour.example,2026",
        name="feeds/en/all",
        title="Harbour News",
        subtitle="All the news of the harbour",
        urls={form: f"https://harbour.example/feeds/en/all.{form}" for form in FORMATS},
        page_url="https://harbour.example/feeds/en/all.html",
        site_name="Harbour News",
        updated=NOON,
        language="en",
        rights="© Harbour News",
        labels={"theme:labour": "Work", "region:europe": "Europe", "kind:call": "Open call"},
        translations={"fr": {form: f"https://harbour.example/feeds/fr/all.{form}" for form in FORMATS}},
    )
