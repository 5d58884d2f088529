"""A visit: one source that is being read, with what its pages are fetched and parsed by."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from feeds.entries import Entry, entry_keys
from feeds.entries import ParseError as DocumentError
from feeds.sources import Source
from publisher.errors import FetchError, ParseError
from publisher.fetch.fetcher import Fetcher, Origin, Response
from publisher.store.sources import SourceState

Parsed = TypeVar("Parsed")

SeenKeys = Callable[[str, Sequence[str]], set[str]]
"""Those of the keys that belong to items which the source of that id has shown before."""

_ADVICE = {
    401: "It wants a password, which sources cannot have",
    403: "It refuses us: ask its owner, or check the address",
    404: "Check the address",
    410: "It is gone for good: remove the source or give it another address",
    429: "It asks us to come less often",
}


class StatusError(FetchError):
    """An answer that is no document."""

    def __init__(self, requested_url: str, response: Response) -> None:
        advice = _ADVICE.get(response.status, "It is tried again later")
        super().__init__(f"{response.url} answered {response.status}. {advice}")
        self.requested_url = requested_url
        self.response = response


@dataclass(frozen=True, slots=True)
class Visit:
    """One source, about to be read at one moment."""

    state: SourceState
    fetcher: Fetcher
    seen_keys: SeenKeys
    now: datetime

    @property
    def source(self) -> Source:
        return self.state.source

    @property
    def is_first(self) -> bool:
        return self.state.first_collected_at is None

    async def fetch(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Response:
        """The document there, or 304 where a validator was given; StatusError for any other answer."""
        origin = Origin.of(self.source.url, internal=self.source.internal)
        response = await self.fetcher.get(url, origin, etag=etag, last_modified=last_modified)
        is_unchanged = response.status == 304 and bool(etag or last_modified)
        if response.status != 200 and not is_unchanged:
            raise StatusError(url, response)
        return response

    async def find_seen(self, entries: Iterable[Entry]) -> set[Entry]:
        """Those of the entries that this source has shown before, by their strongest key."""
        keys = {entry: entry_keys(entry, self.source.id)[0] for entry in entries}
        seen = await asyncio.to_thread(self.seen_keys, self.source.id, list(keys.values()))
        return {entry for entry, key in keys.items() if key in seen}


async def parse(work: Callable[[], Parsed]) -> Parsed:
    """The result of parsing in a thread, beside other fetches; ParseError where it fails."""
    try:
        return await asyncio.to_thread(work)
    except DocumentError as error:
        raise ParseError(str(error)) from error
