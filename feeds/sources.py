"""Sources: what is collected, from where and how it is read. Settings come from a ``[[sources]]`` entry."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cssselect import SelectorError
from lxml.cssselect import CSSSelector
from lxml.etree import XPathError

from feeds.dates import compile_format
from feeds.text import LANGUAGE

KINDS = ("listing", "feed")
BACKLOGS = ("feeds", "digest")
LATER_KINDS = ("sitemap", "folder")

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_EVERY = re.compile(r"([1-9]\d{0,4})([mhd])")
_UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
_LONGEST_S = 31 * 86_400
_SELECTORS = ("item", "title", "link", "date", "summary", "category", "next", "drop")
_SOURCE_KEYS = frozenset(
    {"id", "kind", "url", "language", "every", "internal", "backlog", "follow", "timezone", "select", "websub"}
)
_SELECT_KEYS = frozenset({*_SELECTORS, "date_format", "date_pattern"})


@dataclass(frozen=True, slots=True)
class Select:
    """How a listing is read: CSS selectors, relative to ``item`` except ``item`` and ``next``; empty: not read."""

    item: str
    title: str = ""
    link: str = "a"
    date: str = ""
    date_formats: tuple[str, ...] = ()
    """``%d %B %Y`` and the like, which must agree where several fit; month names in the language of the source.

    None: ISO dates only.
    """
    date_pattern: str = ""
    """Regular expression; its first group, else the whole match, is the date."""
    summary: str = ""
    category: str = ""
    next: str = ""
    drop: str = ""
    """What is taken out of an item before it is read."""


@dataclass(frozen=True, slots=True)
class Source:
    """One place that items are collected from."""

    id: str
    kind: str
    url: str
    language: str
    every_s: int
    internal: bool = False
    """An admin's word that a private address is meant."""
    backlog: str = "feeds"
    """Where what stands there at the first collection goes: ``feeds`` only, or ``digest`` too."""
    follow: bool = False
    """Whether the page of an item is read for its title, canonical link and date."""
    timezone: str = "UTC"
    """The zone of dates that name none."""
    select: Select | None = None
    websub: bool = False
    """Whether to have the hub that it names, if any, tell of changes."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def parse_source(entry: Mapping[str, Any]) -> Source:
    """The source of a ``[[sources]]`` entry; ValueError names the key, what is wrong and the remedy."""
    source_id = _read_id(entry)
    reader = _Reader(f"sources.{source_id}", entry)
    reader.refuse_unknown(_SOURCE_KEYS)
    kind = _read_kind(reader)
    language = reader.text("language", pattern=LANGUAGE, remedy='Use a code like "en" or "pt-BR"')
    return Source(
        id=source_id,
        kind=kind,
        url=_read_url(reader),
        language=language,
        every_s=_read_every(reader),
        internal=reader.flag("internal"),
        backlog=reader.choice("backlog", BACKLOGS, default="feeds"),
        follow=reader.flag("follow"),
        timezone=_read_timezone(reader),
        select=_read_select(reader, kind, language=language),
        websub=_read_websub(reader, kind),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Typed access to a table of the newsroom file; every refusal names ``path.key``."""

    path: str
    entry: Mapping[str, Any]  # Any: a TOML table

    def error(self, key: str, problem: str) -> ValueError:
        return ValueError(f"{self.path}.{key}: {problem}")

    def refuse_unknown(self, known: frozenset[str]) -> None:
        for key in self.entry:
            if key not in known:
                raise self.error(key, f"unknown key. Remove it or use one of: {', '.join(sorted(known))}")

    def text(self, key: str, *, pattern: re.Pattern[str] | None = None, remedy: str = "Write a text") -> str:
        if key not in self.entry:
            raise self.error(key, "is missing. Add it")
        return self.optional_text(key, pattern=pattern, remedy=remedy)

    def optional_text(
        self,
        key: str,
        *,
        default: str = "",
        pattern: re.Pattern[str] | None = None,
        remedy: str = "Write a text",
    ) -> str:
        value = self.entry.get(key, default)
        if not isinstance(value, str) or (pattern and not pattern.fullmatch(value)):
            raise self.error(key, f"{value!r} does not fit. {remedy}")
        return value

    def flag(self, key: str) -> bool:
        value = self.entry.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, f"{value!r} is neither true nor false. Write one of them without quotes")
        return value

    def choice(self, key: str, choices: tuple[str, ...], *, default: str) -> str:
        value = self.entry.get(key, default)
        if value not in choices:
            raise self.error(key, f"{value!r} is unknown. Use one of: {', '.join(choices)}")
        return str(value)


def _read_id(entry: Mapping[str, Any]) -> str:
    source_id = entry.get("id")
    if not isinstance(source_id, str) or not _ID.fullmatch(source_id):
        raise ValueError(
            f"sources: id {source_id!r} does not fit. Use 1 to 64 of a-z 0-9 _ -, beginning with a letter or digit"
        )
    return source_id


def _read_kind(reader: _Reader) -> str:
    kind = reader.text("kind")
    if kind in LATER_KINDS:
        raise reader.error("kind", f"{kind!r} is not supported yet. Use one of: {', '.join(KINDS)}")
    return reader.choice("kind", KINDS, default="")


def _read_url(reader: _Reader) -> str:
    url = reader.text("url")
    problem = _find_url_problem(url)
    if problem:
        raise reader.error("url", f"{url!r} {problem}. Use an address like https://www.example.org/news/")
    return url


def _find_url_problem(url: str) -> str:
    if any(char.isspace() or not char.isprintable() for char in url):
        return "contains spaces or control characters"
    try:
        parts = urlsplit(url)
        has_host, _ = bool(parts.hostname), parts.port
    except ValueError as error:
        return f"is not a URL ({error})"
    if parts.scheme not in {"http", "https"} or not has_host:
        return "is not an http or https URL"
    return "contains a user name or password" if "@" in parts.netloc else ""


def _read_every(reader: _Reader) -> int:
    text = reader.text("every", pattern=_EVERY, remedy='Use a number and m, h or d, like "30m", "2h" or "1d"')
    seconds = int(text[:-1]) * _UNITS_S[text[-1]]
    if seconds > _LONGEST_S:
        raise reader.error("every", f"{text!r} is longer than 31 days. Shorten it")
    return seconds


def _read_timezone(reader: _Reader) -> str:
    name = reader.optional_text("timezone", default="UTC")
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise reader.error("timezone", f"{name!r} is not a time zone. Use a name like Europe/Vienna") from error
    return name


def _read_select(reader: _Reader, kind: str, *, language: str) -> Select | None:
    table = reader.entry.get("select")
    if kind != "listing":
        if table is not None:
            raise reader.error("select", f"is for listings; this source is a {kind}. Remove it")
        return None
    if not isinstance(table, Mapping):
        raise reader.error("select", f'is missing. Add [sources.select] with item = "…" to {reader.path}')
    select = _Reader(f"{reader.path}.select", table)
    select.refuse_unknown(_SELECT_KEYS)
    select.text("item")
    return Select(
        date_formats=_read_formats(select, language),
        date_pattern=_read_pattern(select),
        **_read_selectors(select),
    )


def _read_websub(reader: _Reader, kind: str) -> bool:
    websub = reader.flag("websub")
    if websub and kind != "feed":
        raise reader.error("websub", f"is for feeds; this source is a {kind}. Remove it")
    return websub


def _read_selectors(select: _Reader) -> dict[str, str]:
    selectors = {key: select.optional_text(key) for key in _SELECTORS if key in select.entry}
    for key, selector in selectors.items():
        try:
            CSSSelector(selector, translator="html")
        except (SelectorError, XPathError) as error:
            raise select.error(key, f"{selector!r} is not a CSS selector ({error}). Correct it") from error
    return selectors


def _read_formats(select: _Reader, language: str) -> tuple[str, ...]:
    value = select.entry.get("date_format", [])
    formats = [value] if isinstance(value, str) else value
    if not isinstance(formats, list) or not all(isinstance(text, str) for text in formats):
        raise select.error("date_format", f'{value!r} is no date format. Use a text like "%d %B %Y" or a list of them')
    for text in formats:
        try:
            compile_format(text, language)
        except ValueError as error:
            raise select.error("date_format", f"{text!r}: {error}") from error
    return tuple(formats)


def _read_pattern(select: _Reader) -> str:
    pattern = select.optional_text("date_pattern")
    try:
        re.compile(pattern)
    except re.error as error:
        raise select.error("date_pattern", f"{pattern!r} is not a regular expression ({error}). Correct it") from error
    return pattern
