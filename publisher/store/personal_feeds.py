"""Personal feeds as rows: whose they are, and what they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, FromClause, and_, exists, func, insert, or_, select, true, update

from feeds.criteria import Criteria
from feeds.model import Item
from publisher.store.items import build_items, meets, speaks
from publisher.store.schema import items, personal_feeds, subscribers, suppressions


@dataclass(frozen=True, slots=True)
class PersonalFeed:
    """A feed that somebody may read now."""

    token_hash: str
    subscriber_id: int
    language: str
    """Of the subscriber."""
    created_at: datetime


def put_personal_feed(tx: Connection, subscriber_id: int, *, token_hash: str, now: datetime) -> None:
    """Give the subscriber an address; an earlier one leads nowhere from now on."""
    revoke_personal_feed(tx, subscriber_id, now=now)
    tx.execute(insert(personal_feeds).values(token_hash=token_hash, subscriber_id=subscriber_id, created_at=now))


def revoke_personal_feed(tx: Connection, subscriber_id: int, *, now: datetime) -> bool:
    """Take the subscriber's address away; False where there is none."""
    active = (personal_feeds.c.subscriber_id == subscriber_id) & personal_feeds.c.revoked_at.is_(None)
    return tx.execute(update(personal_feeds).where(active).values(revoked_at=now)).rowcount > 0


def find_personal_feed(tx: Connection, token_hash: str) -> PersonalFeed | None:
    """The feed with that address; None where there is none, or its reader has no right to anything any more."""
    query = (
        select(personal_feeds, subscribers.c.language)
        .join(subscribers, subscribers.c.id == personal_feeds.c.subscriber_id)
        .where(
            personal_feeds.c.token_hash == token_hash,
            personal_feeds.c.revoked_at.is_(None),
            subscribers.c.status == "confirmed",
            ~exists().where(suppressions.c.subscriber_id == subscribers.c.id),
        )
    )
    row = tx.execute(query).one_or_none()
    return PersonalFeed(row.token_hash, row.subscriber_id, row.language, row.created_at) if row else None


def list_personal_feeds(tx: Connection, subscriber_id: int) -> list[tuple[datetime, datetime | None]]:
    """When the subscriber was given each address, and when it was taken away."""
    query = select(personal_feeds.c.created_at, personal_feeds.c.revoked_at)
    mine = query.where(personal_feeds.c.subscriber_id == subscriber_id).order_by(personal_feeds.c.created_at)
    return [(row.created_at, row.revoked_at) for row in tx.execute(mine)]


def select_personal_items(
    tx: Connection, wishes: Sequence[Criteria], *, language: str, is_calendar: bool, limit: int
) -> list[Item]:
    """What meets one of the wishes, each piece once: in that language where it is there, else in its original.

    The newest first, or of what has days that whose last day is the latest.
    """
    query = select(items).where(_is_wished(wishes), _is_shown(wishes, language))
    if is_calendar:
        query = query.where(items.c.last_day.is_not(None)).order_by(items.c.last_day.desc(), items.c.id.desc())
    else:
        query = query.order_by(items.c.published_at.desc(), items.c.id.desc())
    return build_items(tx, tx.execute(query.limit(limit)).all())


def _is_wished(wishes: Sequence[Criteria], rows: FromClause = items) -> ColumnElement[bool]:
    return or_(*(and_(true(), *meets(wish, rows)) for wish in wishes))


def _is_shown(wishes: Sequence[Criteria], language: str) -> ColumnElement[bool]:
    """A translation takes the place of its original only where the feed holds it, and it was not withdrawn."""
    other = items.alias()
    piece = func.coalesce(items.c.original_id, items.c.id)
    is_translated = exists().where(
        or_(other.c.id == piece, other.c.original_id == piece),
        other.c.withdrawn_at.is_(None),
        speaks(language, other),
        _is_wished(wishes, other),
    )
    return or_(speaks(language), and_(items.c.original_id.is_(None), ~is_translated))
