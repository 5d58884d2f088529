"""A small invented edition, and makers of more of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from feeds.model import Classification, Item, Label
from publisher.mail.content import DigestContent
from publisher.mail.headers import FixedHeaders, make_feedback_id

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

THEMES = (
    Label("harbours", {"en": "Harbours", "fr": "Ports", "ru": "Гавани"}),
    Label("bridges", {"en": "Bridges", "fr": "Ponts", "ru": "Мосты"}),
    Label("general", {"en": "General", "fr": "Général", "ru": "Общее"}),
)
REGIONS = (
    Label("north-coast", {"en": "North Coast", "fr": "Côte nord", "ru": "Северный берег"}),
    Label("isles", {"en": "Isles", "fr": "Îles", "ru": "Острова"}),
)
_ITEM = Item(
    id=1,
    uid="u1",
    url="https://lantern.example/news/1",
    title="A quiet week at the harbour",
    summary="Ships came and went.",
    language="en",
    day=date(2026, 11, 20),
    date_source="source",
    published_at=NOON,
    updated_at=NOON,
    classification=Classification(themes=("harbours",), primary_theme="harbours"),
)
_CONTENT = DigestContent(
    digest=Label("weekly", {"en": "Lantern weekly", "fr": "La semaine du phare", "ru": "Маяк за неделю"}),
    edition_id="weekly-2026-11-23",
    window=(datetime(2026, 11, 16, 7, tzinfo=UTC), datetime(2026, 11, 23, 7, tzinfo=UTC)),
    zone=ZoneInfo("Europe/Vienna"),
    items=(),
    themes=THEMES,
    regions=REGIONS,
    site_name="Lantern Newsroom",
    postal_address="4 Quay Street, 9000 Port Amber",
    base_url="https://news.lantern.example",
    page_url="https://news.lantern.example/editions/weekly-2026-11-23/4f1c9a",
    archive_url="https://news.lantern.example/editions/",
    feeds_url="https://news.lantern.example/feeds/",
)
_FIXED = FixedHeaders(
    date=datetime(2026, 11, 23, 7, 5, tzinfo=UTC),
    sender="Lantern Newsroom <news@lantern.example>",
    list_title="Lantern weekly",
    list_id="weekly.news.lantern.example",
    unsubscribe_prefix="https://news.lantern.example/u/",
    archive_url="https://news.lantern.example/editions/",
    help_url="mailto:press@lantern.example",
    feedback_id=make_feedback_id("weekly-2026-11-23", "weekly", language="en", sender="lantern.example"),
    reply_to="press@lantern.example",
)

MakeItem = Callable[..., Item]
MakeContent = Callable[..., DigestContent]
MakeHeaders = Callable[..., FixedHeaders]


@pytest.fixture(scope="session")
def make_item() -> MakeItem:
    """An item with that number and those fields; those of its classification go in as ``theme`` and ``about``."""

    def make(number: int = 1, *, theme: str = "harbours", about: dict[str, object] | None = None, **fields) -> Item:
        classification = Classification(**{"themes": (theme,), "primary_theme": theme, **(about or {})})
        url = f"https://lantern.example/news/{number}"
        return replace(_ITEM, **{"id": number, "url": url, "classification": classification, **fields})

    return make


@pytest.fixture(scope="session")
def make_content() -> MakeContent:
    """The edition with those items."""

    def make(*items: Item, **fields) -> DigestContent:
        return replace(_CONTENT, items=items, **fields)

    return make


@pytest.fixture(scope="session")
def make_headers() -> MakeHeaders:
    """The fixed headers with those fields."""

    def make(**fields) -> FixedHeaders:
        return replace(_FIXED, **fields)

    return make


@pytest.fixture(scope="session")
def varied_content(make_item: MakeItem, make_content: MakeContent) -> DigestContent:
    """Items of every kind that the templates treat in their own way, one of them from right to left."""
    call = {"kind": "call", "deadline": date(2027, 1, 15), "regions": ("isles",)}
    event = {"kind": "event", "event_dates": (date(2026, 11, 25), date(2026, 11, 27)), "countries": ("LB", "CY")}
    return make_content(
        make_item(1, title="Older news of the pier", day=date(2026, 11, 17)),
        make_item(2, title="Un appel à textes", summary="Trois cents mots suffisent.", language="fr", about=call),
        make_item(3, title="ورشة عمل في الميناء", summary="ثلاثة أيام على الساحل.", language="ar", about=event),
        make_item(4, title="Мост открыт ночью", summary="", language="ru", theme="bridges"),
        make_item(5, title="No day given", date_source="first-seen", theme="general"),
    )
