"""Images of items, as feeds and pages of others give them."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from feeds.model import Image
from feeds.urls import resolve_url

MOST_IMAGES = 20
"""Of one item."""

_TYPE = re.compile(r"image/[a-z0-9][a-z0-9.+-]{0,60}")
_TYPES_BY_ENDING = {
    "avif": "image/avif",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}
_LONGEST_SIZE = 12
"""Digits; what is longer is no size of an image."""


class Given(NamedTuple):
    """An image as it is given, each value a text from outside or nothing."""

    url: object
    media_type: object = None
    size: object = None


def read_images(given: Iterable[Given], base: str) -> tuple[Image, ...]:
    """The images among what is given, each address once; what is no image, or of an unknown type, is left out."""
    found: dict[str, Image] = {}
    for image in _read(given, base):
        known = found.get(image.url)
        if known is None or (known.size_bytes is None and image.size_bytes):
            found[image.url] = image
    return tuple(found.values())[:MOST_IMAGES]


def _read(given: Iterable[Given], base: str) -> Iterator[Image]:
    for one in given:
        url = resolve_url(one.url, base) if isinstance(one.url, str) else None
        media_type = _read_type(one.media_type, url) if url else ""
        if url and media_type:
            yield Image(url, media_type, _read_size(one.size))


def _read_type(given: object, url: str) -> str:
    """As given, else by the ending of the address; empty where it is no image."""
    text = given.partition(";")[0].strip().lower() if isinstance(given, str) else ""
    if text:
        return text if _TYPE.fullmatch(text) else ""
    return _TYPES_BY_ENDING.get(urlsplit(url).path.rpartition(".")[2].lower(), "")


def _read_size(given: object) -> int | None:
    """A size in bytes; nought, which feeds write for an unknown one, is none."""
    text = str(given).strip() if isinstance(given, str | int) and not isinstance(given, bool) else ""
    is_size = text.isascii() and text.isdigit() and len(text) <= _LONGEST_SIZE
    return int(text) or None if is_size else None
