"""RSS 2.0, with content:encoded, Dublin Core, Media RSS and links of Atom."""

from html import escape

from feeds.render.feed import Feed
from feeds.render.generator import make_generator

TTL_MINUTES = 5


def render_rss(feed: Feed) -> bytes:
    """The feed as an RSS document."""
    generator = make_generator(feed, "rss")
    generator.ttl(TTL_MINUTES)
    for entry, item in zip(generator.entry(), feed.items, strict=True):
        # A description is HTML by the specification, so plain text is escaped once more than XML asks for.
        if item.summary:
            entry.summary(escape(item.summary, quote=False))
    document: bytes = generator.rss_str()
    return document + b"\n"
