"""Items as rows: reading them for feeds, editions and staff."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, FromClause, Row, func, or_, select

from feeds.content import Content
from feeds.criteria import Criteria
from feeds.model import GLOBAL, Classification, Image, Item, Match, Translation
from feeds.translations import join_translations
from publisher.errors import NotFoundError
from publisher.store.batches import in_batches
from publisher.store.schema import item_labels, items, sightings, sources

AXES = {"theme": "themes", "region": "regions", "country": "countries", "project": "projects"}
"""Axis of a label to the field of the classification that holds it."""

_PLAIN = tuple(name for name in Content.__dataclass_fields__ if name not in {"authors", "images", "alternates"})
"""Fields of the content that are columns as they are."""

_FEW = 500
"""So many items are sorted sooner than a hundred thousand are looked through."""

_Labels = Mapping[int, Mapping[str, Sequence[str]]]
_Translations = Mapping[int, Sequence[Translation]]
_ItemRow = Row[tuple[object, ...]]


def select_items(
    tx: Connection,
    *,
    criteria: Criteria | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[Item]:
    """The items that meet the criteria and are dated ``since`` or later, the newest first."""
    query = select(items).order_by(items.c.published_at.desc(), items.c.id.desc()).limit(limit)
    if criteria:
        query = query.where(*meets(criteria), *narrow(tx, criteria))
    if since:
        query = query.where(items.c.published_at >= since)
    return build_items(tx, tx.execute(query).all())


def read_items(tx: Connection, ids: Iterable[int]) -> list[Item]:
    """The items of these ids, by id; unknown ids are left out."""
    found: list[Item] = []
    for batch in in_batches(sorted(set(ids))):
        found += build_items(tx, tx.execute(select(items).where(items.c.id.in_(batch)).order_by(items.c.id)).all())
    return found


def read_item(tx: Connection, item_id: int) -> Item:
    """That item; NotFoundError where there is none."""
    found = read_items(tx, [item_id])
    if not found:
        raise NotFoundError(f"There is no item {item_id}. List them with: publisher items")
    return found[0]


def read_source_ids(tx: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """The sources that show each item, in their order."""
    found: dict[int, list[str]] = defaultdict(list)
    query = select(sightings.c.item_id, sources.c.id).join(sources).order_by(sources.c.position, sources.c.id)
    for batch in in_batches(ids):
        for item_id, source_id in tx.execute(query.where(sightings.c.item_id.in_(batch))):
            found[item_id].append(source_id)
    return found


def meets(criteria: Criteria, rows: FromClause = items) -> Iterable[ColumnElement[bool]]:
    """``Criteria.is_met_by`` as SQL, asked of the rows of ``items`` or of an alias of it."""
    if criteria.language:
        yield speaks(criteria.language, rows)
    if criteria.kinds:
        yield rows.c.kind.in_(criteria.kinds)
    for axis, labels in _wanted_labels(criteria):
        own = item_labels.c.item_id == rows.c.id
        yield select(item_labels.c.item_id).where(own, _is_one_of(axis, labels)).exists()


def speaks(language: str, rows: FromClause = items) -> ColumnElement[bool]:
    """What is in that language, of whatever country."""
    spoken = rows.c.language
    return or_(spoken == language, spoken.startswith(f"{language}-", autoescape=True))


def narrow(tx: Connection, criteria: Criteria) -> Iterable[ColumnElement[bool]]:
    """Where few items have a label, those: without this SQLite looks through all items, the newest first."""
    for axis, labels in _wanted_labels(criteria):
        labelled = select(item_labels.c.item_id).where(_is_one_of(axis, labels))
        few = labelled.limit(_FEW + 1).subquery()
        if tx.execute(select(func.count()).select_from(few)).scalar_one() <= _FEW:
            yield items.c.id.in_(labelled)


def _wanted_labels(criteria: Criteria) -> Iterable[tuple[str, Sequence[str]]]:
    if criteria.themes:
        yield "theme", criteria.themes
    if criteria.regions:
        yield "region", [*criteria.regions, GLOBAL]


def _is_one_of(axis: str, labels: Sequence[str]) -> ColumnElement[bool]:
    return (item_labels.c.axis == axis) & item_labels.c.label.in_(labels)


def build_items(tx: Connection, rows: Sequence[_ItemRow]) -> list[Item]:
    """The items of these rows of ``items``."""
    labels = _read_labels(tx, [row._mapping["id"] for row in rows])
    translations = _read_translations(tx, rows)
    return [_build_item(row, labels, translations) for row in rows]


def _build_item(row: _ItemRow, labels: _Labels, translations: _Translations) -> Item:
    values = row._mapping
    start, end = values["former_event_start"], values["former_event_end"]
    alternates = tuple(Translation(**one) for one in values["alternates"])
    return Item(
        id=values["id"],
        uid=values["uid"],
        updated_at=values["updated_at"],
        classification=_build_classification(row, labels),
        version=values["version"],
        former_deadline=values["former_deadline"],
        former_event_dates=(start, end) if start and end else None,
        translations=join_translations(values["language"], translations.get(values["id"], ()), alternates),
        withdrawn_at=values["withdrawn_at"],
        withdrawn_reason=values["withdrawn_reason"],
        **{name: values[name] for name in _PLAIN},
        authors=tuple(values["authors"]),
        images=tuple(Image(**image) for image in values["images"]),
        alternates=alternates,
    )


def _build_classification(row: _ItemRow, labels: _Labels) -> Classification:
    values = row._mapping
    own = labels.get(values["id"], {})
    start, end = values["event_start"], values["event_end"]
    return Classification(
        primary_theme=values["primary_theme"],
        kind=values["kind"],
        deadline=values["deadline"],
        event_dates=(start, end) if start and end else None,
        matches=tuple(Match(**match) for match in values["matches"]),
        **{field: tuple(own.get(axis, ())) for axis, field in AXES.items()},
    )


def _read_labels(tx: Connection, ids: Sequence[int]) -> _Labels:
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    query = select(item_labels.c.item_id, item_labels.c.axis, item_labels.c.label).order_by(item_labels.c.position)
    for batch in in_batches(ids):
        for item_id, axis, label in tx.execute(query.where(item_labels.c.item_id.in_(batch))):
            found[item_id][axis].append(label)
    return found


def _read_translations(tx: Connection, rows: Sequence[_ItemRow]) -> _Translations:
    """The other items of each item's group, but those withdrawn; by the id of the item."""
    originals = {row._mapping["id"]: row._mapping["original_id"] or row._mapping["id"] for row in rows}
    groups: dict[int, list[tuple[int, Translation]]] = defaultdict(list)
    columns = (items.c.id, items.c.original_id, items.c.language, items.c.url, items.c.uid, items.c.withdrawn_at)
    for batch in in_batches(sorted(set(originals.values()))):
        # Withdrawn ones are left out, and all sorted, only here: asked for that, SQLite looks through all items.
        query = select(*columns).where(or_(items.c.id.in_(batch), items.c.original_id.in_(batch)))
        for row in sorted(tx.execute(query), key=lambda row: int(row.id)):
            if row.withdrawn_at is None:
                groups[row.original_id or row.id].append((row.id, Translation(row.language, row.url, row.uid)))
    return {
        item_id: [one for member, one in groups[original] if member != item_id]
        for item_id, original in originals.items()
    }
