"""Items → feed bytes. The same items give the same bytes, in every format, on every machine and day."""

from feeds.render.feed import MEDIA_TYPES, Feed, FeedInfo, Tombstone, authority_of, make_feed, tag_uri
from feeds.render.gate import GateError, check_document
from feeds.render.render import render

__all__ = [
    "MEDIA_TYPES",
    "Feed",
    "FeedInfo",
    "GateError",
    "Tombstone",
    "authority_of",
    "check_document",
    "make_feed",
    "render",
    "tag_uri",
]
