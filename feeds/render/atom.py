"""Atom (RFC 4287), with tombstones (RFC 6721) and archives (RFC 5005)."""

from feeds.render.feed import Feed
from feeds.render.generator import make_generator


def render_atom(feed: Feed) -> bytes:
    """The feed as an Atom document."""
    generator = make_generator(feed, "atom")
    for entry, item in zip(generator.entry(), feed.items, strict=True):
        # An entry must say something: RFC 4287 §4.2.13 lets a summary stand for a missing content.
        if item.summary or not item.content_html:
            entry.summary(item.summary or item.title, type="text")
    document: bytes = generator.atom_str()
    return document + b"\n"
