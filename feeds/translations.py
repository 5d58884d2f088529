"""Translations: which items are one piece in several languages, and which of them is the original. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.model import Translation
from feeds.text import clean_language
from feeds.urls import host_of, make_url_key, resolve_url

MOST_ALTERNATES = 30
"""Of one item."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An item as far as it matters here."""

    item_id: int
    url: str
    language: str
    published_at: datetime
    alternates: tuple[Translation, ...]


def read_alternates(given: Iterable[tuple[object, object]], *, base: str, link: str) -> tuple[Translation, ...]:
    """The addresses in other languages among pairs of language and address, one for each language.

    ``link`` is the item's own; an address on another host is not believed, for any page could claim to be any other.
    """
    found: dict[str, Translation] = {}
    for language_text, address in given:
        language = clean_language(language_text) if isinstance(language_text, str) else ""
        url = resolve_url(address, base) if language and isinstance(address, str) else None
        if url and host_of(url) == host_of(link) and make_url_key(url) != make_url_key(link):
            found.setdefault(language, Translation(language, url))
    return tuple(found.values())[:MOST_ALTERNATES]


def find_originals(claims: Sequence[Claim], keys: Mapping[str, int]) -> dict[int, int | None]:
    """For each item that of which it is a translation; None where it is an original itself.

    ``keys`` leads from keys of addresses (``make_url_key``) to items. What one says of the other joins them both, so
    that all of a piece are one group; its original is what was published first.
    """
    by_id = {claim.item_id: claim for claim in claims}
    leader = {item_id: item_id for item_id in by_id}

    def find(item_id: int) -> int:
        while leader[item_id] != item_id:
            item_id = leader[item_id]
        return item_id

    for claim in claims:
        for one in claim.alternates:
            other = by_id.get(keys.get(make_url_key(one.url), claim.item_id))
            if other and _base(other.language) != _base(claim.language):
                first, second = sorted((find(claim.item_id), find(other.item_id)), key=lambda one: _age(by_id[one]))
                leader[second] = first
    return {item_id: None if find(item_id) == item_id else find(item_id) for item_id in by_id}


def join_translations(
    language: str, collected: Iterable[Translation], alternates: Iterable[Translation]
) -> tuple[Translation, ...]:
    """What an item in that language is in others: what was collected, else what its sources say."""
    found: dict[str, Translation] = {}
    for one in (*collected, *alternates):
        if _base(one.language) != _base(language):
            found.setdefault(one.language, one)
    return tuple(sorted(found.values(), key=lambda one: one.language))


def _age(claim: Claim) -> tuple[datetime, int]:
    return claim.published_at, claim.item_id


def _base(language: str) -> str:
    return language.partition("-")[0]
