"""What goes into the rendering of a variant, and what comes out."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from feeds.model import Item, Label


@dataclass(frozen=True, slots=True)
class DigestContent:
    """One variant of an edition before it has a language. Addresses (URLs) are absolute."""

    digest: Label
    edition_id: str
    window: tuple[datetime, datetime]
    """Half-open, aware; shown as days of ``zone``."""
    zone: ZoneInfo
    items: tuple[Item, ...]
    themes: tuple[Label, ...]
    """In the order of the taxonomy, which is the order of the groups."""
    regions: tuple[Label, ...]
    site_name: str
    postal_address: str
    base_url: str
    """Unsubscribe links are ``{base_url}/u/{token}``."""
    page_url: str
    """This variant on the web."""
    archive_url: str
    feeds_url: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A variant's texts. ``html`` and ``text`` are the message's two parts, ``page_html`` is its web page."""

    language: str
    subject: str
    html: str
    text: str
    page_html: str
    placeholder: str
    """Stands in ``html`` and ``text`` where a person's token goes, and nowhere else."""
