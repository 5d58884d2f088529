"""Themes and regions that are no more: their feeds say so."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from feeds.model import Label
from publisher.store.schema import retired_labels


@dataclass(frozen=True, slots=True)
class RetiredLabel:
    """A theme or region that is no more."""

    axis: str
    """``theme`` or ``region``."""
    label: Label
    successor: str | None
    ended_at: datetime


def retire_label(tx: Connection, axis: str, label: Label, *, successor: str | None, now: datetime) -> None:
    """That theme or region is no more; one that ended before keeps its moment."""
    key = {"axis": axis, "id": label.id}
    known = tx.execute(select(retired_labels.c.ended_at).filter_by(**key)).scalar_one_or_none()
    tx.execute(delete(retired_labels).filter_by(**key))
    values = {"title": label.title, "successor": successor, "ended_at": known or now}
    tx.execute(insert(retired_labels).values(**key, **values))


def revive_label(tx: Connection, axis: str, label_id: str) -> None:
    """That theme or region is there again."""
    tx.execute(delete(retired_labels).filter_by(axis=axis, id=label_id))


def list_retired(tx: Connection) -> tuple[RetiredLabel, ...]:
    """Themes and regions that are no more."""
    rows = tx.execute(select(retired_labels).order_by(retired_labels.c.axis, retired_labels.c.id))
    return tuple(RetiredLabel(row.axis, Label(row.id, row.title), row.successor, row.ended_at) for row in rows)
