"""Planning in sets: who gets which items of an edition, and one delivery for each of them.

The work tables are temporary and live within the planning transaction. A *mask* is a big-endian bit set over the
positions of an edition's items, of one length for all masks of an edition.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from feeds.criteria import Criteria
from publisher.store.columns import Moment
from publisher.store.database import insert_new
from publisher.store.editions import Edition
from publisher.store.schema import criteria, edition_items, editions, subscribers, subscriptions, suppressions, variants
from publisher.store.schema_dispatch import deliveries

_work = MetaData()

_criteria_masks = Table(
    "work_criteria_masks",
    _work,
    Column("criteria_id", BigInteger, primary_key=True, autoincrement=False),
    Column("mask", LargeBinary, nullable=False),
    prefixes=["TEMPORARY"],
)

_owed_masks = Table(
    "work_owed_masks",
    _work,
    Column("owed_from", Moment, primary_key=True, autoincrement=False),  # items released from here on …
    Column("mask", LargeBinary, nullable=False),  # … are these
    prefixes=["TEMPORARY"],
)

_choices = Table(
    "work_choices",
    _work,
    Column("subscriber_id", Integer, primary_key=True, autoincrement=False),
    Column("language", String(16), nullable=False),
    Column("mask", LargeBinary, nullable=False),
    prefixes=["TEMPORARY"],
)

_NEVER_SENT = ("failed", "suppressed", "expired", "cancelled")
"""States that end a delivery without a message."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What planning needs to know of an edition."""

    edition: Edition
    cadence: str
    digest_ids: Sequence[str]
    """The digests that this cadence has had: to its readers they are one."""
    languages: Sequence[str]
    """Interface languages; who asks for another one gets the first."""
    covered_until: datetime
    """Until when those who were there at the previous edition are covered: the beginning of the window."""
    previous_opened_at: datetime | None
    first_release: datetime | None
    """The first release within the window."""


def list_wanted_criteria(tx: Connection, cadence: str) -> Iterator[tuple[int, Criteria]]:
    """The distinct criteria of active subscriptions of that cadence, by id."""
    wanted = select(subscriptions.c.criteria_id).where(
        subscriptions.c.cadence == cadence, subscriptions.c.ended_at.is_(None)
    )
    query = select(criteria).where(criteria.c.id.in_(wanted)).order_by(criteria.c.id)
    for row in tx.execute(query):
        yield row.id, Criteria(tuple(row.themes), tuple(row.regions), tuple(row.kinds), row.language)


def choose(tx: Connection, plan: Plan, *, criteria_masks: Iterable[tuple[int, bytes]], mask_size: int) -> None:
    """Fill the work table of choices: subscriber, language, mask. Needs ``set_owed_masks`` first."""
    _recreate(tx, _criteria_masks)
    rows = [{"criteria_id": key, "mask": mask} for key, mask in criteria_masks]
    if rows:
        tx.execute(insert(_criteria_masks), rows)
    _recreate(tx, _choices)
    nothing = literal(bytes(mask_size), LargeBinary)
    chosen = _select_choices(plan)
    tx.execute(
        insert(_choices).from_select(
            ["subscriber_id", "language", "mask"], chosen.having(chosen.selected_columns.mask != nothing)
        )
    )


def set_owed_masks(tx: Connection, rows: Iterable[tuple[datetime, bytes]]) -> None:
    """The distinct release moments of the edition's items, each with the mask of what was released from then on."""
    _recreate(tx, _owed_masks)
    tx.execute(insert(_owed_masks), [{"owed_from": moment, "mask": mask} for moment, mask in rows])


def find_shared_places(tx: Connection, plan: Plan, item_ids: Collection[int]) -> dict[str, dict[int, int]]:
    """Per other edition for the same readers that holds some of these items: position → item."""
    query = (
        select(edition_items.c.edition_id, edition_items.c.position, edition_items.c.item_id)
        .join(editions, editions.c.id == edition_items.c.edition_id)
        .where(
            editions.c.digest_id.in_(plan.digest_ids),
            editions.c.id != plan.edition.id,
            edition_items.c.item_id.in_(item_ids),
        )
    )
    places: dict[str, dict[int, int]] = defaultdict(dict)
    for edition_id, position, item_id in tx.execute(query):
        places[edition_id][position] = item_id
    return places


def list_received(tx: Connection, edition_ids: Collection[str], mask: bytes) -> Sequence[tuple[int, bytes, str, bytes]]:
    """What those who have chosen items of ``mask`` got, or will get, of these editions.

    Subscriber, what is chosen for them, edition, what they got of it.
    """
    meets = func.mask_and(_choices.c.mask, mask, type_=LargeBinary) != bytes(len(mask))
    query = (
        select(_choices.c.subscriber_id, _choices.c.mask, deliveries.c.edition_id, variants.c.mask)
        .join(deliveries, deliveries.c.subscriber_id == _choices.c.subscriber_id)
        .join(variants, variants.c.id == deliveries.c.variant_id)
        .where(meets, deliveries.c.edition_id.in_(edition_ids), deliveries.c.state.not_in(_NEVER_SENT))
    )
    return tx.execute(query).all()


def change_choices(tx: Connection, choices: Mapping[int, bytes]) -> None:
    """Set what is chosen for these subscribers; who has nothing left is left out."""
    if not choices:
        return
    change = update(_choices).where(_choices.c.subscriber_id == bindparam("key")).values(mask=bindparam("left"))
    tx.execute(change, [{"key": subscriber_id, "left": mask} for subscriber_id, mask in choices.items()])
    nothing = bytes(len(next(iter(choices.values()))))
    tx.execute(delete(_choices).where(_choices.c.mask == literal(nothing, LargeBinary)))


def add_variants(tx: Connection, edition_id: str, uids: Iterable[tuple[str, bytes, str]]) -> None:
    """Store variants (language, mask, uid) that are not there yet."""
    rows = [{"edition_id": edition_id, "language": language, "mask": mask, "uid": uid} for language, mask, uid in uids]
    if rows:
        tx.execute(insert_new(variants), rows)


def list_chosen_variants(tx: Connection) -> list[tuple[str, bytes]]:
    """The distinct (language, mask) of all choices."""
    query = select(_choices.c.language, _choices.c.mask).distinct().order_by(_choices.c.language, _choices.c.mask)
    return [(row.language, row.mask) for row in tx.execute(query)]


def add_deliveries(tx: Connection, edition_id: str, now: datetime) -> int:
    """One ``planned`` delivery per choice, variant by variant; who has one already keeps it. How many are new."""
    rows = (
        select(
            literal(edition_id),
            _choices.c.subscriber_id,
            variants.c.id,
            subscribers.c.email,
            subscribers.c.name,
            literal("planned"),
            literal(0),
            literal(now, Moment),
        )
        .select_from(_choices)
        .join(subscribers, subscribers.c.id == _choices.c.subscriber_id)
        .join(
            variants,
            and_(
                variants.c.edition_id == edition_id,
                variants.c.language == _choices.c.language,
                variants.c.mask == _choices.c.mask,
            ),
        )
        .where(true())
        .order_by(variants.c.id, _choices.c.subscriber_id)
    )
    before = _count(tx, edition_id)
    names = ["edition_id", "subscriber_id", "variant_id", "email", "name", "state", "attempts", "changed_at"]
    tx.execute(insert_new(deliveries, names, rows))
    return _count(tx, edition_id) - before


def list_readers(tx: Connection, edition_id: str) -> list[tuple[str, bytes, int]]:
    """Language, mask and number of deliveries of each variant of an edition, the most read first."""
    readers = func.count(deliveries.c.id)
    query = (
        select(variants.c.language, variants.c.mask, readers)
        .join(deliveries, deliveries.c.variant_id == variants.c.id, isouter=True)
        .where(variants.c.edition_id == edition_id)
        .group_by(variants.c.id)
        .order_by(readers.desc(), variants.c.id)
    )
    return [(row[0], row[1], row[2]) for row in tx.execute(query)]


def drop_work(tx: Connection) -> None:
    """Drop the work tables."""
    _work.drop_all(tx)


def _select_choices(plan: Plan) -> Select[tuple[int, str, bytes]]:
    language = case(
        (subscribers.c.language.in_(plan.languages), subscribers.c.language), else_=literal(plan.languages[0])
    )
    mask = func.mask_or(func.mask_and(_criteria_masks.c.mask, _owed_masks.c.mask), type_=LargeBinary).label("mask")
    return (
        select(subscribers.c.id, language.label("language"), mask)
        .select_from(subscriptions)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .join(_criteria_masks, _criteria_masks.c.criteria_id == subscriptions.c.criteria_id)
        .join(_owed_masks, _owed_masks.c.owed_from == _first_owed(plan))
        .outerjoin(suppressions, suppressions.c.subscriber_id == subscribers.c.id)
        .where(
            subscriptions.c.cadence == plan.cadence,
            subscriptions.c.ended_at.is_(None),
            subscribers.c.status == "confirmed",
            suppressions.c.address_hash.is_(None),
            _is_in_time(plan.edition),
        )
        .group_by(subscribers.c.id)
    )


def _is_in_time(edition: Edition) -> ColumnElement[bool]:
    """Who subscribed after the opening and is owed older items waits for the next edition: it reaches back for them."""
    return or_(subscriptions.c.created_at <= edition.opened_at, subscriptions.c.covered_from >= edition.window_start)


def _first_owed(plan: Plan) -> ColumnElement[datetime]:
    """The first release at or after the moment from which a subscription is owed items."""
    releases = select(func.min(_owed_masks.c.owed_from)).where(_owed_masks.c.owed_from >= _owed_from(plan))
    searched = releases.correlate(subscriptions).scalar_subquery()
    is_plain = and_(_was_there(plan), subscriptions.c.covered_from <= plan.covered_until)
    # Nearly everyone is owed the whole window; to search for each of them would take most of the time of planning.
    return case((is_plain, literal(plan.first_release, Moment)), else_=searched)


def _was_there(plan: Plan) -> ColumnElement[bool]:
    """Whether a subscription was there when the previous edition was opened; without one, all were."""
    if plan.previous_opened_at is None:
        return true()
    return subscriptions.c.created_at <= plan.previous_opened_at


def _owed_from(plan: Plan) -> ColumnElement[datetime]:
    start = literal(plan.covered_until, Moment)
    within = case((subscriptions.c.covered_from > start, subscriptions.c.covered_from), else_=start)
    covered = _covered_by_late_plans(plan)
    owed = case((covered > subscriptions.c.covered_from, covered), else_=subscriptions.c.covered_from)
    return case((_was_there(plan), within), else_=owed)


def _covered_by_late_plans(plan: Plan) -> ColumnElement[datetime]:
    """The end of the last earlier edition that was, or will be, planned with a subscription made after its opening."""
    earlier = editions.alias("earlier")
    query = select(func.max(earlier.c.window_end)).where(
        earlier.c.digest_id.in_(plan.digest_ids),
        earlier.c.window_end <= plan.edition.window_start,
        subscriptions.c.covered_from >= earlier.c.window_start,
        or_(earlier.c.planned_at.is_(None), subscriptions.c.created_at <= earlier.c.planned_at),
    )
    return func.coalesce(query.correlate(subscriptions).scalar_subquery(), subscriptions.c.covered_from, type_=Moment)


def _count(tx: Connection, edition_id: str) -> int:
    return tx.execute(
        select(func.count()).select_from(deliveries).where(deliveries.c.edition_id == edition_id)
    ).scalar_one()


def _recreate(tx: Connection, table: Table) -> None:
    table.drop(tx, checkfirst=True)
    table.create(tx)
