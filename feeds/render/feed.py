"""A feed as a value, whatever its format: what it says of itself, and its items ready to be shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from urllib.parse import urlsplit

from feeds.model import Item
from feeds.paths import Format
from feeds.text import LONGEST_LABEL, LONGEST_SUMMARY, LONGEST_TITLE, clean_text, sanitise_html

MEDIA_TYPES: Mapping[Format, str] = MappingProxyType(
    {
        "atom": "application/atom+xml",
        "rss": "application/rss+xml",
        "json": "application/feed+json",
        "ics": "text/calendar",
    }
)

GENERATOR = "Publisher"

# A tag URI names a year in which its authority held the domain (RFC 4151). It is no date of the item: an item's
# dates may still be corrected, its id may not.
_AUTHORITY_YEAR = 2026


@dataclass(frozen=True, slots=True)
class FeedInfo:
    """The head of a feed. All URLs are absolute."""

    authority: str
    """Who mints the ids, e.g. ``news.example.org,2026``; see ``authority_of``."""
    name: str
    """What the feed is called among its siblings, e.g. ``feeds/fr/theme/asylum``; its id is made of it."""
    title: str
    subtitle: str
    urls: Mapping[Format, str]
    """Where each format of it is found."""
    site_url: str
    """The page for people."""
    site_name: str
    """Author of the feed and of every item without one."""
    updated: datetime
    """Newest change of what it holds; aware, UTC."""
    language: str | None = None
    """None where it holds items of several languages."""
    rights: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Names of categories by ``axis:code``, e.g. ``theme:asylum``; a code without one stands for itself."""
    translations: Mapping[str, Mapping[Format, str]] = field(default_factory=dict)
    """The same feed in other languages: its URLs by language and format."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A head and items whose texts every format can carry; made by ``make_feed``."""

    info: FeedInfo
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the feed to another document."""

    href: str
    rel: str
    type: str
    hreflang: str | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """A code, the axis it is a code of (as a URI) and its name for people."""

    term: str
    scheme: str
    label: str


def make_feed(info: FeedInfo, items: Sequence[Item]) -> Feed:
    """The feed of these items, in the order given, harmless whatever their texts hold. Their URLs are clean already."""
    return Feed(_clean_info(info), tuple(_clean_item(item) for item in items))


def authority_of(site_url: str) -> str:
    """The tag authority (RFC 4151) of a site's URL; independent of scheme, port and path."""
    host = urlsplit(site_url).hostname or "localhost"
    ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    return f"{ascii_host.replace(':', '-')},{_AUTHORITY_YEAR}"


def tag_uri(authority: str, name: str) -> str:
    """A ``tag:`` URI: an id that no change of URL, title, scheme or language can break."""
    return f"tag:{authority}:{name}"


def list_links(info: FeedInfo, form: Format) -> Iterator[Link]:
    """Self, the other formats, the other languages and, last, the page for people."""
    yield Link(info.urls[form], "self", MEDIA_TYPES[form])
    for other, url in info.urls.items():
        if other != form:
            yield Link(url, "alternate", MEDIA_TYPES[other])
    for language, urls in info.translations.items():
        yield Link(urls[form], "alternate", MEDIA_TYPES[form], language)
    yield Link(info.site_url, "alternate", "text/html")


def list_categories(item: Item, info: FeedInfo) -> Iterator[Category]:
    """Themes, then regions, then the kind."""
    found = item.classification
    axes = (("theme", found.themes), ("region", found.regions), ("kind", (found.kind,)))
    for axis, codes in axes:
        scheme = tag_uri(info.authority, axis)
        for code in codes:
            yield Category(code, scheme, info.labels.get(f"{axis}:{code}") or code)


def _clean_item(item: Item) -> Item:
    """An item without a title is called by its URL: Atom and readers need a name."""
    return replace(
        item,
        title=clean_text(item.title, LONGEST_TITLE) or item.url,
        summary=clean_text(item.summary, LONGEST_SUMMARY),
        content_html=sanitise_html(item.content_html, item.url),
        author=clean_text(item.author, LONGEST_LABEL),
        updated_at=item.updated_at.replace(microsecond=0),
        published_at=item.published_at.replace(microsecond=0),
    )


def _clean_info(info: FeedInfo) -> FeedInfo:
    return replace(
        info,
        title=clean_text(info.title, LONGEST_TITLE),
        subtitle=clean_text(info.subtitle, LONGEST_SUMMARY),
        site_name=clean_text(info.site_name, LONGEST_LABEL),
        rights=clean_text(info.rights, LONGEST_LABEL),
        updated=info.updated.replace(microsecond=0),
        labels={code: clean_text(name, LONGEST_LABEL) for code, name in info.labels.items()},
    )
