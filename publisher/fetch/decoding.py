"""Bodies decompressed within limits: a small answer cannot become a large one."""

import zlib

from publisher.errors import FetchError

LARGEST_RATIO = 100
_RATIO_FROM_BYTES = 65_536
"""Below this size any ratio is harmless."""

_STEP_BYTES = 65_536


class BodyDecoder:
    """Collects a body chunk by chunk; FetchError as soon as a limit is passed."""

    def __init__(self, encoding: str, url: str, *, max_bytes: int) -> None:
        self._url = url
        self._max_bytes = max_bytes
        self._received = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._inflater = _make_inflater(encoding, url)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes from the wire."""
        self._received += len(chunk)
        if self._inflater is None:
            self._keep(chunk)
            return
        try:
            self._inflate(chunk)
        except zlib.error as error:
            raise FetchError(f"{self._url}: the body is not compressed as it says ({error})") from error

    def body(self) -> bytes:
        """The whole body; FetchError where the compressed form breaks off."""
        if self._inflater is not None and self._received and not self._inflater.eof:
            raise FetchError(f"{self._url}: the compressed body breaks off. Try again later")
        return b"".join(self._parts)

    def _inflate(self, chunk: bytes) -> None:
        while chunk and self._inflater is not None:
            if self._inflater.eof:  # gzip allows several members in a row
                self._inflater = zlib.decompressobj(wbits=47)
            self._keep(self._inflater.decompress(chunk, _STEP_BYTES))
            chunk = self._inflater.unconsumed_tail or self._inflater.unused_data

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max_bytes:
            raise FetchError(f"{self._url}: the body is larger than {self._max_bytes} bytes")
        if self._size > max(_RATIO_FROM_BYTES, LARGEST_RATIO * self._received):
            raise FetchError(f"{self._url}: the body grows more than {LARGEST_RATIO} times when decompressed")
        self._parts.append(part)


def _make_inflater(encoding: str, url: str) -> "zlib._Decompress | None":
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(wbits=47)  # finds out whether gzip or zlib
        case _:
            raise FetchError(f"{url}: content encoding {encoding!r} was not asked for and is not known")
