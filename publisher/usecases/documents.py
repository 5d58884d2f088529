"""Compiled documents, as a web server gives them out or a static tree holds them."""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal, Self, get_args

import brotli
import zstandard

Coding = Literal["br", "zstd", "gzip"]
CODINGS: tuple[Coding, ...] = get_args(Coding)
"""Content codings that are made beforehand, the one that saves most first (RFC 7932, 8878, 1952)."""

SUFFIXES: Mapping[Coding, str] = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}
"""What web servers look for beside a file."""

# One or two milliseconds each for a feed of 100 KB; higher levels take many times as long for a few per cent.
_COMPRESS: Mapping[Coding, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=4),
    # A copy: zstandard gives bytes that hold on to all the room that they might have needed.
    "zstd": lambda body: bytes(memoryview(zstandard.ZstdCompressor(level=3).compress(body))),
    "gzip": lambda body: gzip.compress(body, 5, mtime=0),
}

_COMPRESSORS = ThreadPoolExecutor(2, thread_name_prefix="compress")
"""They work outside of Python's lock, so a second core takes half of it."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The bytes of a document in one content coding, with their strong entity tag (RFC 9110 §8.8.3)."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, body: bytes) -> Self:
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@dataclass(frozen=True, eq=False)
class Document:
    """A document that many will ask for: all codings are made once. Uncompressed bytes are not kept: few want them."""

    media_type: str
    coded: Mapping[Coding, Encoded]
    plain_etag: str
    changed_at: datetime | None
    """Never earlier than the last change of its bytes that has a date; None where that is unknown."""

    @staticmethod
    def of(body: bytes, media_type: str, *, changed_at: datetime | None = None) -> "Document":
        """Equal bytes are compressed to equal bytes: nothing of it has a date."""
        return Document.begin(body, media_type, changed_at=changed_at)()

    @staticmethod
    def begin(body: bytes, media_type: str, *, changed_at: datetime | None = None) -> "Callable[[], Document]":
        """What gives the document; its bytes are compressed while the caller does something else."""
        encoding = {coding: _COMPRESSORS.submit(_encode, body, coding) for coding in CODINGS}

        def finish() -> Document:
            coded = {coding: future.result() for coding, future in encoding.items()}
            return Document(media_type, coded, Encoded.of(body).etag, changed_at)

        return finish

    @property
    def plain(self) -> Encoded:
        return Encoded(gzip.decompress(self.coded["gzip"].body), self.plain_etag)

    @cached_property
    def size_bytes(self) -> int:
        """What it takes in memory, about."""
        return sum(len(encoded.body) for encoded in self.coded.values()) + _OVERHEAD_BYTES


def _encode(body: bytes, coding: Coding) -> Encoded:
    return Encoded.of(_COMPRESS[coding](body))


_OVERHEAD_BYTES = 2000
