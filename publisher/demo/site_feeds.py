"""The invented newsroom's own feeds: RSS 2.0 for its French pages, JSON Feed 1.1 for its Russian ones."""

import json
from collections.abc import Sequence

from feedgen.feed import FeedGenerator
from markupsafe import Markup

from publisher.demo.content import Organisation, Page


def rss(pages: Sequence[Page], organisation: Organisation, *, base_url: str) -> bytes:
    """RSS 2.0 (rssboard.org), newest first; ``base_url`` ends with a slash."""
    feed = FeedGenerator()
    feed.title(organisation.name)
    feed.description(organisation.phrases["fr"]["tagline"])
    feed.link(href=f"{base_url}fr/")
    feed.language("fr")
    feed.lastBuildDate(max(page.updated_at for page in pages))
    for page in pages:
        entry = feed.add_entry(order="append")
        entry.guid(page.slug, permalink=False)
        entry.link(href=f"{base_url}news/{page.slug}?utm_source=rss&utm_medium=feed")
        entry.title(page.title)
        entry.description(page.summary)
        entry.content(body_html(page), type="CDATA")
        entry.category(term=page.category)
        entry.published(page.published_at)
    document: bytes = feed.rss_str(pretty=True)
    return document


def json_feed(pages: Sequence[Page], organisation: Organisation, *, base_url: str) -> bytes:
    """JSON Feed 1.1 (jsonfeed.org), newest first; ``base_url`` ends with a slash."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": organisation.name,
        "description": organisation.phrases["ru"]["tagline"],
        "home_page_url": f"{base_url}ru/",
        "feed_url": f"{base_url}ru/feed.json",
        "language": "ru",
        "items": [_json_item(page, base_url) for page in pages],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def body_html(page: Page) -> str:
    """The paragraphs of the story as HTML."""
    return "".join(Markup("<p>{}</p>").format(paragraph) for paragraph in (page.summary, *page.body))


def _json_item(page: Page, base_url: str) -> dict[str, object]:
    return {
        "id": page.slug,
        "url": f"{base_url}news/{page.slug}",
        "title": page.title,
        "summary": page.summary,
        "content_html": body_html(page),
        "tags": [page.category],
        "date_published": page.published_at.isoformat(),
        "date_modified": page.updated_at.isoformat(),
    }
