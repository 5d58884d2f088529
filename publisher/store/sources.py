"""Sources as rows: which are due, and what collecting has learned of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from feeds.sources import Source, parse_source
from publisher.store.schema import collections, sources


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source, with what collecting has learned of it."""

    source: Source
    position: int
    url: str
    """Where it is now: a source may have moved since its settings were written."""
    etag: str | None
    last_modified: str | None
    next_due_at: datetime | None
    failures: int
    """In a row."""
    first_collected_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        return self.next_due_at is None or self.next_due_at <= now


@dataclass(frozen=True, slots=True)
class Collection:
    """One attempt to collect a source, as it is kept."""

    status: str
    """``ok``, ``partial``, ``not-modified`` or ``failed``."""
    entries: int
    new: int
    error: str | None


def read_sources(tx: Connection) -> list[SourceState]:
    """The active sources in their order."""
    query = select(sources).where(sources.c.ended_at.is_(None)).order_by(sources.c.position, sources.c.id)
    return [_build(row) for row in tx.execute(query)]


def find_source(tx: Connection, source_id: str) -> SourceState | None:
    """That source as it stands; None where it has been ended."""
    query = select(sources).where(sources.c.id == source_id, sources.c.ended_at.is_(None))
    row = tx.execute(query).one_or_none()
    return _build(row) if row else None


def find_failing(tx: Connection) -> list[tuple[str, str]]:
    """(source, last error) of the active sources whose last collection failed, in their order."""
    last = select(func.max(collections.c.id)).group_by(collections.c.source_id)
    query = (
        select(sources.c.id, collections.c.error)
        .join(collections, collections.c.source_id == sources.c.id)
        .where(sources.c.ended_at.is_(None), sources.c.failures > 0, collections.c.id.in_(last))
        .order_by(sources.c.position, sources.c.id)
    )
    return [(row.id, row.error or "unknown") for row in tx.execute(query)]


def record_collection(tx: Connection, source_id: str, collection: Collection, *, now: datetime) -> None:
    """Add an attempt to the history of the source."""
    tx.execute(
        insert(collections).values(
            source_id=source_id,
            at=now,
            status=collection.status,
            entries=collection.entries,
            new=collection.new,
            error=collection.error,
        )
    )


def change_source(tx: Connection, source_id: str, **learned: Any) -> None:  # Any: values of the columns named
    """Keep what was learned."""
    tx.execute(update(sources).where(sources.c.id == source_id).values(**learned))


def _build(row: Row[Any]) -> SourceState:
    return SourceState(
        source=parse_source(row.settings),
        position=row.position,
        url=row.url,
        etag=row.etag,
        last_modified=row.last_modified,
        next_due_at=row.next_due_at,
        failures=row.failures,
        first_collected_at=row.first_collected_at,
    )
