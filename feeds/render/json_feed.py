"""JSON Feed 1.1, with an extension object for what the format has no word for."""

import json
from typing import Any

from feeds.model import Image, Item, Translation
from feeds.render.feed import Feed, FeedInfo, list_categories, list_images, tag_uri

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
        "home_page_url": info.page_url,
        "feed_url": info.urls["json"],
        "next_url": info.previous.get("json"),
        "icon": info.icon_url,
        "language": info.language,
        "authors": [{"name": info.site_name}],
        "hubs": [{"type": "WebSub", "url": hub} for hub in info.hubs],
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
            "image": item.images[0].url if item.images else None,
            "authors": [{"name": author} for author in item.authors],
            "language": item.language,
            "tags": list(dict.fromkeys(category.label for category in list_categories(item, info))),
            "attachments": [_attachment(image) for image in list_images(item)],
            "_publisher": _extension(item, info),
        }
    )


def _attachment(image: Image) -> JsonObject:
    return _without_empty({"url": image.url, "mime_type": image.media_type, "size_in_bytes": image.size_bytes})


def _extension(item: Item, info: FeedInfo) -> JsonObject:
    found = item.classification
    event = found.event_dates
    return _without_empty(
        {
            "themes": list(found.themes),
            "regions": list(found.regions),
            "countries": list(found.countries),
            "kind": found.kind,
            "deadline": found.deadline and found.deadline.isoformat(),
            "event_dates": event and [day.isoformat() for day in event],
            "translations": [_translation(one, info) for one in item.translations],
            "withdrawn": item.withdrawn_at and item.withdrawn_at.isoformat(),
        }
    )


def _translation(one: Translation, info: FeedInfo) -> JsonObject:
    identity = tag_uri(info.authority, one.uid) if one.uid else None
    return _without_empty({"language": one.language, "url": one.url, "id": identity})


def _without_empty(members: JsonObject) -> JsonObject:
    return {name: value for name, value in members.items() if value not in (None, "", [])}
