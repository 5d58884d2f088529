"""Which items are one piece in several languages, and which of them is the original."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from feeds.model import Translation
from feeds.translations import Claim, find_originals, join_translations, read_alternates
from feeds.urls import make_url_key

NOON = datetime(2026, 3, 7, 12, tzinfo=UTC)
LINK = "https://harbour.example/en/quay"


def claim(number: int, language: str, *to: str, day: int = 0) -> Claim:
    url = f"https://harbour.example/{language}/quay"
    alternates = tuple(Translation(code, f"https://harbour.example/{code}/quay") for code in to)
    return Claim(number, url, language, NOON + timedelta(days=day), alternates)


def originals(claims: Sequence[Claim]) -> dict[int, int | None]:
    return find_originals(claims, {make_url_key(one.url): one.item_id for one in claims})


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ([claim(1, "en"), claim(2, "fr")], {1: None, 2: None}),
        ([claim(1, "en", "fr"), claim(2, "fr")], {1: None, 2: 1}),
        ([claim(1, "en"), claim(2, "fr", "en")], {1: None, 2: 1}),
        ([claim(1, "en", "fr", day=1), claim(2, "fr", "en")], {1: 2, 2: None}),
        ([claim(1, "en", "fr"), claim(2, "fr", "ru"), claim(3, "ru", day=-1)], {1: 3, 2: 3, 3: None}),
        ([claim(1, "en", "de")], {1: None}),
        ([claim(1, "en", "en")], {1: None}),
    ],
)
def test_what_leads_to_each_other_is_one_piece_and_the_first_published_is_its_original(
    claims: list[Claim], expected: dict[int, int | None]
) -> None:
    for order in permutations(claims):
        assert originals(order) == expected


@pytest.mark.parametrize(
    ("language", "address", "expected"),
    [
        ("fr", "/fr/quay", (Translation("fr", "https://harbour.example/fr/quay"),)),
        ("pt_BR", "https://harbour.example/pt/quay", (Translation("pt-BR", "https://harbour.example/pt/quay"),)),
        ("fr", "https://elsewhere.example/fr/quay", ()),
        ("x-default", "/fr/quay", ()),
        ("en", LINK, ()),
        ("", "/fr/quay", ()),
        (None, "/fr/quay", ()),
        ("fr", "javascript:x()", ()),
        ("fr", None, ()),
    ],
)
def test_an_alternate_is_an_address_of_the_same_site_in_a_known_language(
    language: object, address: object, expected: tuple[Translation, ...]
) -> None:
    assert read_alternates([(language, address)], base=LINK, link=LINK) == expected


def test_of_each_language_there_is_one_translation_the_collected_one() -> None:
    collected = [
        Translation("fr", "https://h.example/fr/1", "uid1"),
        Translation("fr", "https://h.example/fr/2", "uid2"),
    ]
    said = [Translation("fr", "https://h.example/fr/9"), Translation("ar", "https://h.example/ar/9")]
    said.append(Translation("en-GB", "https://h.example/en-gb/9"))

    joined = join_translations("en", collected, said)

    assert joined == (Translation("ar", "https://h.example/ar/9"), Translation("fr", "https://h.example/fr/1", "uid1"))
