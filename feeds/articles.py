"""Article pages: what a page says of itself, for entries whose list says too little."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from typing import Any

from lxml.html import HtmlElement

from feeds.dates import GivenDate, parse_rfc3339
from feeds.entries import Entry
from feeds.images import Given, read_images
from feeds.listing import base_of, open_page
from feeds.model import Image
from feeds.text import LONGEST_SUMMARY, LONGEST_TITLE, clean_text, read_element
from feeds.translations import read_alternates
from feeds.urls import host_of, is_site_root, resolve_url

_LONGEST_JSON = 500_000
_MOST_NODES = 1_000
_ARTICLES = frozenset({"BlogPosting", "LiveBlogPosting", "SocialMediaPosting", "Report"})
"""Types of schema.org that are articles and do not end so."""
_UNFIT = 4


@dataclass(frozen=True, slots=True)
class _StructuredData:
    """What schema.org data of the page says."""

    headline: str = ""
    published: str = ""


def read_article(page: str, *, link: str, url: str, zone: tzinfo) -> Entry:
    """What a page fetched from ``url`` says of itself, as an entry of ``link``.

    A canonical address of another host or of a home page is not taken.
    """
    root = open_page(page, url)
    data = _read_structured_data(root, _read_title(root))
    given, date_text = _read_date(root, data, zone=zone)
    return Entry(
        link=link,
        title=_read_title(root, data.headline),
        summary=clean_text(_read_meta(root, "og:description") or _read_meta(root, "description"), LONGEST_SUMMARY),
        given=given,
        date_text=date_text,
        canonical=_read_canonical(root, url),
        images=_read_images(root, url),
        alternates=read_alternates(_find_alternates(root), base=base_of(root, url), link=url),
    )


def _read_title(root: HtmlElement, headline: str = "") -> str:
    """The one heading of the article; where that is not clear, what the page says to machines."""
    within = [heading for part in root.iter("main", "article") for heading in part.iter("h1")]
    headings = list(dict.fromkeys(within)) or list(root.iter("h1"))
    candidates = (
        read_element(headings[0], LONGEST_TITLE) if len(headings) == 1 else "",
        clean_text(_read_meta(root, "og:title"), LONGEST_TITLE),
        clean_text(headline, LONGEST_TITLE),
        read_element(headings[0], LONGEST_TITLE) if headings else "",
        clean_text(root.findtext("head/title") or "", LONGEST_TITLE),
    )
    return next(filter(None, candidates), "")


def _read_date(root: HtmlElement, data: _StructuredData, *, zone: tzinfo) -> tuple[GivenDate | None, str]:
    for text in (data.published, _read_meta(root, "article:published_time")):
        given = parse_rfc3339(text, zone)
        if given:
            return given, text
    return None, ""


def _read_canonical(root: HtmlElement, url: str) -> str:
    base = base_of(root, url)
    for element in root.iter("link"):
        if "canonical" not in (element.get("rel") or "").lower().split():
            continue
        canonical = resolve_url(element.get("href") or "", base)
        if canonical and host_of(canonical) == host_of(url) and not is_site_root(canonical):
            return canonical
    return ""


def _read_images(root: HtmlElement, url: str) -> tuple[Image, ...]:
    shown = Given(_read_meta(root, "og:image"), _read_meta(root, "og:image:type"))
    return read_images([shown], base_of(root, url))


def _find_alternates(root: HtmlElement) -> Iterator[tuple[object, object]]:
    for element in root.iter("link"):
        if "alternate" in (element.get("rel") or "").lower().split():
            yield element.get("hreflang"), element.get("href")


def _read_meta(root: HtmlElement, name: str) -> str:
    for element in root.iter("meta"):
        if name in {element.get("property"), element.get("name")} and element.get("content"):
            return element.get("content") or ""
    return ""


def _read_structured_data(root: HtmlElement, title: str) -> _StructuredData:
    """The dated JSON-LD object that is most likely this article, else the first with a headline."""
    objects = [node for text in _find_scripts(root) for node in islice(_walk(_load(text)), _MOST_NODES)]
    ranked = [(_rank(node, title), node) for node in objects if _text(node.get("datePublished"))]
    found = [node for rank, node in sorted(ranked, key=lambda pair: pair[0]) if rank < _UNFIT]
    found += [{"headline": node["headline"]} for node in objects if _text(node.get("headline"))]
    if not found:
        return _StructuredData()
    return _StructuredData(_text(found[0].get("headline")), _text(found[0].get("datePublished")))


def _rank(node: Mapping[str, Any], title: str) -> int:
    """How likely an object is the article of that title, 0 the most; _UNFIT for a video, a comment and the like."""
    types = _read_types(node)
    is_titled = clean_text(_text(node.get("headline")), LONGEST_TITLE).casefold() == title.casefold() != ""
    if any(name in _ARTICLES or name.endswith("Article") for name in types):
        return 0 if is_titled else 1
    if is_titled:
        return 2
    return 3 if not types or any(name.endswith("Page") for name in types) else _UNFIT


def _read_types(node: Mapping[str, Any]) -> set[str]:
    """The names of its types, without the vocabulary's."""
    value = node.get("@type")
    names = [value] if isinstance(value, str) else _as_list(value)
    return {re.split(r"[/:#]", name)[-1] for name in names if isinstance(name, str)}


def _find_scripts(root: HtmlElement) -> Iterator[str]:
    for element in root.iter("script"):
        if (element.get("type") or "").strip().lower() == "application/ld+json":
            yield element.text or ""


def _load(text: str) -> Any:  # Any: a JSON value from outside
    try:
        return json.loads(text) if len(text) <= _LONGEST_JSON else None
    except (ValueError, RecursionError):
        return None


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    """The objects that a JSON-LD value puts at the top: itself, those of a list, those of ``@graph``."""
    if isinstance(value, dict):
        yield value
        yield from (node for node in _as_list(value.get("@graph")) if isinstance(node, dict))
    elif isinstance(value, list):
        for part in value:
            if isinstance(part, dict):
                yield from _walk(part)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
