"""Editions, their frozen items and their variants."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from feeds.model import Item
from publisher.errors import NotFoundError
from publisher.store.frozen import freeze_item, thaw_item
from publisher.store.schema import digests, edition_items, editions, items, subscriptions, variants

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Edition:
    """One row of ``editions``."""

    id: str
    digest_id: str
    window_start: datetime
    window_end: datetime
    reach_start: datetime
    opened_at: datetime
    state: str
    content_hash: str
    outcome: str | None = None
    approved_hash: str | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    planned_at: datetime | None = None
    paused_at: datetime | None = None
    retry_at: datetime | None = None
    done_at: datetime | None = None

    @property
    def is_approved(self) -> bool:
        """Whether staff approved exactly this content."""
        return self.approved_hash == self.content_hash


@dataclass(frozen=True, slots=True)
class FrozenItem:
    """An item as it was when its edition opened, with the moment from which it is owed to subscribers."""

    item: Item
    released_at: datetime


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of ``variants``."""

    id: int
    edition_id: str
    language: str
    mask: bytes
    uid: str
    error: str | None = None


def read_edition(tx: Connection, edition_id: str) -> Edition:
    """The edition of that name; NotFoundError where there is none."""
    row = tx.execute(_EDITION, {"wanted": edition_id}).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"There is no edition {edition_id!r}. List them with: publisher digest list")
    return Edition(**row)


def list_digest_ids(tx: Connection, cadence: str) -> list[str]:
    """The digest of that cadence and those that had it before and ended: to its readers they are one."""
    rows = tx.execute(select(digests.c.id, digests.c.settings).order_by(digests.c.number))
    return [row.id for row in rows if row.settings["cadence"] == cadence]


def list_editions(
    tx: Connection, *, digest_ids: Collection[str] | None = None, states: Collection[str] = ()
) -> list[Edition]:
    """Editions, newest cut-off first."""
    query = select(editions).order_by(editions.c.window_end.desc(), editions.c.id)
    if digest_ids is not None:
        query = query.where(editions.c.digest_id.in_(digest_ids))
    if states:
        query = query.where(editions.c.state.in_(states))
    return [Edition(**row) for row in tx.execute(query).mappings()]


def list_published(tx: Connection) -> list[Edition]:
    """Editions that were sent and have at least one page to show, newest cut-off first."""
    has_page = select(variants.c.id).where(variants.c.edition_id == editions.c.id, variants.c.page.is_not(None))
    query = select(editions).where(editions.c.state.in_(("planned", "done")), has_page.exists())
    ordered = query.order_by(editions.c.window_end.desc(), editions.c.id)
    return [Edition(**row) for row in tx.execute(ordered).mappings()]


def add_edition(tx: Connection, edition: Edition, frozen: Sequence[FrozenItem]) -> None:
    """Store an edition with its items, in their order."""
    tx.execute(insert(editions).values({column.name: getattr(edition, column.name) for column in editions.columns}))
    if frozen:
        tx.execute(insert(edition_items), [_frozen_row(edition.id, place, one) for place, one in enumerate(frozen)])


def remove_skipped(tx: Connection, edition_id: str) -> None:
    """Remove an edition that was skipped: it has no items, variants or deliveries."""
    tx.execute(delete(editions).where(editions.c.id == edition_id, editions.c.state == "skipped"))


def change_edition(tx: Connection, edition_id: str, **values: Any) -> None:
    """Set columns of one edition; values are of many types, hence ``Any``."""
    tx.execute(update(editions).where(editions.c.id == edition_id).values(**values))


def read_frozen_items(tx: Connection, edition_id: str) -> list[FrozenItem]:
    """The items of an edition in the order of their positions."""
    query = select(edition_items).where(edition_items.c.edition_id == edition_id).order_by(edition_items.c.position)
    return [FrozenItem(thaw_item(row.frozen), row.released_at) for row in tx.execute(query)]


def subscription_moment(tx: Connection, now: datetime) -> datetime:
    """The moment to write down for a new subscription: after every opening and planning that did not see it.

    Comparing the two tells later which subscriptions an edition saw, also where the clock stood still or was put back.
    """
    row = tx.execute(select(func.max(editions.c.opened_at), func.max(editions.c.planned_at))).one()
    cuts: list[datetime] = [moment for moment in row if moment]
    return max([now, *(moment + _TICK for moment in cuts)])


def find_item_releases(
    tx: Connection, digest_ids: Collection[str], *, reach_start: datetime, before: datetime
) -> list[tuple[int, datetime, bool]]:
    """What was released in ``[reach_start, before)``: id, moment, whether an edition of these digests has it."""
    earlier = (
        select(edition_items.c.item_id)
        .join(editions, editions.c.id == edition_items.c.edition_id)
        .where(editions.c.digest_id.in_(digest_ids), edition_items.c.item_id == items.c.id)
        .exists()
    )
    query = (
        select(items.c.id, items.c.released_at, earlier.label("is_old"))
        .where(items.c.released_at >= reach_start, items.c.released_at < before, items.c.withdrawn_at.is_(None))
        .order_by(items.c.released_at, items.c.id)
    )
    return [(row.id, row.released_at, bool(row.is_old)) for row in tx.execute(query)]


def count_unreleased(tx: Connection) -> int:
    """How many items no edition may hold."""
    return tx.execute(select(func.count()).select_from(items).where(items.c.released_at.is_(None))).scalar_one()


def find_oldest_debt(tx: Connection, *, cadence: str, since: datetime, before: datetime) -> datetime | None:
    """The oldest ``covered_from`` before that moment among subscriptions made after the last edition was opened."""
    query = select(func.min(subscriptions.c.covered_from)).where(
        subscriptions.c.cadence == cadence,
        subscriptions.c.ended_at.is_(None),
        subscriptions.c.created_at > since,
        subscriptions.c.covered_from < before,
    )
    oldest: datetime | None = tx.execute(query).scalar()
    return oldest


def list_unrendered(tx: Connection, edition_id: str, *, limit: int) -> list[Variant]:
    """Variants that wait to be rendered, by id; those that failed wait for ``forget_errors``."""
    waiting = and_(variants.c.edition_id == edition_id, variants.c.frame.is_(None), variants.c.error.is_(None))
    return [
        Variant(**row)
        for row in tx.execute(select(*_VARIANT).where(waiting).order_by(variants.c.id).limit(limit)).mappings()
    ]


def count_unrendered(tx: Connection, edition_id: str) -> int:
    """How many variants have no text yet."""
    query = select(func.count()).where(variants.c.edition_id == edition_id, variants.c.frame.is_(None))
    return tx.execute(query).scalar_one()


def read_longest_frames(tx: Connection, edition_id: str, *, limit: int) -> list[bytes]:
    """The compressed frames that take the most room."""
    query = select(variants.c.frame).where(variants.c.edition_id == edition_id, variants.c.frame.is_not(None))
    return list(tx.execute(query.order_by(func.length(variants.c.frame).desc()).limit(limit)).scalars())


def list_errors(tx: Connection, edition_id: str) -> list[Variant]:
    """Variants that could not be rendered."""
    failed = and_(variants.c.edition_id == edition_id, variants.c.frame.is_(None), variants.c.error.is_not(None))
    return [Variant(**row) for row in tx.execute(select(*_VARIANT).where(failed).order_by(variants.c.id)).mappings()]


def forget_errors(tx: Connection, edition_id: str) -> None:
    """Let what could not be rendered be tried again."""
    tx.execute(
        update(variants).where(variants.c.edition_id == edition_id, variants.c.frame.is_(None)).values(error=None)
    )


def find_variant(tx: Connection, edition_id: str, language: str, *, mask: bytes) -> Variant | None:
    """The variant of that language and these items, if there is one."""
    same = and_(variants.c.edition_id == edition_id, variants.c.language == language, variants.c.mask == mask)
    row = tx.execute(select(*_VARIANT).where(same)).mappings().one_or_none()
    return None if row is None else Variant(**row)


def read_page(tx: Connection, edition_id: str, uid: str) -> bytes | None:
    """The compressed web page of a variant; None where there is none (yet)."""
    query = select(variants.c.page).where(variants.c.edition_id == edition_id, variants.c.uid == uid)
    page: bytes | None = tx.execute(query).scalar_one_or_none()
    return page


def read_frames(tx: Connection, variant_ids: Collection[int]) -> dict[int, bytes]:
    """The compressed message frames of these variants."""
    query = select(variants.c.id, variants.c.frame).where(variants.c.id.in_(variant_ids), variants.c.frame.is_not(None))
    return {row.id: row.frame for row in tx.execute(query)}


def store_rendered(tx: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Set ``new_frame``, ``new_page`` and ``new_error`` as the text of the variants with ``variant_id``."""
    tx.execute(_STORE_RENDERED, list(rows))


def count_variants(tx: Connection, edition_id: str) -> int:
    """How many variants an edition has."""
    return tx.execute(select(func.count()).where(variants.c.edition_id == edition_id)).scalar_one()


def _frozen_row(edition_id: str, position: int, frozen: FrozenItem) -> dict[str, Any]:
    return {
        "edition_id": edition_id,
        "position": position,
        "item_id": frozen.item.id,
        "released_at": frozen.released_at,
        "frozen": freeze_item(frozen.item),
    }


_VARIANT = variants.c["id", "edition_id", "language", "mask", "uid", "error"]

_EDITION = select(editions).where(editions.c.id == bindparam("wanted"))

_STORE_RENDERED = (
    update(variants)
    .where(variants.c.id == bindparam("variant_id"))
    .values(frame=bindparam("new_frame"), page=bindparam("new_page"), error=bindparam("new_error"))
)
