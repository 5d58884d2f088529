"""JSON Feed 1.1, with an extension object for what the format has no word for."""

import json
from typing import Any

from feeds.model import Classification, Item
from feeds.render.feed import Feed, FeedInfo, list_categories, tag_uri

VERSION = "https://jsonfeed.org/version/1.1"

JsonObject = dict[str, Any]
"""A JSON object: values of every JSON type, hence ``Any``."""


def render_json(feed: Feed) -> bytes:
    """The feed as a JSON Feed document."""
    info = feed.info
    head = {
        "version": VERSION,
        "title": info.title,
        "description": info.subtitle,
        "home_page_url": info.site_url,
        "feed_url": info.urls["json"],
        "language": info.language,
        "authors": [{"name": info.site_name}],
    }
    document = _without_empty(head) | {"items": [_item_object(item, info) for item in feed.items]}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _item_object(item: Item, info: FeedInfo) -> JsonObject:
    body = {"content_html": item.content_html} if item.content_html else {"content_text": item.summary or item.title}
    return _without_empty(
        {
            "id": tag_uri(info.authority, item.uid),
            "url": item.url,
            "title": item.title,
            "summary": item.summary,
            **body,
            "date_published": item.published_at.isoformat(),
            "date_modified": item.updated_at.isoformat(),
            "authors": [{"name": item.author}] if item.author else [],
            "language": item.language,
            "tags": list(dict.fromkeys(category.label for category in list_categories(item, info))),
            "_publisher": _extension(item.classification),
        }
    )


def _extension(found: Classification) -> JsonObject:
    event = found.event_dates
    return _without_empty(
        {
            "themes": list(found.themes),
            "regions": list(found.regions),
            "countries": list(found.countries),
            "kind": found.kind,
            "deadline": found.deadline and found.deadline.isoformat(),
            "event_dates": event and [day.isoformat() for day in event],
        }
    )


def _without_empty(members: JsonObject) -> JsonObject:
    return {name: value for name, value in members.items() if value not in (None, "", [])}
