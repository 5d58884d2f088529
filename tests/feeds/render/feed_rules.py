"""What the W3C feed validator says of a feed, as far as it can be said without a network: errors and warnings by name.

Written after the rules that it documents, RFC 4287 (the Schematron parts of its grammar among them), the RSS 2.0
specification and the profile of the RSS Advisory Board. Two warnings are accepted, and not looked for: UnknownNamespace
for RFC 6721, DuplicateUpdated.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from lxml import etree
from lxml.html import fragments_fromstring

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
DC = "{http://purl.org/dc/elements/1.1/}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
MEDIA = "{http://search.yahoo.com/mrss/}"
TOMBSTONES = "{http://purl.org/atompub/tombstones/1.0}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

CHANNEL = {
    *("title", "link", "description", "language", "copyright", "managingEditor", "webMaster", "pubDate"),
    *("lastBuildDate", "category", "generator", "docs", "cloud", "ttl", "image", "rating", "textInput", "skipHours"),
    *("skipDays", "item", f"{ATOM}link", f"{HISTORY}archive"),
}
ITEM = {
    *("title", "link", "description", "author", "category", "comments", "enclosure", "guid", "pubDate", "source"),
    *(f"{CONTENT}encoded", f"{DC}creator", f"{DC}language", f"{MEDIA}content"),
}
MANY = {"item", "category", f"{ATOM}link", f"{DC}creator", f"{MEDIA}content"}
RELATIONS = {"alternate", "current", "enclosure", "hub", "next-archive", "prev-archive", "related", "self", "via"}
HTML_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "cite", "code", "dd", "dl", "dt", "em", "h2", "h3", "h4", "hr", "i", "li"),
    *("ol", "p", "pre", "q", "s", "small", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
HTML_ATTRIBUTES = {"href", "title", "rel", "colspan", "rowspan", "scope"}

_URI = re.compile(r"[a-zA-Z][0-9a-zA-Z+.-]*:(//)?[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,#]+")
_TAG = re.compile(r"tag:([a-z0-9\-._]+?@)?[a-z0-9.\-]+?,\d{4}(-\d{2}(-\d{2})?)?:[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,#]*")
_MIME = re.compile(r"[^\s()<>,;:\\\"/\[\]?=]+/[^\s()<>,;:\\\"/\[\]?=]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_RFC822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d ([+-]\d\d[03]0|GMT)")
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)

Faults = Iterator[str]


def find_atom_faults(document: bytes, *, now: datetime) -> list[str]:
    """Errors and warnings for an Atom document read at ``now``; none where it is as it should be."""
    return [*_document_faults(document), *_atom_faults(etree.fromstring(document), now)]


def find_rss_faults(document: bytes, *, now: datetime) -> list[str]:
    """Errors and warnings for an RSS document read at ``now``; none where it is as it should be."""
    return [*_document_faults(document), *_rss_faults(etree.fromstring(document), now)]


def _document_faults(document: bytes) -> Faults:
    if not document.startswith(b"<?xml version='1.0' encoding='UTF-8'?>"):
        yield "MissingEncoding"
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        yield "InvalidDoctype"
    if re.search("[\x80-\x9f\ufffd]", document.decode("utf-8")):
        yield "BadCharacters"


def _atom_faults(feed: etree._Element, now: datetime) -> Faults:
    if feed.tag != f"{ATOM}feed":
        yield f"UndefinedElement: {feed.tag}"
    names = [child.tag for child in feed]
    entries = names.index(f"{ATOM}entry") if f"{ATOM}entry" in names else len(names)
    if set(names[entries:]) - {f"{ATOM}entry"}:
        yield "MisplacedMetadata"
    yield from _count_faults(
        feed, once={"id", "title", "updated"}, at_most_once={"generator", "icon", "rights", "subtitle"}
    )
    if feed.find(f"{ATOM}author") is None and any(e.find(f"{ATOM}author") is None for e in feed.iter(f"{ATOM}entry")):
        yield "MissingElement: author"
    yield from _feed_link_faults(feed)
    yield from _common_atom_faults(feed, now)
    for entry in feed.iterchildren(f"{ATOM}entry"):
        yield from _entry_faults(entry, now)
    yield from _duplicates("DuplicateEntries", [e.findtext(f"{ATOM}id") for e in feed.iter(f"{ATOM}entry")])
    yield from _tombstone_faults(feed, now)


def _feed_link_faults(feed: etree._Element) -> Faults:
    links = feed.findall(f"{ATOM}link")
    if [link.get("rel") for link in links].count("self") != 1:
        yield "MissingSelf"
    kinds = [(link.get("rel"), link.get("type"), link.get("hreflang")) for link in links]
    yield from _duplicates("DuplicateAtomLink", kinds)
    is_archive = feed.find(f"{HISTORY}archive") is not None
    if is_archive and "current" not in [link.get("rel") for link in links]:
        yield "MissingCurrentInArchive"


def _entry_faults(entry: etree._Element, now: datetime) -> Faults:
    once_at_most = {"published", "summary", "content", "rights", "source"}
    yield from _count_faults(entry, once={"id", "title", "updated"}, at_most_once=once_at_most)
    links = [link for link in entry.findall(f"{ATOM}link") if link.get("rel", "alternate") == "alternate"]
    if entry.find(f"{ATOM}content") is None:
        yield from [] if links else ["MissingContentOrAlternate"]
        yield from [] if entry.findtext(f"{ATOM}summary") else ["MissingTextualContent"]
    yield from _duplicates("DuplicateAtomLink", [(link.get("type"), link.get("hreflang")) for link in links])
    if any(link.get("rel") in {"current", "prev-archive", "next-archive"} for link in entry.findall(f"{ATOM}link")):
        yield "FeedHistoryRelInEntry"
    yield from _common_atom_faults(entry, now)


def _common_atom_faults(element: etree._Element, now: datetime) -> Faults:
    """Of a feed or entry: ids, dates, texts, persons, links, categories, language."""
    yield from _uri_faults(element.findtext(f"{ATOM}id"))
    for name in ("updated", "published"):
        for found in element.findall(ATOM + name):
            yield from _rfc3339_faults(found.text, now)
    for name in ("title", "subtitle", "rights", "summary", "content"):
        for found in element.findall(ATOM + name):
            yield from _text_construct_faults(found)
    for link in element.findall(f"{ATOM}link"):
        yield from _link_faults(link)
    for category in element.findall(f"{ATOM}category"):
        yield from [] if category.get("term") else ["MissingAttribute: term"]
        yield from _uri_faults(category.get("scheme"))
        yield from _plain_faults(category.get("label"))
    for author in element.findall(f"{ATOM}author"):
        yield from [] if author.findtext(f"{ATOM}name") else ["MissingElement: name"]
    if element.get(XML_LANG) is not None and not _LANGUAGE.fullmatch(element.get(XML_LANG) or ""):
        yield f"InvalidLanguage: {element.get(XML_LANG)}"
    for icon in element.findall(f"{ATOM}icon"):
        yield from _uri_faults(icon.text)


def _text_construct_faults(element: etree._Element) -> Faults:
    kind = element.get("type", "text")
    if kind not in {"text", "html"}:
        yield f"InvalidTextType: {kind}"
    if not element.text:
        yield f"NotBlank: {element.tag}"
    yield from _html_faults(element.text or "") if kind == "html" else _plain_faults(element.text)


def _link_faults(link: etree._Element) -> Faults:
    unknown = set(link.attrib) - {"href", "rel", "type", "hreflang", "title", "length"}
    yield from (f"UnexpectedAttribute: {name}" for name in unknown)
    yield from _uri_faults(link.get("href"))
    if link.get("rel", "alternate") not in RELATIONS:
        yield f"UnregisteredAtomLinkRel: {link.get('rel')}"
    yield from _mime_faults(link.get("type"))
    if link.get("length") is not None and not (link.get("length") or "").isdigit():
        yield "InvalidNonNegativeInteger: length"
    if link.get("hreflang") is not None and not _LANGUAGE.fullmatch(link.get("hreflang") or ""):
        yield f"InvalidLanguage: {link.get('hreflang')}"
    if len(link) or (link.text or "").strip():
        yield "AtomLinkNotEmpty"


def _tombstone_faults(feed: etree._Element, now: datetime) -> Faults:
    """RFC 6721 §3: what is deleted and when, each pair once, and no entry that came back later."""
    tombstones = feed.findall(f"{TOMBSTONES}deleted-entry")
    for one in tombstones:
        yield from _uri_faults(one.get("ref"))
        yield from _rfc3339_faults(one.get("when"), now)
        for entry in feed.iter(f"{ATOM}entry"):
            is_same = entry.findtext(f"{ATOM}id") == one.get("ref")
            if is_same and (entry.findtext(f"{ATOM}updated") or "") > (one.get("when") or ""):
                yield f"Undeleted: {one.get('ref')}"
    yield from _duplicates("DuplicateTombstone", [(one.get("ref"), one.get("when")) for one in tombstones])


def _rss_faults(root: etree._Element, now: datetime) -> Faults:
    if root.tag != "rss" or root.get("version") != "2.0" or [child.tag for child in root] != ["channel"]:
        yield "InvalidRSSVersion"
    channel = root[0]
    yield from (f"UndefinedElement: {child.tag}" for child in channel if child.tag not in CHANNEL)
    yield from _duplicates("DuplicateElement", [child.tag for child in channel if child.tag not in MANY])
    for name in ("title", "link", "description"):
        yield from [] if channel.findtext(name) else [f"MissingElement: {name}"]
    names = [child.tag for child in channel]
    if "item" in names and set(names[names.index("item") :]) != {"item"}:
        yield "MisplacedItem"
    yield from _channel_value_faults(channel, now)
    for item in channel.iterchildren("item"):
        yield from _item_faults(item, now)
    yield from _duplicates("DuplicateValue: guid", [item.findtext("guid") for item in channel.iterchildren("item")])


def _channel_value_faults(channel: etree._Element, now: datetime) -> Faults:
    for name in ("title", "description", "copyright"):
        yield from _plain_faults(channel.findtext(name))
    for name in ("link", "docs"):
        yield from _uri_faults(channel.findtext(name))
    for name in ("lastBuildDate", "pubDate"):
        yield from _rfc822_faults(channel.findtext(name), now)
    language, ttl = channel.findtext("language"), channel.findtext("ttl")
    yield from [] if language is None or _LANGUAGE.fullmatch(language) else [f"InvalidLanguage: {language}"]
    yield from [] if ttl is None or (ttl.isdigit() and int(ttl) > 0) else ["InvalidPositiveInteger: ttl"]
    links = channel.findall(f"{ATOM}link")
    yield from [] if "self" in [link.get("rel") for link in links] else ["MissingAtomSelfLink"]
    for link in links:
        yield from _link_faults(link)


def _item_faults(item: etree._Element, now: datetime) -> Faults:
    yield from (f"UndefinedElement: {child.tag}" for child in item if child.tag not in ITEM)
    names = [child.tag for child in item]
    yield from _duplicates("DuplicateElement", [name for name in names if name not in MANY])
    if not {"title", "description"} & set(names):
        yield "ItemMustContainTitleOrDescription"
    if f"{CONTENT}encoded" in names and "description" not in names[: names.index(f"{CONTENT}encoded")]:
        yield "NeedDescriptionBeforeContent"
    if "author" in names and f"{DC}creator" in names:
        yield "DuplicateItemSemantics"
    yield from [] if item.findtext("title") else ["NotBlank: title"]
    yield from _plain_faults(item.findtext("title"))
    yield from _uri_faults(item.findtext("link"))
    yield from _rfc822_faults(item.findtext("pubDate"), now)
    for name in ("description", f"{CONTENT}encoded"):
        yield from _html_faults(item.findtext(name) or "")
    yield from _guid_faults(item.find("guid"))
    yield from _media_faults(item)
    for category in item.findall("category"):
        yield from _plain_faults(category.text)
        yield from [] if category.text else ["NotBlank: category"]
        yield from (f"UnexpectedAttribute: {name}" for name in set(category.attrib) - {"domain"})


def _guid_faults(guid: etree._Element | None) -> Faults:
    if guid is None or not guid.text:
        yield "MissingGuid"
    elif guid.get("isPermaLink") != "false":
        yield "InvalidPermalink"


def _media_faults(item: etree._Element) -> Faults:
    """An enclosure has all three attributes; a length of nought would mean that it is unknown."""
    for enclosure in item.findall("enclosure"):
        if set(enclosure.attrib) != {"url", "length", "type"}:
            yield "MissingAttribute: enclosure"
        yield from [] if (enclosure.get("length") or "").strip("0").isdigit() else ["InvalidIntegerAttribute: length"]
        yield from _mime_faults(enclosure.get("type"))
        yield from _uri_faults(enclosure.get("url"))
    for content in item.findall(f"{MEDIA}content"):
        yield from _mime_faults(content.get("type"))
        yield from _uri_faults(content.get("url"))
        yield from [] if content.get("medium") == "image" else ["InvalidMediaMedium"]
        yield from [] if (content.get("fileSize") or "1").isdigit() else ["InvalidPositiveInteger: fileSize"]


def _count_faults(element: etree._Element, *, once: set[str], at_most_once: set[str]) -> Faults:
    counts = Counter(child.tag for child in element)
    yield from (f"MissingElement: {name}" for name in once if counts[ATOM + name] == 0)
    yield from (f"DuplicateElement: {name}" for name in once | at_most_once if counts[ATOM + name] > 1)


def _duplicates(name: str, values: list[object]) -> Faults:
    yield from (f"{name}: {value}" for value, count in Counter(values).items() if count > 1)


def _uri_faults(uri: str | None) -> Faults:
    """Full addresses only, of the characters of RFC 3986, and tags as RFC 4151 has them."""
    if uri is None:
        return
    pattern = _TAG if uri.startswith("tag:") else _URI
    if not pattern.fullmatch(uri) or (not uri.startswith("tag:") and not urlsplit(uri).netloc):
        yield f"InvalidFullLink: {uri}"


def _mime_faults(media_type: str | None) -> Faults:
    if media_type is not None and not _MIME.fullmatch(media_type):
        yield f"InvalidMIMEType: {media_type}"


def _rfc3339_faults(text: str | None, now: datetime) -> Faults:
    yield from _date_faults(text, now, _RFC3339, datetime.fromisoformat)


def _rfc822_faults(text: str | None, now: datetime) -> Faults:
    if text is not None:
        yield from _date_faults(text, now, _RFC822, parsedate_to_datetime)
        if _RFC822.fullmatch(text) and f"{parsedate_to_datetime(text):%a}" != text[:3]:
            yield f"IncorrectDOW: {text}"


def _date_faults(text: str | None, now: datetime, pattern: re.Pattern[str], read: Callable[[str], datetime]) -> Faults:
    if not pattern.fullmatch(text or ""):
        yield f"InvalidDate: {text}"
    elif not _OLDEST <= read(text or "") <= now:
        yield f"ImplausibleDate: {text}"


def _plain_faults(text: str | None) -> Faults:
    """Plain text that looks like HTML is taken for it."""
    if re.search(r"</(a|b|i|p|em|div|span|strong|script)>", text or "", re.IGNORECASE):
        yield f"ContainsHTML: {text}"


def _html_faults(markup: str) -> Faults:
    if not markup.strip():
        return
    for element in (node for root in fragments_fromstring(markup) if not isinstance(root, str) for node in root.iter()):
        if element.tag not in HTML_TAGS:
            yield f"SecurityRisk: {element.tag}"
        yield from (f"SecurityRiskAttr: {name}" for name in element.attrib if name not in HTML_ATTRIBUTES)
        if element.get("href") is not None and not urlsplit(element.get("href") or "").scheme:
            yield f"ContainsRelRef: {element.get('href')}"
