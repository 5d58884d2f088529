"""Atom (RFC 4287)."""

from feeds.model import Item
from feeds.render.feed import Feed
from feeds.render.generator import Entry, make_generator


def render_atom(feed: Feed) -> bytes:
    """The feed as an Atom document."""
    document: bytes = make_generator(feed, "atom", complete=_add_summary).atom_str()
    return document + b"\n"


def _add_summary(entry: Entry, item: Item) -> None:
    if item.summary:
        entry.summary(item.summary, type="text")
