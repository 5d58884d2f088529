"""Content: what an item shows, but for its classification."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Content:
    """A function of the item's sightings, and of the corrections of staff."""

    url: str
    title: str
    summary: str
    content_html: str
    author: str
    category: str
    language: str
    day: date
    date_source: str
    """``source`` or ``first-seen``."""
    published_at: datetime
