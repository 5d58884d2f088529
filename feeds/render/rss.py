"""RSS 2.0, with content:encoded and Dublin Core."""

from html import escape

from feeds.model import Item
from feeds.render.feed import Feed
from feeds.render.generator import Entry, make_generator

TTL_MINUTES = 5


def render_rss(feed: Feed) -> bytes:
    """The feed as an RSS document."""
    generator = make_generator(feed, "rss", complete=_complete)
    generator.ttl(TTL_MINUTES)
    document: bytes = generator.rss_str()
    return document + b"\n"


def _complete(entry: Entry, item: Item) -> None:
    # A description is HTML by the specification, so plain text is escaped once more than XML asks for.
    if item.summary:
        entry.summary(escape(item.summary, quote=False))
    if item.author:
        entry.dc.dc_creator(item.author)
    entry.dc.dc_language(item.language)
