"""feedgen behind an adapter that mends its faults (version 1.0; each mend has its test).

| fault of feedgen | mend |
|---|---|
| links of Atom entries lose rel, type and hreflang | ``Entry.atom_entry`` writes them |
| each link is checked against a list of relations built anew for it | ``Entry.put_links`` fills what was checked |
| ``updated`` and ``lastBuildDate`` are now unless set | always set |
| dates of RSS switch the locale of the whole process, for all threads | ``format_datetime`` in that place |
| characters that XML forbids raise | ``make_feed`` cleans all texts |
| an entry without a title raises | ``make_feed`` gives it one |
| entries are prepended | appended |
| the link of an RSS feed is the last link added, whatever its rel | the page for people is added last |
| an RSS feed keeps no link but ``self``: no hub, no archives | ``Generator`` completes the channel |
| entries have no ``xml:lang`` | ``Entry.atom_entry`` writes it |
| RSS authors without an e-mail address are dropped | ``dc:creator`` |
| an RSS item has no second enclosure, and its extension for Media RSS wants groups | ``media:content`` |
| there are no tombstones and no archives | ``Generator`` completes the tree |
| its Atom elements have no namespace, only an attribute that looks like one | what is added to them has none either |
| its name and version stand in every feed, so that an upgrade changes all bytes | a generator of our own |
"""

from collections.abc import Iterator
from email.utils import format_datetime
from functools import lru_cache

import feedgen.entry
import feedgen.feed
from feedgen.ext.base import BaseExtension
from lxml import etree

from feeds.model import Item
from feeds.paths import Format
from feeds.render.feed import (
    GENERATOR,
    Feed,
    FeedInfo,
    Link,
    list_categories,
    list_images,
    list_item_links,
    list_links,
    tag_uri,
)

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
HISTORY = "http://purl.org/syndication/history/1.0"
MEDIA = "http://search.yahoo.com/mrss/"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# One date is printed in many entries, and an item's in many feeds.
feedgen.feed.formatRFC2822 = feedgen.entry.formatRFC2822 = lru_cache(maxsize=4_096)(format_datetime)

_Attributes = dict[str, str]


class Entry(feedgen.entry.FeedEntry):  # type: ignore[misc]  # feedgen is not typed
    """feedgen's entry, with what it forgets to write."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self._item = item

    def put_links(self, links: list[_Attributes]) -> None:
        """Set the links; the first is that of the RSS item."""
        self.link(href=links[0]["href"])
        self.link()[:] = links

    def atom_entry(self, extensions: bool = True) -> etree._Element:  # noqa: FBT001, FBT002 (feedgen's signature)
        entry: etree._Element = super().atom_entry(extensions)
        entry.set(XML_LANG, self._item.language)
        for element, link in zip(entry.iterchildren("link"), self.link(), strict=True):
            element.attrib.update(link)
        return entry

    def rss_entry(self, extensions: bool = True) -> etree._Element:  # noqa: FBT001, FBT002 (feedgen's signature)
        entry: etree._Element = super().rss_entry(extensions)
        for author in self._item.authors:
            etree.SubElement(entry, f"{{{DC}}}creator").text = author
        etree.SubElement(entry, f"{{{DC}}}language").text = self._item.language
        _add_images(entry, self._item)
        return entry


class Generator(feedgen.feed.FeedGenerator):  # type: ignore[misc]  # feedgen is not typed
    """feedgen's feed, with what it has no word for."""

    def __init__(self, feed: Feed, form: Format) -> None:
        super().__init__()
        self._feed = feed
        self._form = form
        self.register_extension("namespaces", _Namespaces, _NoNamespaces, atom=False)

    def _create_atom(self, extensions: bool = True) -> tuple[etree._Element, etree._ElementTree]:  # noqa: FBT001, FBT002
        root, tree = super()._create_atom(extensions)
        first = root.find("entry")
        place = len(root) if first is None else root.index(first)
        root[place:place] = [*_archive_marks(self._feed.info), *_tombstones(self._feed)]
        return root, tree

    def _create_rss(self, extensions: bool = True) -> tuple[etree._Element, etree._ElementTree]:  # noqa: FBT001, FBT002
        root, tree = super()._create_rss(extensions)
        channel = root[0]
        marks = [*_rss_links(self._feed.info, self._form), *_archive_marks(self._feed.info)]
        place = channel.index(channel.find(f"{{{ATOM}}}link")) + 1
        channel[place:place] = marks
        return root, tree


class _Namespaces(BaseExtension):  # type: ignore[misc]  # feedgen is not typed
    """The prefixes of what is added to RSS items, declared once."""

    def extend_ns(self) -> dict[str, str]:
        return {"dc": DC, "media": MEDIA}


class _NoNamespaces(BaseExtension):  # type: ignore[misc]  # feedgen is not typed
    """What feedgen asks to have for entries."""


def make_generator(feed: Feed, form: Format) -> Generator:
    """The feed as feedgen knows it, but for the summaries, which each format writes in its own way."""
    generator = Generator(feed, form)
    _fill_head(generator, feed.info, form=form)
    for item in feed.items:
        _fill_entry(generator.add_entry(Entry(item), order="append"), item, info=feed.info)
    return generator


def _fill_head(generator: Generator, info: FeedInfo, *, form: Format) -> None:
    generator.id(tag_uri(info.authority, info.name))
    generator.title(info.title)
    generator.subtitle(info.subtitle or info.title)
    generator.updated(info.updated)
    generator.author(name=info.site_name)
    generator.generator(GENERATOR)
    generator.language(info.language)
    generator.rights(info.rights or None)
    generator.icon(info.icon_url or None)
    generator.link([_attributes(link) for link in list_links(info, form)])


def _fill_entry(entry: Entry, item: Item, *, info: FeedInfo) -> None:
    entry.id(tag_uri(info.authority, item.uid))
    entry.title(item.title)
    entry.put_links([_attributes(link) for link in list_item_links(item)])
    entry.published(item.published_at)
    entry.updated(item.updated_at)
    if item.authors:
        entry.author([{"name": author} for author in item.authors])
    if item.content_html:
        entry.content(item.content_html, type="html")
    categories = list_categories(item, info)
    entry.category([{"term": one.term, "scheme": one.scheme, "label": one.label} for one in categories])


def _attributes(link: Link) -> _Attributes:
    """In an order of their own, which is that of the bytes."""
    values = {"href": link.href, "rel": link.rel, "type": link.type, "hreflang": link.hreflang, "length": link.length}
    return {name: value for name, value in values.items() if value}


def _rss_links(info: FeedInfo, form: Format) -> Iterator[etree._Element]:
    """What readers of RSS look for as links of Atom; ``self`` is there."""
    for link in list_links(info, form):
        if link.rel in {"hub", "current", "prev-archive"}:
            yield etree.Element(f"{{{ATOM}}}link", _attributes(link))


def _archive_marks(info: FeedInfo) -> Iterator[etree._Element]:
    """RFC 5005 §4: this document will not change."""
    if info.current:
        yield etree.Element(f"{{{HISTORY}}}archive", nsmap={"fh": HISTORY})


def _tombstones(feed: Feed) -> Iterator[etree._Element]:
    """RFC 6721."""
    for one in feed.tombstones:
        element = etree.Element(f"{{{TOMBSTONES}}}deleted-entry", nsmap={"at": TOMBSTONES})
        element.set("ref", tag_uri(feed.info.authority, one.uid))
        element.set("when", one.at.isoformat())
        if one.comment:
            etree.SubElement(element, f"{{{TOMBSTONES}}}comment").text = one.comment
        yield element


def _add_images(entry: etree._Element, item: Item) -> None:
    """One enclosure, which needs a length in bytes, and all others as Media RSS."""
    for position, image in enumerate(list_images(item)):
        size = {} if image.size_bytes is None else {"length": str(image.size_bytes)}
        if position == 0 and size:
            etree.SubElement(entry, "enclosure", {"url": image.url, **size, "type": image.media_type})
        else:
            attributes = {"url": image.url, "type": image.media_type, "medium": "image"}
            file_size = {"fileSize": size["length"]} if size else {}
            etree.SubElement(entry, f"{{{MEDIA}}}content", attributes | file_size)
