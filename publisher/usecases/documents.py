"""Compiled documents, as a web server gives them out or a static tree holds them."""

import gzip
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Self


@dataclass(frozen=True, slots=True)
class Encoded:
    """The bytes of a document in one content coding, with their strong entity tag (RFC 9110 §8.8.3)."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, body: bytes) -> Self:
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@dataclass(frozen=True, slots=True)
class Document:
    """A document that many will ask for: both codings are made once."""

    media_type: str
    plain: Encoded
    gzipped: Encoded
    changed_at: datetime | None
    """Never earlier than the last change of its bytes that has a date; None where that is unknown."""

    @classmethod
    def of(cls, body: bytes, media_type: str, *, changed_at: datetime | None = None) -> Self:
        # Without a time in its header, equal bytes compress to equal bytes.
        return cls(media_type, Encoded.of(body), Encoded.of(gzip.compress(body, mtime=0)), changed_at)

    @property
    def size_bytes(self) -> int:
        return len(self.plain.body) + len(self.gzipped.body)
