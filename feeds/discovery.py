"""Hubs (WebSub §4, discovery): which one tells of a document's changes, and what it calls the document."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from feeds.urls import LONGEST_URL

Links = Sequence[tuple[str, str]]
"""(relation, address as written), in their order."""

_LONGEST_HEADER = 8_000
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATIONS = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Advertised:
    """What a document says of who tells of its changes."""

    hub: str
    topic: str
    """Under which the hub knows the document."""


def find_hub(header: Links, body: Links, *, url: str) -> Advertised | None:
    """The first hub of the HTTP header, else of the document, fetched from ``url``; None where neither names one.

    Addresses are absolute and otherwise as written: hubs compare them letter by letter.
    """
    hub = _first("hub", [*header, *body], url)
    topic = _first("self", [*header, *body], url) or url
    return Advertised(hub, topic) if hub else None


def read_link_header(text: str) -> Iterator[tuple[str, str]]:
    """The (relation, address) pairs of a ``Link`` header (RFC 8288), several lines joined by commas."""
    for target, parameters in _LINK.findall(text[:_LONGEST_HEADER]):
        found = _RELATIONS.search(parameters)
        for relation in (found[1] or found[2] or "").split() if found else ():
            yield relation.lower(), target.strip()


def _first(relation: str, links: Iterable[tuple[str, str]], base: str) -> str:
    found = (_absolute(address, base) for name, address in links if name == relation)
    return next(filter(None, found), "")


def _absolute(address: str, base: str) -> str:
    """Empty where it leads nowhere on the web."""
    try:
        url = urljoin(base, address.strip())
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    is_good = is_good and len(url) <= LONGEST_URL and url.isprintable() and " " not in url and not parts.fragment
    return url if is_good else ""
