"""Addresses of feeds: criteria ⇄ path. Every feed has one address; other spellings of it are redirects."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import parse_qsl, quote, urlencode

from feeds.criteria import Criteria
from feeds.model import KINDS

Format = Literal["atom", "rss", "json", "ics"]

FORMATS: tuple[Format, ...] = get_args(Format)
ARCHIVED_FORMATS: tuple[Format, ...] = ("atom", "rss", "json")
"""Those that can name the document before them."""
ROOT = "/feeds/"
ALL_LANGUAGES = "all"
PAGE = "html"
"""What the address of a feed's page for people ends with."""

_QUERY_FIELDS_MAX = 200
_ARCHIVE = "archive"
_TOPIC = re.compile(rf"{ROOT}[^/?]+/(all|theme/[^/?]+|region/[^/?]+|theme/[^/?]+/region/[^/?]+)\.({'|'.join(FORMATS)})")
_ARCHIVE_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class KnownCodes:
    """The codes that addresses may name; all others lead nowhere."""

    themes: Collection[str]
    regions: Collection[str]
    languages: Collection[str]
    kinds: Collection[str] = KINDS
    archives: Mapping[str, int] = field(default_factory=dict)
    """How many archives each feed has, by its name."""


@dataclass(frozen=True, slots=True)
class Address:
    """One feed in one format, or one of its archives."""

    criteria: Criteria
    format: Format
    archive: int | None = None
    """The number of the archive, from 1, the oldest first; None for the feed itself."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The page of one feed, for people."""

    criteria: Criteria


@dataclass(frozen=True, slots=True)
class Redirect:
    """The address means a feed whose one address is this."""

    location: str


def path_of(criteria: Criteria, form: Format, archive: int | None = None) -> str:
    """The one address of this feed, e.g. ``/feeds/fr/theme/asylum/region/africa.atom``, or of an archive of it.

    Single values and pairs of theme and region are paths, any other mix is a query with keys and values sorted.
    Archives stand below: ``/feeds/fr/theme/asylum/archive/3.atom``; a mix has none.
    """
    return _path_of(criteria, form, archive=archive)


def page_path_of(criteria: Criteria) -> str:
    """The one address of this feed's page, e.g. ``/feeds/fr/theme/asylum/region/africa.html``."""
    return _path_of(criteria, PAGE)


def is_topic(path: str) -> bool:
    """Whether hubs are told of what is at this path: of feeds, but not of mixes, archives and pages."""
    return _TOPIC.fullmatch(path) is not None


def name_of(criteria: Criteria) -> str:
    """The feed's name in every format, e.g. ``feeds/fr/theme/asylum`` or ``feeds/all/mix?kind=call``."""
    query = urlencode(_query_of(criteria))
    return f"{ROOT}{_stem_of(criteria)}".lstrip("/") + (f"?{query}" if query else "")


def parse_path(path: str, query: str, *, known: KnownCodes) -> Address | Redirect | None:
    """The feed at this decoded path and raw query string; None where there is none.

    A query on a feed that needs none, values in another order, given twice or as ``*`` are redirects.
    """
    address = _read_address(path, query, known=known)
    if address is None:
        return None
    location = path_of(address.criteria, address.format, address.archive)
    return address if _is_spelt(path, query, location) else Redirect(location)


def parse_page_path(path: str, query: str, *, known: KnownCodes) -> PageAddress | Redirect | None:
    """The page of a feed at this decoded path and raw query string, by the rules of ``parse_path``."""
    stem, _, suffix = path.rpartition(".")
    criteria = _read_criteria(stem, query, known=known) if suffix == PAGE else None
    if criteria is None:
        return None
    location = page_path_of(criteria)
    return PageAddress(criteria) if _is_spelt(path, query, location) else Redirect(location)


def _path_of(criteria: Criteria, suffix: str, *, archive: int | None = None) -> str:
    query = urlencode(_query_of(criteria))
    within = f"/{_ARCHIVE}/{archive}" if archive else ""
    return f"{ROOT}{_stem_of(criteria)}{within}.{suffix}" + (f"?{query}" if query else "")


def _is_spelt(path: str, query: str, location: str) -> bool:
    return quote(path) + (f"?{query}" if query else "") == location


def _stem_of(criteria: Criteria) -> str:
    parts = [criteria.language or ALL_LANGUAGES]
    if _is_mix(criteria):
        return "/".join([*parts, "mix"])
    for axis, values in (("theme", criteria.themes), ("region", criteria.regions)):
        parts += [part for value in values for part in (axis, quote(value, safe=""))]
    return "/".join(parts) if len(parts) > 1 else f"{parts[0]}/all"


def _is_mix(criteria: Criteria) -> bool:
    return bool(criteria.kinds) or len(criteria.themes) > 1 or len(criteria.regions) > 1


def _query_of(criteria: Criteria) -> list[tuple[str, str]]:
    if not _is_mix(criteria):
        return []
    axes = {"kind": criteria.kinds, "region": criteria.regions, "theme": criteria.themes}
    return sorted((axis, value) for axis, values in axes.items() for value in values)


def _read_address(path: str, query: str, *, known: KnownCodes) -> Address | None:
    stem, _, suffix = path.rpartition(".")
    found = [form for form in FORMATS if form == suffix]
    feed, number = _split_archive(stem)
    criteria = _read_criteria(feed, query, known=known) if found else None
    if criteria is None:
        return None
    address = Address(criteria, found[0], number)
    return address if number is None or _has_archive(address, known=known) else None


def _split_archive(stem: str) -> tuple[str, int | None]:
    """The feed's part of an address, and the number of its archive."""
    feed, _, number = stem.rpartition(f"/{_ARCHIVE}/")
    return (feed, int(number)) if feed and _ARCHIVE_NUMBER.fullmatch(number) else (stem, None)


def _has_archive(address: Address, *, known: KnownCodes) -> bool:
    count = known.archives.get(name_of(address.criteria), 0)
    return address.format in ARCHIVED_FORMATS and address.archive is not None and address.archive <= count


def _read_criteria(stem: str, query: str, *, known: KnownCodes) -> Criteria | None:
    """The criteria of an address without its suffix."""
    language, *parts = stem.removeprefix(ROOT).split("/") if stem.startswith(ROOT) else ("",)
    if language != ALL_LANGUAGES and language not in known.languages:
        return None
    wishes = _read_wishes(parts, query)
    if wishes is None or not all(_is_known(axis, value, known=known) for axis, value in wishes):
        return None
    return _criteria_of(wishes, language)


def _read_wishes(parts: Sequence[str], query: str) -> list[tuple[str, str]] | None:
    match parts:
        case ["all"]:
            return []
        case ["theme" | "region" as axis, value]:
            return [(axis, value)]
        case ["theme", theme, "region", region]:
            return [("theme", theme), ("region", region)]
        case ["mix"]:
            return _read_query(query)
        case _:
            return None


def _read_query(query: str) -> list[tuple[str, str]] | None:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        return None
    return [(axis, value) for axis, value in pairs if axis in {"theme", "region", "kind"}]


def _is_known(axis: str, value: str, *, known: KnownCodes) -> bool:
    codes = {"theme": known.themes, "region": known.regions, "kind": known.kinds}
    return value == "*" or value in codes[axis]


def _criteria_of(wishes: Sequence[tuple[str, str]], language: str) -> Criteria:
    def values(axis: str) -> Iterator[str]:
        return (value for name, value in wishes if name == axis)

    language_wish = None if language == ALL_LANGUAGES else language
    return Criteria.of(values("theme"), values("region"), kinds=values("kind"), language=language_wish)
