"""How many items feeds get: counts for all feeds in one query, and for one mix."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Text,
    column,
    func,
    literal,
    select,
    true,
    union,
    values,
)

from feeds.criteria import Criteria
from feeds.model import GLOBAL
from publisher.store.feeds import belongs
from publisher.store.schema import item_labels, items

Counts = Mapping[Criteria, int]
"""Of feeds with at most one theme, region and kind; those without items are left out."""

_ANY = ""


@dataclass(frozen=True, slots=True)
class Period:
    """Items dated in ``[since, until)``; aware, UTC."""

    since: datetime
    until: datetime


def count_by_feed(tx: Connection, period: Period, *, regions: Sequence[str]) -> Counts:
    """The items of the period in each feed of at most one theme, region, kind and language.

    What is global reaches all these regions.
    """
    themes, regions_reached = _reach_themes(period), _reach_regions(period, regions)
    is_original = items.c.original_id.is_(None)
    columns = (themes.c.label, regions_reached.c.label, items.c.kind, items.c.language, is_original)
    query = (
        select(*columns, func.count())
        .select_from(items)
        .join(themes, themes.c.item_id == items.c.id)
        .join(regions_reached, regions_reached.c.item_id == items.c.id)
        .group_by(*columns)
    )
    counts: dict[Criteria, int] = defaultdict(int)
    for theme, region, kind, language, is_first, count in tx.execute(query):
        for wish in (language.partition("-")[0], *([None] if is_first else [])):
            counts[_criteria(theme, region, kinds=(), language=wish)] += count
            counts[_criteria(theme, region, kinds=(kind,), language=wish)] += count
    return counts


def count_items(tx: Connection, criteria: Criteria, *, period: Period) -> int:
    """The items of the period that meet the criteria."""
    query = select(func.count()).select_from(items).where(_is_in(period), *belongs(criteria))
    count: int = tx.execute(query).scalar_one()
    return count


def find_first_day(tx: Connection) -> datetime | None:
    """When the oldest item was published."""
    first: datetime | None = tx.execute(select(func.min(items.c.published_at))).scalar_one()
    return first


def _criteria(theme: str, region: str, *, kinds: tuple[str, ...], language: str | None) -> Criteria:
    return Criteria((theme,) if theme else (), (region,) if region else (), kinds, language)


def _reach_themes(period: Period) -> Subquery:
    """Each item under its themes, and under any."""
    return union(_labels("theme", period), _everywhere(period)).subquery("themes_reached")


def _reach_regions(period: Period, regions: Sequence[str]) -> Subquery:
    """Each item under its regions, under all where it is global, and under any."""
    codes = values(column("code", Text), name="codes").data([(code,) for code in (*regions, GLOBAL)]).cte()
    global_items = _labels("region", period).where(item_labels.c.label == GLOBAL).subquery("global_items")
    all_regions = select(global_items.c.item_id, codes.c.code).select_from(global_items.join(codes, true()))
    return union(_labels("region", period), all_regions, _everywhere(period)).subquery("regions_reached")


def _labels(axis: str, period: Period) -> Select[tuple[int, str]]:
    labels = select(item_labels.c.item_id, item_labels.c.label.label("label"))
    return labels.join(items).where(item_labels.c.axis == axis, _is_in(period))


def _everywhere(period: Period) -> Select[tuple[int, str]]:
    return select(items.c.id, literal(_ANY)).where(_is_in(period))


def _is_in(period: Period) -> ColumnElement[bool]:
    is_dated = (items.c.published_at >= period.since) & (items.c.published_at < period.until)
    return is_dated & items.c.withdrawn_at.is_(None)
