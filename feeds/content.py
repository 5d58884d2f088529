"""Content: what an item shows, but for its classification."""

from dataclasses import dataclass
from datetime import date, datetime

from feeds.model import Image, Item, Translation


@dataclass(frozen=True, slots=True)
class Content:
    """A function of the item's sightings, and of the corrections of staff."""

    url: str
    title: str
    summary: str
    content_html: str
    authors: tuple[str, ...]
    category: str
    language: str
    day: date
    date_source: str
    """``source`` or ``first-seen``."""
    published_at: datetime
    images: tuple[Image, ...] = ()
    alternates: tuple[Translation, ...] = ()


def content_of(item: Item) -> Content:
    """What the item shows."""
    return Content(**{name: getattr(item, name) for name in Content.__dataclass_fields__})
