"""Feeds of others: RSS, Atom and JSON Feed documents → entries."""

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import feedparser

from feeds.dates import parse_machine_date
from feeds.entries import LONGEST_GUID, MOST_ENTRIES, Document, Entry, ParseError, mark_ambiguous
from feeds.images import Given, read_images
from feeds.sources import Source
from feeds.text import (
    LONGEST_LABEL,
    LONGEST_SUMMARY,
    LONGEST_TITLE,
    clean_language,
    clean_text,
    read_html,
    sanitise_html,
)
from feeds.translations import read_alternates
from feeds.urls import resolve_url

_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_PROLOG = re.compile(rb"(?:[\s\xef\xbb\xbf\xff\xfe]+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_DOCTYPE = re.compile(rb"<!doctype[^>\[]*(\[)?", re.IGNORECASE)
_ADDRESS = re.compile(r"\S+@\S+")

MOST_AUTHORS = 20
_PAGES = ("", None, "text/html", "application/xhtml+xml")

_FEED_LINKS = ("hub", "self")
_MOST_LINKS = 10

_Fields = Mapping[str, Any]  # Any: what feedparser or a JSON document holds
_Entries = list[Entry | None]
_Links = list[tuple[str, str]]


def parse_feed(body: bytes, source: Source, *, url: str, charset: str | None = None) -> Document:
    """The entries of a feed fetched from ``url``, in document order; ParseError where it is no feed."""
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{"):
        entries, links = _read_json_feed(body, source, url=url)
    else:
        _refuse_other(body, url)
        entries, links = _read_xml_feed(body, source, url=url, charset=charset)
    linked = [entry for entry in entries if entry is not None]
    missing = len(entries) - len(linked)
    remarks = (f"{missing} entries without a link were left out",) if missing else ()
    return Document(mark_ambiguous(linked), remarks, links=tuple(links[:_MOST_LINKS]))


def _refuse_other(body: bytes, url: str) -> None:
    """ParseError for HTML, for nothing at all, and for a document type with declarations of its own (entities)."""
    head = body.replace(b"\0", b"")  # UTF-16 and UTF-32 are looked through alike
    start = _PROLOG.sub(b"", head, count=1)  # byte order marks go with it
    if not start:
        raise ParseError(f"{url} is empty, not a feed")
    if _HTML.match(start):
        raise ParseError(f"{url} is HTML, not a feed. Look for the feed's own address, or make the source a listing")
    doctype = _DOCTYPE.match(start)
    if doctype and doctype[1]:
        raise ParseError(f"{url} declares entities of its own (DOCTYPE), which is refused")


def _read_xml_feed(body: bytes, source: Source, *, url: str, charset: str | None) -> tuple[_Entries, _Links]:
    document = _parse_xml(body, url, charset=charset)
    if not document.get("version"):
        raise ParseError(f"{url} is neither RSS nor Atom nor JSON Feed. Check the address")
    language = _language(document["feed"].get("language"))
    entries = [
        _read_xml_entry(fields, source, url=url, feed_language=language)
        for fields in document["entries"][:MOST_ENTRIES]
    ]
    links = [(_text(link.get("rel")), _text(link.get("href"))) for link in document["feed"].get("links", [])]
    return entries, [link for link in links if link[0] in _FEED_LINKS]


def _parse_xml(body: bytes, url: str, *, charset: str | None) -> _Fields:
    """What feedparser makes of the bytes; it is given a stream, for it would open or fetch what a name stands for."""
    headers = {"content-location": url}
    if charset:
        headers["content-type"] = f"application/xml; charset={charset}"
    try:
        document: _Fields = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise ParseError(f"{url} cannot be parsed as a feed ({type(error).__name__}: {error})") from error
    return document


def _read_xml_entry(fields: _Fields, source: Source, *, url: str, feed_language: str) -> Entry | None:
    link = _find_link(fields, url)
    if link is None:
        return None
    # Asked for a date that is missing, feedparser gives the other one.
    dates = [_text(fields[key]) if key in fields else "" for key in ("published", "updated")]
    date_text, is_update = _find_date(*dates)
    content, base = _read_content(fields)
    return Entry(
        link=link,
        guid=_clean_guid(fields.get("id")),
        title=_read_title(fields),
        summary=read_html(_text(fields.get("summary")) or content, LONGEST_SUMMARY),
        content_html=sanitise_html(content, base or link),
        authors=_read_authors(fields),
        category=_read_category(fields),
        images=read_images(_find_images(fields), url),
        alternates=read_alternates(_find_alternates(fields), base=url, link=link),
        language=_read_language(fields, feed_language),
        given=parse_machine_date(date_text, source.zone),
        date_text=clean_text(date_text, LONGEST_LABEL),
        is_dated_by_update=is_update,
    )


def _find_link(fields: _Fields, base: str) -> str | None:
    guid = _text(fields.get("id"))
    links = [link for link in fields.get("links", []) if link.get("rel") == "alternate" and link.get("href")]
    # Of several alternates feedparser takes the last, which may be a translation.
    own = [link for link in links if not link.get("hreflang") and link.get("type") in _PAGES]
    candidates = [*(link["href"] for link in own[:1]), *(link["href"] for link in links[:1] if not own)]
    candidates += [_text(fields.get("link")), *(link["href"] for link in links)]
    if guid.startswith(("http://", "https://")):
        candidates.append(guid)
    return next(filter(None, (resolve_url(link, base) for link in candidates if link.strip())), None)


def _find_date(published: str, updated: str) -> tuple[str, bool]:
    """The text of the date, and whether it is only that of the last change."""
    return (published, False) if published.strip() else (updated, bool(updated.strip()))


def _read_title(fields: _Fields) -> str:
    title = _text(fields.get("title"))
    is_plain = fields.get("title_detail", {}).get("type") == "text/plain"
    return clean_text(title, LONGEST_TITLE) if is_plain else read_html(title, LONGEST_TITLE)


def _read_content(fields: _Fields) -> tuple[str, str]:
    """The body as HTML, and what its links are relative to."""
    for content in fields.get("content", []):
        if content.get("type") in {"text/html", "application/xhtml+xml"} and _text(content.get("value")).strip():
            return _text(content["value"]), _text(content.get("base"))
    return "", ""


def _read_authors(fields: _Fields) -> tuple[str, ...]:
    """The names; addresses beside them are not for publication."""
    authors = fields.get("authors", [])
    if len(authors) < 2:
        return _clean_authors([_text(fields.get("author"))])
    # Of an address alone feedparser makes a name of its last letters.
    named = [author for author in authors if not _text(author.get("email")).endswith(author.get("name") or " ")]
    return _clean_authors(_text(author.get("name")) for author in named)


def _clean_authors(given: Iterable[str]) -> tuple[str, ...]:
    names = (clean_text(_ADDRESS.sub(" ", name), LONGEST_LABEL).strip(" ()<>,") for name in given)
    return tuple(dict.fromkeys(filter(None, names)))[:MOST_AUTHORS]


def _find_images(fields: _Fields) -> Iterator[Given]:
    """Enclosures before Media RSS, whose thumbnails only stand in for an image."""
    for one in fields.get("enclosures", []):
        yield Given(one.get("href"), one.get("type"), one.get("length"))
    full = [one for one in fields.get("media_content", []) if one.get("medium") in {None, "", "image"}]
    for one in full or fields.get("media_thumbnail", []):
        yield Given(one.get("url"), one.get("type"), one.get("filesize"))


def _find_alternates(fields: _Fields) -> Iterator[tuple[object, object]]:
    for link in fields.get("links", []):
        if link.get("rel") == "alternate":
            yield link.get("hreflang"), link.get("href")


def _read_category(fields: _Fields) -> str:
    for tag in fields.get("tags", []):
        label = read_html(_text(tag.get("label")) or _text(tag.get("term")), LONGEST_LABEL)
        if label:
            return label
    return ""


def _read_language(fields: _Fields, feed_language: str) -> str:
    """The language an entry gives itself; that of the whole feed is not the entry's word."""
    language = _language(fields.get("title_detail", {}).get("language"))
    return "" if language == feed_language else language


def _read_json_feed(body: bytes, source: Source, *, url: str) -> tuple[_Entries, _Links]:
    try:
        document = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise ParseError(f"{url} is not a feed: it begins like JSON, but {error}") from error
    version = _text(document.get("version"))
    items = document.get("items")
    if not re.match(r"https?://(www\.)?jsonfeed\.org/version/1", version) or not isinstance(items, list):
        raise ParseError(f"{url} is JSON, but not a JSON Feed: version {version[:80]!r}. Check the address")
    objects = [fields for fields in items[:MOST_ENTRIES] if isinstance(fields, dict)]
    return [_read_json_entry(fields, source, url=url) for fields in objects], _read_json_links(document)


def _read_json_links(document: _Fields) -> _Links:
    named = document.get("hubs")
    hubs = [hub for hub in named if isinstance(hub, dict)] if isinstance(named, list) else []
    links = [("hub", _text(hub.get("url"))) for hub in hubs if _text(hub.get("type")).lower() == "websub"]
    links.append(("self", _text(document.get("feed_url"))))
    return [link for link in links if link[1]]


def _read_json_entry(fields: _Fields, source: Source, *, url: str) -> Entry | None:
    links = [_text(fields.get(key)) for key in ("url", "external_url")]
    links += [guid for guid in [_text(fields.get("id"))] if guid.startswith(("http://", "https://"))]
    link = next(filter(None, (resolve_url(candidate, url) for candidate in links)), None)
    if link is None:
        return None
    content = _text(fields.get("content_html"))
    date_text, is_update = _find_date(_text(fields.get("date_published")), _text(fields.get("date_modified")))
    return Entry(
        link=link,
        guid=_clean_guid(fields.get("id")),
        title=clean_text(_text(fields.get("title")), LONGEST_TITLE),
        summary=_read_json_summary(fields, content),
        content_html=sanitise_html(content, link),
        authors=_read_json_authors(fields),
        category=clean_text(_first_text(fields.get("tags")), LONGEST_LABEL),
        language=_language(fields.get("language")),
        images=read_images(_find_json_images(fields), url),
        given=parse_machine_date(date_text, source.zone),
        date_text=clean_text(date_text, LONGEST_LABEL),
        is_dated_by_update=is_update,
    )


def _read_json_summary(fields: _Fields, content: str) -> str:
    plain = _text(fields.get("summary")) or _text(fields.get("content_text"))
    return clean_text(plain, LONGEST_SUMMARY) or read_html(content, LONGEST_SUMMARY)


def _read_json_authors(fields: _Fields) -> tuple[str, ...]:
    authors = fields.get("authors") if isinstance(fields.get("authors"), list) else [fields.get("author")]
    return _clean_authors(_text(author.get("name")) for author in authors or [] if isinstance(author, dict))


def _find_json_images(fields: _Fields) -> Iterator[Given]:
    attachments = fields.get("attachments")
    for one in attachments if isinstance(attachments, list) else []:
        if isinstance(one, dict):
            yield Given(one.get("url"), one.get("mime_type"), one.get("size_in_bytes"))
    yield Given(fields.get("image"))


def _first_text(value: Any) -> str:
    texts = value if isinstance(value, list) else []
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _clean_guid(value: Any) -> str:
    """The GUID as given; one that is too long is none, rather than one cut short that others share."""
    guid = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    guid = clean_text(guid, LONGEST_GUID + 1)
    return guid if len(guid) <= LONGEST_GUID else ""


def _language(value: Any) -> str:
    return clean_language(_text(value))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
