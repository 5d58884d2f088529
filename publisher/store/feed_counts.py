"""How many items feeds get: counts for all feeds in one query, and for one mix."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    Text,
    column,
    func,
    literal,
    select,
    true,
    union_all,
    values,
)

from feeds.criteria import Criteria
from feeds.model import GLOBAL
from publisher.store.feeds import belongs
from publisher.store.schema import item_labels, items

Counts = Mapping[Criteria, int]
"""Of feeds with at most one label; those without items are left out."""


@dataclass(frozen=True, slots=True)
class Period:
    """Items dated in ``[since, until)``; aware, UTC."""

    since: datetime
    until: datetime


def count_by_feed(tx: Connection, period: Period, *, regions: Sequence[str]) -> Counts:
    """The items of the period in each feed of a theme, a region, a kind or everything, by language.

    What is global reaches all these regions.
    """
    dated = _select_dated(period)
    reached = union_all(_everything(dated), *_reach_labels(dated, regions)).subquery("reached")
    columns = (reached.c.axis, reached.c.label, dated.c.language, dated.c.is_original)
    query = select(*columns, func.count()).join_from(dated, reached, reached.c.item_id == dated.c.id)
    counts: dict[Criteria, int] = defaultdict(int)
    for axis, label, language, is_original, count in tx.execute(query.group_by(*columns)):
        for wish in (language.partition("-")[0], *([None] if is_original else [])):
            counts[_criteria(axis, label, language=wish)] += count
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


def _criteria(axis: str, label: str, *, language: str | None) -> Criteria:
    wishes = {"theme": (), "region": (), "kind": ()} | ({axis: (label,)} if axis else {})
    return Criteria(wishes["theme"], wishes["region"], wishes["kind"], language)


def _select_dated(period: Period) -> CTE:
    is_original = items.c.original_id.is_(None).label("is_original")
    return select(items.c.id, items.c.kind, items.c.language, is_original).where(_is_in(period)).cte("dated")


def _everything(dated: CTE) -> Select[tuple[int, str, str]]:
    """The rows of all items together: item, axis, label."""
    return select(dated.c.id.label("item_id"), literal("").label("axis"), literal("").label("label"))


def _reach_labels(dated: CTE, regions: Sequence[str]) -> Iterator[Select[tuple[int, str, str]]]:
    """Each item under its kind, its themes and its regions; under all regions where it is global."""
    yield select(dated.c.id, literal("kind"), dated.c.kind)
    yield _labels("theme", dated)
    codes = values(column("code", Text), name="codes").data([(code,) for code in {*regions, GLOBAL}]).cte()
    global_items = _labels("region", dated).where(item_labels.c.label == GLOBAL).cte("global_items")
    yield select(global_items.c.item_id, literal("region"), codes.c.code).join_from(global_items, codes, true())
    yield _labels("region", dated).where(dated.c.id.not_in(select(global_items.c.item_id)))


def _labels(axis: str, dated: CTE) -> Select[tuple[int, str, str]]:
    labels = select(item_labels.c.item_id, item_labels.c.axis, item_labels.c.label)
    return labels.join(dated, dated.c.id == item_labels.c.item_id).where(item_labels.c.axis == axis)


def _is_in(period: Period) -> ColumnElement[bool]:
    is_dated = (items.c.published_at >= period.since) & (items.c.published_at < period.until)
    return is_dated & items.c.withdrawn_at.is_(None)
