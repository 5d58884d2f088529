"""A feed as a value, whatever its format: what it says of itself, and its items ready to be shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import urlsplit

from feeds.model import Image, Item
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
    page_url: str
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
    icon_url: str = ""
    hubs: tuple[str, ...] = ()
    """Where readers may subscribe to changes (WebSub)."""
    previous: Mapping[Format, str] = field(default_factory=dict)
    """The archive document before this one (RFC 5005); empty where there is none."""
    current: Mapping[Format, str] = field(default_factory=dict)
    """Of an archive document: the feed that it belongs to. It makes the document an archive."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An item that the feed held and that was withdrawn (RFC 6721)."""

    uid: str
    at: datetime
    """Aware, UTC."""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """A head, items whose texts every format can carry, and what was withdrawn; made by ``make_feed``."""

    info: FeedInfo
    items: tuple[Item, ...]
    tombstones: tuple[Tombstone, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the feed or of an entry to another document."""

    href: str
    rel: str
    type: str | None = None
    hreflang: str | None = None
    length: str | None = None
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Category:
    """A code, the axis it is a code of (as a URI) and its name for people."""

    term: str
    scheme: str
    label: str


def make_feed(info: FeedInfo, items: Sequence[Item], tombstones: Sequence[Tombstone] = ()) -> Feed:
    """The feed of these items, in the order given, harmless whatever their texts hold. Their URLs are clean already."""
    return Feed(
        _clean_info(info),
        tuple(_clean_item(item) for item in items),
        tuple(replace(one, at=_whole(one.at), comment=clean_text(one.comment, LONGEST_SUMMARY)) for one in tombstones),
    )


def authority_of(site_url: str) -> str:
    """The tag authority (RFC 4151) of a site's URL; independent of scheme, port and path."""
    host = urlsplit(site_url).hostname or "localhost"
    ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    return f"{ascii_host.replace(':', '-')},{_AUTHORITY_YEAR}"


def tag_uri(authority: str, name: str) -> str:
    """A ``tag:`` URI: an id that no change of URL, title, scheme or language can break."""
    return f"tag:{authority}:{name}"


def list_links(info: FeedInfo, form: Format) -> Iterator[Link]:
    """Self, hubs, archives, the other formats, the other languages and, last, the page for people."""
    yield Link(info.urls[form], "self", MEDIA_TYPES[form])
    # Validators take a second link of one relation for a mistake; the Link header (RFC 8288) names all hubs.
    yield from (Link(hub, "hub") for hub in info.hubs[: 1 if form == "atom" else None])
    for rel, urls in (("current", info.current), ("prev-archive", info.previous)):
        if form in urls:
            yield Link(urls[form], rel, MEDIA_TYPES[form])
    for other, url in info.urls.items():
        if other != form:
            yield Link(url, "alternate", MEDIA_TYPES[other])
    for language, urls in info.translations.items():
        yield Link(urls[form], "alternate", MEDIA_TYPES[form], language)
    yield Link(info.page_url, "alternate", "text/html")


def list_item_links(item: Item) -> Iterator[Link]:
    """The item itself, the same in other languages, and its images.

    Of several alternates some readers follow the first, some the last: the item itself is both. RFC 4287 §4.1.2 tells
    them apart by the language, which the last does not name.
    """
    yield Link(item.url, "alternate", "text/html", item.language)
    if item.translations:
        yield from (Link(one.url, "alternate", "text/html", one.language) for one in item.translations)
        yield Link(item.url, "alternate", "text/html")
    for image in list_images(item):
        size = None if image.size_bytes is None else str(image.size_bytes)
        yield Link(image.url, "enclosure", image.media_type, length=size)


def list_categories(item: Item, info: FeedInfo) -> Iterator[Category]:
    """Themes, then regions, then the kind."""
    found = item.classification
    axes = (("theme", found.themes), ("region", found.regions), ("kind", (found.kind,)))
    for axis, codes in axes:
        for code in codes:
            yield _category(axis, code, authority=info.authority, label=info.labels.get(f"{axis}:{code}") or code)


def list_images(item: Item) -> Iterator[Image]:
    """The images of the item; first the one that RSS can enclose, which asks for a length."""
    yield from sorted(item.images, key=lambda image: not image.size_bytes)


@lru_cache(maxsize=4_096)
def _category(axis: str, code: str, *, authority: str, label: str) -> Category:
    return Category(code, tag_uri(authority, axis), label)


def _whole(moment: datetime) -> datetime:
    """Whole seconds: RSS dates have no others, and all formats say the same."""
    return moment.replace(microsecond=0)


def _clean_item(item: Item) -> Item:
    """An item without a title is called by its URL: Atom and readers need a name."""
    return replace(
        item,
        url=_strict_url(item.url),
        title=clean_text(item.title, LONGEST_TITLE) or item.url,
        summary=clean_text(item.summary, LONGEST_SUMMARY),
        content_html=sanitise_html(item.content_html, item.url),
        authors=tuple(filter(None, (clean_text(author, LONGEST_LABEL) for author in item.authors))),
        updated_at=_whole(item.updated_at),
        published_at=_whole(item.published_at),
        withdrawn_at=item.withdrawn_at and _whole(item.withdrawn_at),
    )


def _strict_url(url: str) -> str:
    """The URL without the brackets that addresses on the web have and RFC 3986 allows in hosts only."""
    return url if "://[" in url else url.replace("[", "%5B").replace("]", "%5D")


def _clean_info(info: FeedInfo) -> FeedInfo:
    return replace(
        info,
        title=clean_text(info.title, LONGEST_TITLE),
        subtitle=clean_text(info.subtitle, LONGEST_SUMMARY),
        site_name=clean_text(info.site_name, LONGEST_LABEL),
        rights=clean_text(info.rights, LONGEST_LABEL),
        updated=_whole(info.updated),
        labels={code: clean_text(name, LONGEST_LABEL) for code, name in info.labels.items()},
    )
