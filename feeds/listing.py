"""Listings: HTML pages → entries, by the CSS selectors of their source."""

import re
from dataclasses import dataclass
from functools import lru_cache

from lxml.cssselect import CSSSelector
from lxml.html import HtmlElement

from feeds.dates import LONGEST_DATE, GivenDate, parse_printed, parse_rfc3339
from feeds.entries import MOST_ENTRIES, Entry, ParseError
from feeds.sources import Select, Source
from feeds.text import LONGEST_LABEL, LONGEST_SUMMARY, LONGEST_TITLE, clean_language, parse_html, read_element
from feeds.urls import resolve_url


@dataclass(frozen=True, slots=True)
class ListingPage:
    """One page of a listing. Entries of a followed source may have no title yet."""

    entries: tuple[Entry, ...]
    next_url: str | None
    unlinked: int
    """Items that lead nowhere and were left out."""


def parse_listing(page: str, source: Source, *, url: str) -> ListingPage:
    """The entries of a page fetched from ``url``; ParseError where the selectors find none."""
    select = source.select
    if select is None:
        raise ParseError(f"sources.{source.id}.select is missing. A listing cannot be read without")
    root = open_page(page, url)
    base = base_of(root, url)
    items = _find_all(root, select.item)[:MOST_ENTRIES]
    if not items:
        raise ParseError(_explain(source, "item", found=f"matched nothing on {url}"))
    next_url = _find_link(root, select.next, base=base)
    entries = tuple(entry for item in items if (entry := _read_item(item, source, base=base)))
    if not entries:
        raise ParseError(_explain(source, "link", found=f"found no link in the {len(items)} items of {url}"))
    return ListingPage(entries, next_url, len(items) - len(entries))


def open_page(page: str, url: str) -> HtmlElement:
    """The document element of a page; ParseError where it is no HTML."""
    try:
        root = parse_html(page)
    except ValueError as error:
        raise ParseError(f"{url}: {error}") from error
    if root is None:
        raise ParseError(f"{url} is empty")
    return root


def base_of(root: HtmlElement, url: str) -> str:
    """What relative links of the page are relative to."""
    for element in root.iter("base"):
        return resolve_url(element.get("href") or "", url) or url
    return url


def _read_item(item: HtmlElement, source: Source, *, base: str) -> Entry | None:
    """The entry of an item; None where it has no link to the web."""
    select = source.select
    assert select is not None  # noqa: S101 — parse_listing has seen to it
    _drop(item, select.drop)
    link = _find_link(item, select.link, base=base)
    if link is None:
        return None
    given, date_text = _read_date(item, source, select)
    return Entry(
        link=link,
        title=_read_title(item, source, select),
        summary=_read_first(item, select.summary, limit=LONGEST_SUMMARY),
        category=_read_first(item, select.category, limit=LONGEST_LABEL),
        language=clean_language(item.get("lang") or ""),
        given=given,
        date_text=date_text,
    )


def _read_title(item: HtmlElement, source: Source, select: Select) -> str:
    """By its selector; without one the text of the link, but where the article page is to give the title."""
    if select.title or source.follow:
        return _read_first(item, select.title, limit=LONGEST_TITLE)
    return _read_first(item, select.link, limit=LONGEST_TITLE)


def _read_date(item: HtmlElement, source: Source, select: Select) -> tuple[GivenDate | None, str]:
    """The date and its text as printed; the date is None where the text does not fit the source's formats."""
    elements = _find_all(item, select.date)
    if not elements:
        return None, ""
    text = read_element(elements[0], LONGEST_DATE)
    machine = elements[0].get("datetime") or text
    printed = _cut(text, select.date_pattern)
    given = parse_printed(printed, select.date_formats, language=source.language, zone=source.zone)
    return given or parse_rfc3339(machine, source.zone), text


def _cut(text: str, pattern: str) -> str:
    """The part of the text that is the date; the whole text where the pattern finds nothing."""
    found = re.search(pattern, text) if pattern else None
    if found is None:
        return text
    return (found[1] if found.re.groups else found[0]) or ""


def _read_first(item: HtmlElement, selector: str, *, limit: int) -> str:
    """The text of the first element that has any; pages print things twice, for narrow and wide screens."""
    texts = (read_element(element, limit) for element in _find_all(item, selector))
    return next(filter(None, texts), "")


def _find_link(item: HtmlElement, selector: str, *, base: str) -> str | None:
    """The first address on the web among the selected elements, or the links within them."""
    for element in _find_all(item, selector):
        for anchor in element.iter("a", "area", "link"):
            url = resolve_url(anchor.get("href") or "", base) if anchor.get("href") else None
            if url:
                return url
    return None


def _drop(item: HtmlElement, selector: str) -> None:
    for element in _find_all(item, selector):
        if element is not item and element.getparent() is not None:
            element.drop_tree()


def _find_all(element: HtmlElement, selector: str) -> list[HtmlElement]:
    """The element itself and those within it that the selector takes, in document order."""
    found = _compile(selector)(element) if selector else []
    return found if isinstance(found, list) else []


@lru_cache(maxsize=512)
def _compile(selector: str) -> CSSSelector:
    return CSSSelector(selector, translator="html")


def _explain(source: Source, key: str, *, found: str) -> str:
    selector = getattr(source.select, key)
    return f"sources.{source.id}.select.{key}: {selector!r} {found}. The page has changed: correct the selector"
