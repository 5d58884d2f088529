"""Figures of an edition, counted from its deliveries in sets: by domain, by reply, over time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select

from publisher.store.schema_dispatch import deliveries

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Span:
    """The messages that were sent at their first attempt, and when the first and the last of them were."""

    count: int
    first_at: datetime | None
    last_at: datetime | None


def count_domains(tx: Connection, edition_id: str, *, limit: int) -> dict[str, dict[str, int]]:
    """``{domain: {state: count}}`` of the domains with the most deliveries; the rest together is ``other``."""
    return _count_by(tx, edition_id, _domain(), limit=limit)


def count_replies(tx: Connection, edition_id: str, *, limit: int) -> dict[str, dict[str, int]]:
    """``{reply: {state: count}}`` of the most frequent kinds of reply; the rest together is ``other``.

    A server's reply counts by its code and enhanced code (``550 5.1.1``), our own reasons by their first words.
    """
    return _count_by(tx, edition_id, _reply_class(), limit=limit)


def measure_span(tx: Connection, edition_id: str) -> Span:
    """When the messages sent at their first attempt were settled."""
    at = deliveries.c.changed_at
    sent = and_(deliveries.c.edition_id == edition_id, deliveries.c.state == "sent", deliveries.c.attempts == 1)
    row = tx.execute(select(func.count(), func.min(at), func.max(at)).where(sent)).one()
    return Span(row[0], row[1], row[2])


def _count_by(tx: Connection, edition_id: str, kind: ColumnElement[str], *, limit: int) -> dict[str, dict[str, int]]:
    counted = (
        select(kind.label("kind"), deliveries.c.state, func.count().label("count"))
        .where(deliveries.c.edition_id == edition_id)
        .group_by(kind, deliveries.c.state)
        .cte("counted")
    )
    total = func.sum(counted.c.count)
    most = select(counted.c.kind).group_by(counted.c.kind).order_by(total.desc(), counted.c.kind).limit(limit)
    name = case((counted.c.kind.in_(most), counted.c.kind), else_=literal(OTHER))
    query = select(name, counted.c.state, total).group_by(name, counted.c.state)
    figures: dict[str, dict[str, int]] = {}
    for label, state, count in tx.execute(query):
        figures.setdefault(label, {})[state] = count
    ordered = sorted(figures.items(), key=lambda one: (one[0] == OTHER, -sum(one[1].values()), one[0]))
    return {label: dict(sorted(states.items())) for label, states in ordered}


def _domain() -> ColumnElement[str]:
    """What follows the last @, in small letters: a quoted local part may hold one too."""
    email = func.lower(func.coalesce(deliveries.c.email, "@(erased)"))
    until_at = func.rtrim(email, func.replace(email, "@", ""))
    return func.substr(email, func.length(until_at) + 1)


def _reply_class() -> ColumnElement[str]:
    reply = func.coalesce(func.nullif(deliveries.c.reply, ""), "(none)")
    code, enhanced = func.substr(reply, 1, 3), _word(func.substr(reply, 5), " ")
    has_code = and_(code >= "200", code < "600", func.substr(reply, 4, 1).in_((" ", "")))
    is_enhanced = and_(func.substr(reply, 5, 1).in_(("2", "4", "5")), func.substr(reply, 6, 1) == ".")
    words = func.substr(_word(reply, ":"), 1, 60)
    return case((and_(has_code, is_enhanced), code + " " + func.substr(enhanced, 1, 9)), (has_code, code), else_=words)


def _word(text: ColumnElement[str], end: str) -> ColumnElement[str]:
    """The text before the first ``end``."""
    padded = text + end
    return func.substr(padded, 1, func.instr(padded, end) - 1)
