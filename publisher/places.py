"""Names of countries and towns in each language: from CLDR, GeoNames and our own table."""

import re
from collections.abc import Iterator, Mapping

from babel import Locale
from babel.core import get_global

from feeds.classify import PlaceName
from publisher.cities import shipped_cities

NamesByCountry = Mapping[str, list[str]]
"""Country → names."""


def place_names(language: str, own: Mapping[str, Mapping[str, NamesByCountry]]) -> Iterator[PlaceName]:
    """Names in a language. ``own`` is ``data/places.toml``: what CLDR does not give."""
    locale = Locale(language)
    tongues = {name.lower() for name in locale.languages.values()}
    yield from _countries(locale)
    for country, name in _flat(own["names"], language):
        yield PlaceName(name, country, "name")
    for country, name in _flat(own["demonyms"], language):
        yield PlaceName(name, country, "tongue" if name.lower() in tongues else "demonym")
    for country, name in _flat(own["areas"], language):
        yield PlaceName(name, country, "area")
    for country, name in _flat(own["capitals"], language):
        yield PlaceName(name, country, "capital")
    yield from _towns(locale)


def _flat(by_language: Mapping[str, NamesByCountry], language: str) -> Iterator[tuple[str, str]]:
    for country, names in by_language.get(language, {}).items():
        for name in names:
            yield country, name


def _countries(locale: Locale) -> Iterator[PlaceName]:
    """CLDR's names of countries: ``Myanmar (Burma)`` without the parenthesis; ``Congo - Kinshasa`` is in our table."""
    for code, name in locale.territories.items():
        if code in _territories() and " - " not in name and "SAR" not in name:
            yield PlaceName(re.sub(r"\s*\(.*?\)", "", name).replace("&", "and"), code, "name")


def _territories() -> Mapping[str, str]:
    """The codes of countries that have a time zone, which leaves out CLDR's groups and obsolete codes."""
    codes: Mapping[str, str] = get_global("territory_zones")
    return codes


def _towns(locale: Locale) -> Iterator[PlaceName]:
    for city in shipped_cities():
        for name in city.russian if locale.language == "ru" else (city.name,):
            yield PlaceName(name, city.country, "capital" if city.is_capital else "city")
    for zone, names in locale.time_zones.items():
        country = get_global("zone_territories").get(zone)
        if country and "city" in names and locale.language != "en":
            yield PlaceName(names["city"], country, "city")
