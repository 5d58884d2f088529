"""Atom (RFC 4287), with tombstones (RFC 6721) and archives (RFC 5005)."""

from feeds.render.feed import Feed
from feeds.render.generator import make_generator


def render_atom(feed: Feed) -> bytes:
    """The feed as an Atom document."""
    generator = make_generator(feed, "atom")
    for entry, item in zip(generator.entry(), feed.items, strict=True):
        if item.summary:
            entry.summary(item.summary, type="text")
    document: bytes = generator.atom_str()
    return document + b"\n"
