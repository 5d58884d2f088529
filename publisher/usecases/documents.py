"""Compiled documents, as a web server gives them out or a static tree holds them."""

import gzip
import hashlib
from collections.abc import Mapping
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

# About two milliseconds for a feed of 100 KB each; higher levels take ten times as long for five per cent.
_BROTLI_QUALITY = 5
_ZSTD_LEVEL = 6
_GZIP_LEVEL = 6


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

    @classmethod
    def of(cls, body: bytes, media_type: str, *, changed_at: datetime | None = None) -> Self:
        """Equal bytes are compressed to equal bytes: nothing of it has a date."""
        coded: dict[Coding, Encoded] = {
            "br": Encoded.of(brotli.compress(body, quality=_BROTLI_QUALITY)),
            # A copy: zstandard gives bytes that hold on to all the room that they might have needed.
            "zstd": Encoded.of(bytes(memoryview(zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)))),
            "gzip": Encoded.of(gzip.compress(body, _GZIP_LEVEL, mtime=0)),
        }
        return cls(media_type, coded, Encoded.of(body).etag, changed_at)

    @property
    def plain(self) -> Encoded:
        return Encoded(gzip.decompress(self.coded["gzip"].body), self.plain_etag)

    @cached_property
    def size_bytes(self) -> int:
        """What it takes in memory, about."""
        return sum(len(encoded.body) for encoded in self.coded.values()) + _OVERHEAD_BYTES


_OVERHEAD_BYTES = 2000
