"""JSON Feed 1.1 (jsonfeed.org/version/1.1) as a JSON schema, stricter than readers are: nothing but what it names.

What begins with an underscore is an extension, whose object is its own affair.
"""

from typing import Any

Schema = dict[str, Any]
"""A JSON schema: values of every JSON type, hence ``Any``."""

_TEXT: Schema = {"type": "string"}
_URL: Schema = {"type": "string", "pattern": "^https?://[^\\s/]"}
_MOMENT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
_LANGUAGE: Schema = {"type": "string", "pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"}


def _object(properties: Schema, required: tuple[str, ...] = (), **more: Any) -> Schema:  # Any: of a JSON schema
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "patternProperties": {"^_[a-zA-Z][^.]*$": {"type": "object"}},
        "additionalProperties": False,
        **more,
    }


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


_AUTHORS = _list(_object({"name": _TEXT, "url": _URL, "avatar": _URL}, minProperties=1))

_ATTACHMENT = _object(
    {
        "url": _URL,
        "mime_type": {"type": "string", "pattern": "^[a-z]+/[a-z0-9.+-]+$"},
        "title": _TEXT,
        "size_in_bytes": {"type": "integer", "minimum": 0},
        "duration_in_seconds": {"type": "number", "minimum": 0},
    },
    ("url", "mime_type"),
)

_ITEM = _object(
    {
        "id": {"type": "string", "minLength": 1},
        "url": _URL,
        "external_url": _URL,
        "title": _TEXT,
        "content_html": _TEXT,
        "content_text": _TEXT,
        "summary": _TEXT,
        "image": _URL,
        "banner_image": _URL,
        "date_published": _MOMENT,
        "date_modified": _MOMENT,
        "authors": _AUTHORS,
        "tags": _list(_TEXT),
        "language": _LANGUAGE,
        "attachments": _list(_ATTACHMENT),
    },
    ("id",),
    anyOf=[{"required": ["content_html"]}, {"required": ["content_text"]}],
)

JSON_FEED_SCHEMA: Schema = {"$schema": "http://json-schema.org/draft-07/schema#"} | _object(
    {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": _TEXT,
        "home_page_url": _URL,
        "feed_url": _URL,
        "description": _TEXT,
        "user_comment": _TEXT,
        "next_url": _URL,
        "icon": _URL,
        "favicon": _URL,
        "authors": _AUTHORS,
        "language": _LANGUAGE,
        "expired": {"type": "boolean"},
        "hubs": _list(_object({"type": _TEXT, "url": _URL}, ("type", "url"))),
        "items": _list(_ITEM),
    },
    ("version", "title", "items"),
)
