"""feedgen behind an adapter that mends its faults (version 1.0; each mend has its test).

| fault of feedgen | mend |
|---|---|
| links of Atom entries lose rel, type and hreflang | ``Entry.atom_entry`` writes them |
| ``updated`` and ``lastBuildDate`` are now unless set | always set |
| dates of RSS switch the locale of the whole process, for all threads | ``format_datetime`` in that place |
| characters that XML forbids raise | ``make_feed`` cleans all texts |
| an entry without a title raises | ``make_feed`` gives it one |
| entries are prepended | appended |
| the link of an RSS feed is the last link added, whatever its rel | the page for people is added last |
| entries have no ``xml:lang`` | ``Entry.atom_entry`` writes it |
| RSS authors without an e-mail address are dropped | ``dc:creator`` |
| its name and version stand in every feed, so that an upgrade changes all bytes | a generator of our own |
"""

from collections.abc import Callable
from email.utils import format_datetime

import feedgen.entry
import feedgen.feed
from lxml import etree

from feeds.model import Item
from feeds.paths import Format
from feeds.render.feed import GENERATOR, Feed, FeedInfo, list_categories, list_links, tag_uri

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

feedgen.feed.formatRFC2822 = format_datetime
feedgen.entry.formatRFC2822 = format_datetime


class Entry(feedgen.entry.FeedEntry):  # type: ignore[misc]  # feedgen is not typed
    """feedgen's entry, with the attributes that it forgets to write."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def atom_entry(self, extensions: bool = True) -> etree._Element:  # noqa: FBT001, FBT002 (feedgen's signature)
        entry: etree._Element = super().atom_entry(extensions)
        entry.set(_XML_LANG, self._language)
        for element, link in zip(entry.iterchildren("link"), self.link(), strict=True):
            element.attrib.update(link)
        return entry


def make_generator(
    feed: Feed,
    form: Format,
    *,
    complete: Callable[[Entry, Item], None],
) -> feedgen.feed.FeedGenerator:
    """The feed as feedgen knows it; ``complete`` adds to an entry what only this format has."""
    generator = feedgen.feed.FeedGenerator()
    generator.load_extension("dc", atom=False)
    _fill_head(generator, feed.info, form=form)
    for item in feed.items:
        entry = generator.add_entry(Entry(item.language), order="append")
        _fill_entry(entry, item, info=feed.info)
        complete(entry, item)
    return generator


def _fill_head(generator: feedgen.feed.FeedGenerator, info: FeedInfo, *, form: Format) -> None:
    generator.id(tag_uri(info.authority, info.name))
    generator.title(info.title)
    generator.subtitle(info.subtitle or info.title)
    generator.updated(info.updated)
    generator.author(name=info.site_name)
    generator.generator(GENERATOR)
    generator.language(info.language)
    generator.rights(info.rights or None)
    for link in list_links(info, form):
        language = {"hreflang": link.hreflang} if link.hreflang else {}
        generator.link(href=link.href, rel=link.rel, type=link.type, **language)


def _fill_entry(entry: Entry, item: Item, *, info: FeedInfo) -> None:
    entry.id(tag_uri(info.authority, item.uid))
    entry.title(item.title)
    entry.link(href=item.url, rel="alternate", type="text/html", hreflang=item.language)
    entry.published(item.published_at)
    entry.updated(item.updated_at)
    if item.author:
        entry.author(name=item.author)
    if item.content_html:
        entry.content(item.content_html, type="html")
    categories = list_categories(item, info)
    entry.category([{"term": one.term, "scheme": one.scheme, "label": one.label} for one in categories])
