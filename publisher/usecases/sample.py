"""A built-in digest: what a doctor renders to see that messages can be made here."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from feeds.model import Classification, Item
from publisher.config import Config
from publisher.mail.compose import compose_frame
from publisher.mail.content import Rendered
from publisher.mail.render import render_variant
from publisher.store.editions import Edition
from publisher.taxonomy import shipped_labels
from publisher.usecases.content import Content
from publisher.usecases.planning import full_mask
from publisher.usecases.rendering import make_content, make_headers
from subscribers.schedule import Digest

_MOMENT = datetime(2026, 1, 5, 8, tzinfo=UTC)

_DIGEST = Digest("sample", {"en": "Sample digest"}, "weekly")

_EDITION = Edition(
    id="sample-2026-01-05",
    digest_id=_DIGEST.id,
    window_start=_MOMENT - timedelta(days=7),
    window_end=_MOMENT,
    reach_start=_MOMENT - timedelta(days=7),
    opened_at=_MOMENT,
    state="open",
    content_hash="",
)

_NEWS = Item(
    id=1,
    uid="sample-1",
    url="https://www.example.org/news/1",
    title="A ferry links the two shores",
    summary="It runs each hour from the old pier.",
    language="en",
    day=date(2026, 1, 2),
    date_source="source",
    published_at=_MOMENT - timedelta(days=3),
    updated_at=_MOMENT - timedelta(days=3),
)


def render_sample(config: Config, language: str) -> Rendered:
    """The sample digest of this deployment in that language; RenderError where its messages could not be made."""
    seen, mask = _sample_content(), full_mask(3)
    rendered = render_variant(make_content(config, _EDITION, seen, language=language, mask=mask), language)
    compose_frame(rendered, make_headers(config, _EDITION, _DIGEST, language=language))
    return rendered


def _sample_content() -> Content:
    """Items of each kind that the templates treat in their own way."""
    themes, regions = shipped_labels()
    news = Classification(
        themes=(themes[0].id,), primary_theme=themes[0].id, regions=(regions[0].id,), countries=("LB",)
    )
    call = replace(news, kind="call", deadline=date(2026, 2, 1))
    event = replace(news, kind="event", event_dates=(date(2026, 1, 8), date(2026, 1, 9)))
    items = [
        replace(_NEWS, id=number, url=f"https://www.example.org/news/{number}", classification=found)
        for number, found in enumerate((news, call, event), start=1)
    ]
    return Content(_DIGEST, items, themes, regions)
