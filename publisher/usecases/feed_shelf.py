"""Compiled feeds in memory: made when first asked for, made anew when something changed."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

import structlog

from feeds.paths import Address, PageAddress
from publisher.app import App
from publisher.errors import RenderError
from publisher.usecases.documents import Document
from publisher.usecases.feed_directory import compile_directory
from publisher.usecases.feed_pages import compile_page
from publisher.usecases.feeds import Catalogue, compile_feed, read_catalogue, read_feed_version

CAPACITY_BYTES = 64 * 1024 * 1024

_Key = Address | PageAddress

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    version: str
    document: Document


class FeedShelf:
    """The documents of one process, for many threads. Least used ones go when ``capacity_bytes`` is passed."""

    def __init__(
        self,
        app: App,
        *,
        capacity_bytes: int = CAPACITY_BYTES,
        compile_one: Callable[..., Document] = compile_feed,
    ) -> None:
        self._app = app
        self._capacity_bytes = capacity_bytes
        self._compile_one = compile_one
        self._catalogue = read_catalogue(app)
        self._directory: dict[str, Document] = {}
        self._directory_version = ""
        self._directory_lock = threading.Lock()
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._size_bytes = 0
        self._lock = threading.Lock()
        """Held for moments only; whoever compiles holds the lock of its address."""
        self._making: WeakValueDictionary[_Key, threading.Lock] = WeakValueDictionary()

    def catalogue(self) -> Catalogue:
        """What feeds can be about, as of now."""
        if read_feed_version(self._app) != self._catalogue.version:
            self._catalogue = read_catalogue(self._app)
        return self._catalogue

    def feed(self, address: _Key, catalogue: Catalogue) -> Document:
        """That feed, or its page, as of this catalogue; its last good document where it cannot be rendered now."""
        found = self._find(address, catalogue)
        if found:
            return found
        with self._lock_of(address):
            return self._find(address, catalogue) or self._make(address, catalogue)

    def directory(self, name: str) -> Document:
        """A document of the directory, by its name below ``/feeds/``."""
        catalogue = self.catalogue()
        with self._directory_lock:
            if self._directory_version != catalogue.version:
                self._directory = compile_directory(self._app, catalogue)
                self._directory_version = catalogue.version
            return self._directory[name]

    def _lock_of(self, address: _Key) -> threading.Lock:
        """One lock for all who wait for that feed; it goes with the last of them."""
        with self._lock:
            return self._making.setdefault(address, threading.Lock())

    def _find(self, address: _Key, catalogue: Catalogue) -> Document | None:
        with self._lock:
            kept = self._kept.get(address)
            if kept is None or kept.version != catalogue.version:
                return None
            self._kept.move_to_end(address)
            return kept.document

    def _make(self, address: _Key, catalogue: Catalogue) -> Document:
        with self._lock:
            last = self._kept.get(address)
        made = _Kept(catalogue.version, self._compile(address, catalogue, last=last))
        with self._lock:
            self._keep(address, made)
        return made.document

    def _compile(self, address: _Key, catalogue: Catalogue, *, last: _Kept | None) -> Document:
        if isinstance(address, PageAddress):
            return compile_page(self._app, catalogue, criteria=address.criteria)
        try:
            return self._compile_one(self._app, catalogue, address=address)
        except RenderError as error:
            if last is None:
                raise
            _log.error("feed kept at its last good version", error=str(error))
            return last.document

    def _keep(self, address: _Key, kept: _Kept) -> None:
        old = self._kept.pop(address, None)
        self._kept[address] = kept
        self._size_bytes += kept.document.size_bytes - (old.document.size_bytes if old else 0)
        while self._size_bytes > self._capacity_bytes and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._size_bytes -= dropped.document.size_bytes
