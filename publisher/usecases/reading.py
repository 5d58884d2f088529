"""Reading one source: its feed, or its listing page by page. Writes nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from feeds.entries import Document
from feeds.listing import ListingPage, parse_listing
from feeds.syndication import parse_feed
from feeds.text import decode_page
from publisher.errors import CollectError
from publisher.fetch.fetcher import Response
from publisher.fetch.freshness import freshness_s, retry_after_s
from publisher.usecases.following import follow
from publisher.usecases.visit import StatusError, Visit, parse

log = structlog.get_logger()

MOST_PAGES = 20
"""Of a listing, in one collection."""
LONGEST_VISIT_S = 600
"""For one source with all its pages: a first backlog of 400 articles, two at a time, three seconds each."""


@dataclass(frozen=True, slots=True)
class Read:
    """A source that was read; ``document`` is None where it says that nothing has changed."""

    document: Document | None
    response: Response
    """The answer at the source's own URL."""
    fresh_s: int
    """For how long the source says that it need not be asked again."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A source that could not be read."""

    error: str
    retry_after_s: int = 0
    is_gone: bool = False
    """Whether the source says that it is gone for good (410)."""


async def read_source(visit: Visit) -> Read | Unread:
    """What the source says now. Whatever goes wrong with it is a value, so that other sources go on."""
    try:
        async with asyncio.timeout(LONGEST_VISIT_S):
            return await _read(visit)
    except TimeoutError:
        url = visit.state.url
        return Unread(
            f"{url} was not read within {LONGEST_VISIT_S} seconds, its pages included. It is tried again later"
        )
    except StatusError as error:
        is_gone = error.response.status == 410 and error.requested_url == visit.state.url
        return Unread(str(error), retry_after_s(error.response.headers, visit.now), is_gone)
    except CollectError as error:
        return Unread(str(error))
    except Exception as error:
        log.exception("source could not be read", source=visit.source.id)
        return Unread(
            f"{visit.state.url}: unexpected {type(error).__name__}, a bug of the publisher; its log says more"
        )


async def _read(visit: Visit) -> Read:
    state = visit.state
    response = await visit.fetch(state.url, etag=state.etag, last_modified=state.last_modified)
    document = None
    if response.status != 304:
        reader = _read_feed if visit.source.kind == "feed" else _read_listing
        document = await reader(visit, response)
    if document and visit.source.follow:
        document = await follow(visit, document)
    return Read(document, response, freshness_s(response.headers, visit.now))


async def _read_feed(visit: Visit, response: Response) -> Document:
    return await parse(lambda: parse_feed(response.body, visit.source, url=response.url, charset=response.charset))


async def _read_listing(visit: Visit, response: Response) -> Document:
    """All pages; of a source that was collected before, up to the first page that shows nothing new."""
    pages: list[ListingPage] = []
    visited = {visit.state.url, response.url}
    while True:
        page = await _read_page(visit, response)
        pages.append(page)
        if page.next_url is None or page.next_url in visited or await _is_known(visit, page):
            return _join(pages)
        if len(pages) == MOST_PAGES:
            return _join(pages, f"only the first {MOST_PAGES} pages were read, the next is {page.next_url}")
        response = await visit.fetch(page.next_url)
        visited |= {page.next_url, response.url}


def _join(pages: Sequence[ListingPage], *remarks: str) -> Document:
    unlinked = sum(page.unlinked for page in pages)
    if unlinked:
        remarks = (f"{unlinked} items without a link were left out", *remarks)
    return Document(tuple(entry for page in pages for entry in page.entries), remarks)


async def _read_page(visit: Visit, response: Response) -> ListingPage:
    return await parse(
        lambda: parse_listing(decode_page(response.body, response.charset), visit.source, url=response.url)
    )


async def _is_known(visit: Visit, page: ListingPage) -> bool:
    """Whether the source has shown all of the page before."""
    return len(await visit.find_seen(page.entries)) == len(set(page.entries))
