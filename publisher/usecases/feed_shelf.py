"""Compiled feeds in memory: made when first asked for, made anew when something in them has changed."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import structlog

from feeds.paths import FORMATS, Address, Format, PageAddress, page_path_of, path_of
from publisher.app import App
from publisher.errors import RenderError
from publisher.store.database import CommitWatch
from publisher.usecases.documents import Document
from publisher.usecases.feed_changes import Changes, find_changes
from publisher.usecases.feed_directory import compile_directory
from publisher.usecases.feed_pages import compile_page
from publisher.usecases.feeds import Catalogue, compile_together, read_catalogue

CAPACITY_BYTES = 80 * 1024 * 1024
FRESH_FOR_S = 0.2
"""So old an answer from memory may be; looking more often costs more than it tells."""

_CHANGES_KEPT = 8

AnyAddress = Address | PageAddress

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Kept:
    address: AnyAddress
    document: Document
    is_stale: bool = False


def target_of(address: AnyAddress) -> str:
    """Its path and query."""
    if isinstance(address, PageAddress):
        return page_path_of(address.criteria)
    return path_of(address.criteria, address.format, address.archive)


class FeedShelf:
    """The documents of one process, for many threads. Least used ones go when ``capacity_bytes`` is passed."""

    def __init__(
        self,
        app: App,
        *,
        capacity_bytes: int = CAPACITY_BYTES,
        compile_one: Callable[..., dict[Address, Document]] = compile_together,
        fresh_for_s: float = FRESH_FOR_S,
    ) -> None:
        self._app = app
        self._capacity_bytes = capacity_bytes
        self._compile_one = compile_one
        self._fresh_for_s = fresh_for_s
        self._watch = CommitWatch(app.database)
        self._seen = self._watch.version()
        self._checked_at = time.monotonic()
        self._catalogue = read_catalogue(app)
        self._version = self._catalogue.version
        """Up to which changes are known; the catalogue may be a moment younger."""
        self._refreshing = threading.Lock()
        self._directory: dict[str, Document] = {}
        self._directory_version: object = None
        self._directory_lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._size_bytes = 0
        self._dated_at = self._catalogue.dated_at
        self._recent: deque[tuple[int, Changes]] = deque(maxlen=_CHANGES_KEPT)
        self._lock = threading.Lock()
        """Held for moments only; whoever compiles holds the lock of its address."""
        self._making: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    def find(self, target: str) -> Document | None:
        """What is kept for that address and is known to be fresh. It never waits; None: ask ``feed``."""
        return self._find(target) if self._is_fresh() else None

    def catalogue(self) -> Catalogue:
        """What feeds can be about, as of now; from here on ``feed`` gives documents of that state or a later one."""
        if not self._is_fresh():
            with self._refreshing:
                self._refresh()
        return self._catalogue

    def feed(self, address: AnyAddress, catalogue: Catalogue) -> Document:
        """That feed, or its page, as of this catalogue; its last good document where it cannot be rendered now."""
        target = target_of(address)
        found = self._find(target)
        if found:
            return found
        with self._lock_of(target):
            return self._find(target) or self._make(target, address, catalogue=catalogue)

    def directory(self, name: str) -> Document:
        """A document of the directory, by its name below ``/feeds/``."""
        catalogue = self.catalogue()
        with self._directory_lock:
            if self._directory_version != catalogue.version:
                self._directory = compile_directory(self._app, catalogue)
                self._directory_version = catalogue.version
            return self._directory[name]

    def _is_fresh(self) -> bool:
        """Whether nothing was committed since the last refresh, as far as was looked within ``fresh_for_s``."""
        now = time.monotonic()
        if now - self._checked_at < self._fresh_for_s:
            return True
        if self._watch.version() != self._seen:
            return False
        self._checked_at = now
        return True

    def _refresh(self) -> None:
        if self._is_fresh():
            return
        seen, now = self._watch.version(), time.monotonic()
        version, changes = find_changes(self._app, self._version)
        if version != self._version:
            self._take(changes, read_catalogue(self._app))
            self._version = version
        self._seen, self._checked_at = seen, now

    def _take(self, changes: Changes, catalogue: Catalogue) -> None:
        with self._lock:
            wanted = {kept.address for kept in self._kept.values()}
        touched = {address for address in wanted if changes.touch(address)}
        with self._lock:
            self._dated_at = _date_after(self._dated_at, catalogue.dated_at)
            # A date to come must not be told (RFC 9110 §8.8.2.1): without one nobody takes the old bytes for the new.
            is_past = self._dated_at is not None and self._dated_at <= self._app.clock()
            generation = self._catalogue.generation + 1
            self._recent.append((generation, changes))
            self._catalogue = replace(catalogue, generation=generation, dated_at=self._dated_at if is_past else None)
            for kept in self._kept.values():
                kept.is_stale = kept.is_stale or kept.address in touched

    def _find(self, target: str) -> Document | None:
        with self._lock:
            kept = self._kept.get(target)
            if kept is None or kept.is_stale:
                return None
            self._kept.move_to_end(target)
            return kept.document

    def _lock_of(self, target: str) -> threading.Lock:
        """One lock for all who wait for that feed; it goes with the last of them."""
        with self._lock:
            return self._making.setdefault(target, threading.Lock())

    def _make(self, target: str, address: AnyAddress, *, catalogue: Catalogue) -> Document:
        with self._lock:
            last, also = self._kept.get(target), self._find_stale(address)
        made = self._compile(address, catalogue, last=last, also=also)
        with self._lock:
            for one, document in made.items():
                self._keep(target_of(one), _Kept(one, document, self._has_changed_since(catalogue.generation, one)))
        return made[address]

    def _find_stale(self, address: AnyAddress) -> list[Format]:
        """Other formats of the same feed that will be asked for next."""
        if isinstance(address, PageAddress):
            return []
        others = (self._kept.get(target_of(replace(address, format=form))) for form in FORMATS)
        return [kept.address.format for kept in others if kept and kept.is_stale and isinstance(kept.address, Address)]

    def _compile(
        self, address: AnyAddress, catalogue: Catalogue, *, last: _Kept | None, also: Sequence[Format]
    ) -> dict[AnyAddress, Document]:
        try:
            if isinstance(address, PageAddress):
                return {address: compile_page(self._app, catalogue, criteria=address.criteria)}
            made = self._compile_one(self._app, catalogue, address=address, also=also)
            return dict(made.items())
        except RenderError as error:
            if last is None:
                raise
            _log.error("feed kept at its last good version", error=str(error))
            return {address: last.document}

    def _has_changed_since(self, generation: int, address: AnyAddress) -> bool:
        """Whether something that touches the feed was found since the catalogue of which it was compiled."""
        missed = self._catalogue.generation - generation
        if missed > len(self._recent):
            return True
        return any(changes.touch(address) for number, changes in self._recent if number > generation)

    def _keep(self, target: str, kept: _Kept) -> None:
        old = self._kept.pop(target, None)
        self._kept[target] = kept
        self._size_bytes += kept.document.size_bytes - (old.document.size_bytes if old else 0)
        while self._size_bytes > self._capacity_bytes and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._size_bytes -= dropped.document.size_bytes


def _date_after(last: datetime | None, found: datetime | None) -> datetime | None:
    """When documents of the next state are from: at least a second after the last one, as HTTP counts no less.

    The newest change does not tell: what is collected in one run has one date, and comes in several commits.
    """
    if last is None:
        return found
    return max(found or last, last + timedelta(seconds=1))
