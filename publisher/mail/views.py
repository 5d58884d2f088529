"""A variant as its reader sees it: the words and values that the templates lay out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from feeds.model import GENERAL, Classification, Item, Label
from publisher import i18n
from publisher.i18n import Interface
from publisher.mail.cleaning import cut, one_line, safe_url
from publisher.mail.content import DigestContent

_TITLE_CHARACTERS = 300
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item, every text on one line and without control characters."""

    title: str
    url: str
    """Empty where the item's URL is no http or https URL."""
    summary: str
    language: str
    """The item's own where it differs from the reader's, else empty."""
    direction: str
    mark: str
    """"in English" on an item in another language, else empty."""
    labels: tuple[str, ...]
    """Kind, unless it is plain news, and event dates."""
    deadline: str
    details: tuple[str, ...]
    """Day, regions, countries."""


@dataclass(frozen=True, slots=True)
class GroupView:
    """The items of one theme."""

    title: str
    items: tuple[ItemView, ...]


@dataclass(frozen=True, slots=True)
class DigestView:
    """Everything that the templates show; the same for the message and its web page."""

    language: str
    direction: str
    title: str
    window: str
    groups: tuple[GroupView, ...]
    item_count: int
    site_name: str
    postal_address: str
    page_url: str
    archive_url: str
    feeds_url: str


def view_digest(content: DigestContent, interface: Interface) -> DigestView:
    """The variant in that language, its items in groups."""
    first, last = window_days(*content.window, zone=content.zone)
    return DigestView(
        language=interface.language,
        direction=interface.direction,
        title=one_line(content.digest.name(interface.language)),
        window=i18n.format_days(interface, first, last),
        groups=tuple(_view_groups(content, interface, year=last.year)),
        item_count=len(content.items),
        site_name=one_line(content.site_name),
        postal_address=one_line(content.postal_address),
        page_url=content.page_url,
        archive_url=content.archive_url,
        feeds_url=content.feeds_url,
    )


def window_days(start: datetime, end: datetime, *, zone: ZoneInfo) -> tuple[date, date]:
    """First and last day whose noon lies in the window: Monday 08:00 to Monday 08:00 has seven.

    A window without a noon is named by the day it ends.
    """
    first = (_local(start, zone) + timedelta(hours=12) - _TICK).date()
    last = (_local(end, zone) - timedelta(hours=12) - _TICK).date()
    if first > last:
        first = last = (_local(end, zone) - _TICK).date()
    return first, last


def group_items(items: Sequence[Item], themes: Sequence[Label]) -> list[tuple[Label, list[Item]]]:
    """Each item once, under its leading theme: themes in the order of the taxonomy, items by day, newest first."""
    groups: dict[str, list[Item]] = {theme.id: [] for theme in themes}
    for item in sorted(items, key=lambda item: item.day, reverse=True):
        groups.setdefault(_leading_theme(item.classification), []).append(item)
    labels = {theme.id: theme for theme in themes}
    return [(labels.get(theme) or Label(theme, {}), group) for theme, group in groups.items() if group]


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _leading_theme(classification: Classification) -> str:
    return classification.primary_theme or next(iter(classification.themes), GENERAL)


def _view_groups(content: DigestContent, interface: Interface, *, year: int) -> Iterator[GroupView]:
    regions = tuple((region.id, region.name(interface.language)) for region in content.regions)
    for theme, items in group_items(content.items, content.themes):
        views = tuple(view_item(item, interface.language, regions=regions, year=year) for item in items)
        yield GroupView(one_line(theme.name(interface.language)), views)


@lru_cache(maxsize=4096)  # the variants of an edition share their items
def view_item(item: Item, language: str, *, regions: tuple[tuple[str, str], ...], year: int) -> ItemView:
    """The item for a reader of that language; regions are their codes and names, deadlines leave out that year."""
    interface = i18n.translator(language)
    is_foreign = not i18n.is_same_language(item.language, interface.language)
    found = item.classification
    return ItemView(
        title=cut(one_line(item.title), _TITLE_CHARACTERS) or one_line(item.url),
        url=safe_url(item.url),
        summary=one_line(item.summary),
        language=item.language if is_foreign else "",
        direction=i18n.direction(item.language),
        mark=i18n.language_mark(interface, item.language) if is_foreign else "",
        labels=tuple(_labels(item, interface)),
        deadline=i18n.format_day(interface, found.deadline, in_year=year) if found.deadline else "",
        details=tuple(_details(item, interface, dict(regions))),
    )


def _labels(item: Item, interface: Interface) -> Iterator[str]:
    found = item.classification
    if found.kind != "news":
        yield i18n.kind_name(interface, found.kind)
    if found.event_dates:
        yield i18n.format_days(interface, *found.event_dates)


def _details(item: Item, interface: Interface, regions: dict[str, str]) -> Iterator[str]:
    if item.date_source == "source":
        yield i18n.format_day(interface, item.day)
    found = item.classification
    if found.regions:
        # Commas only: many names of regions hold an "and" themselves.
        yield one_line(", ".join(regions.get(region, region) for region in found.regions))
    if found.countries:
        yield i18n.join(interface, [i18n.country_name(interface, code) for code in found.countries])
