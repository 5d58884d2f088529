"""Following: reading the pages of new items, for what their list does not say of them."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from feeds.articles import read_article
from feeds.entries import Document, Entry, fill_entry, mark_ambiguous
from feeds.text import decode_page
from feeds.urls import make_url_key, resolve_url
from publisher.errors import CollectError
from publisher.fetch.fetcher import Response
from publisher.usecases.visit import StatusError, Visit, parse

_Page = Entry | CollectError | None

_GONE = (404, 410)
_HTML_TYPES = ("", "text/html", "application/xhtml+xml")


async def follow(visit: Visit, document: Document) -> Document:
    """The document with what the pages of its new entries say; an entry whose page cannot be read is left out.

    At the very first collection such a failure is the source's (CollectError), so that its backlog is whole; only
    entries whose page is gone are left out even then.
    """
    seen = await visit.find_seen(document.entries)
    pages = await _read_pages(visit, [entry.link for entry in document.entries if entry not in seen])
    failures = [page for page in pages.values() if isinstance(page, CollectError)]
    if visit.is_first:
        _refuse_passing(failures)
    found = [(entry, pages.get(entry.link)) for entry in document.entries]
    entries = [_fill(entry, page) for entry, page in found if not isinstance(page, CollectError)]
    remarks = tuple(f"left out for now: {failure}" for failure in failures)
    return replace(document, entries=mark_ambiguous(entries), omissions=(*document.omissions, *remarks))


async def _read_pages(visit: Visit, links: Iterable[str]) -> dict[str, _Page]:
    """What the pages say, read side by side; a bug in one ends the others."""
    tasks = {link: asyncio.create_task(_read_page(visit, link)) for link in dict.fromkeys(links)}
    try:
        return dict(zip(tasks, await asyncio.gather(*tasks.values()), strict=True))
    finally:
        for task in tasks.values():
            task.cancel()


async def _read_page(visit: Visit, link: str) -> _Page:
    """What the page at that link says; None where it is no HTML page, an error where it cannot be had."""
    try:
        response = await visit.fetch(link)
        if not _is_html(response):
            return None
        return await parse(lambda: _parse(response, link=link, visit=visit))
    except CollectError as error:
        return error


def _parse(response: Response, *, link: str, visit: Visit) -> Entry:
    """What the page says; the address of its source is no item's, whatever the page says (templates do)."""
    page = decode_page(response.body, response.charset)
    entry = read_article(page, link=link, url=response.url, zone=visit.source.zone)
    lists = {make_url_key(resolve_url(url, url) or url) for url in (visit.source.url, visit.state.url)}
    return replace(entry, canonical="") if make_url_key(entry.canonical) in lists else entry


def _fill(entry: Entry, page: Entry | None) -> Entry:
    return fill_entry(entry, page) if page else entry


def _is_html(response: Response) -> bool:
    media_type = response.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() in _HTML_TYPES


def _refuse_passing(failures: list[CollectError]) -> None:
    for failure in failures:
        if not (isinstance(failure, StatusError) and failure.response.status in _GONE):
            raise failure
