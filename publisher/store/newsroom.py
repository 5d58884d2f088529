"""Sources, themes, regions and digests: the part of the set-up that lives in the database."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, func, insert, select, update

from feeds.model import Label
from publisher.errors import NotFoundError
from publisher.store.database import insert_new
from publisher.store.retired import retire_label, revive_label
from publisher.store.schema import digests, progress, regions, sources, themes
from publisher.taxonomy import shipped_labels
from subscribers.schedule import Digest, parse_digest

Entry = Mapping[str, Any]
"""One ``[[…]]`` table of a newsroom file, as written: of many types, hence ``Any``."""

_TABLES: Mapping[str, Table] = {"sources": sources, "themes": themes, "regions": regions, "digests": digests}

_AXES = {"themes": "theme", "regions": "region"}


@dataclass(frozen=True, slots=True)
class NumberedDigest:
    """A digest with the number by which link tokens name it."""

    number: int
    digest: Digest


def read_entries(tx: Connection) -> dict[str, dict[str, Entry]]:
    """What is active, by kind and id: ``{"sources": {id: entry…}, "themes": {…}, …}``, each kind in its order."""
    return {
        "sources": _entries(tx, select(sources.c.id, sources.c.settings).where(sources.c.ended_at.is_(None)), sources),
        "themes": _entries(tx, select(themes.c.id, themes.c.rule), themes),
        "regions": _entries(tx, select(regions.c.id, regions.c.rule), regions),
        "digests": _entries(tx, select(digests.c.id, digests.c.settings).where(digests.c.ended_at.is_(None)), digests),
    }


def put_entry(tx: Connection, kind: str, entry: Entry, *, position: int) -> None:
    """Add or change one entry of a newsroom file."""
    if kind == "sources":
        _put_source(tx, entry, position)
    elif kind == "digests":
        _put_digest(tx, entry, position)
    else:
        _put_label(tx, _TABLES[kind], entry, position=position)


def keep_ending(tx: Connection, kind: str, entry: Entry, *, now: datetime) -> None:
    """Remember that a theme or region says it has ended, or that it has not; other entries say no such thing."""
    if kind in _AXES and entry.get("ended"):
        _retire(tx, kind, entry, now=now)
    elif kind in _AXES:
        revive_label(tx, _AXES[kind], entry["id"])


def put_order(tx: Connection, kind: str, ids: Sequence[str]) -> None:
    """Put the entries of a kind in this order."""
    table = _TABLES[kind]
    for position, entry_id in enumerate(ids):
        tx.execute(update(table).where(table.c.id == entry_id).values(position=position))


def end_entry(tx: Connection, kind: str, entry_id: str, *, now: datetime) -> None:
    """End a source or digest, remove an own theme or region; items and editions stay."""
    table = _TABLES[kind]
    if kind in ("sources", "digests"):
        tx.execute(update(table).where(table.c.id == entry_id).values(ended_at=now))
    else:
        rule = tx.execute(select(table.c.rule).where(table.c.id == entry_id)).scalar_one()
        tx.execute(table.delete().where(table.c.id == entry_id))
        _retire(tx, kind, rule, now=now)


def read_label_rules(tx: Connection) -> tuple[list[Entry], list[Entry]]:
    """The organisation's own ``[[themes]]`` and ``[[regions]]`` entries, but those that have ended."""
    own_themes = _entries(tx, select(themes.c.id, themes.c.rule), themes).values()
    own_regions = _entries(tx, select(regions.c.id, regions.c.rule), regions).values()
    own = ([entry for entry in entries if not entry.get("ended")] for entries in (own_themes, own_regions))
    return next(own), next(own)


def read_rules_key(tx: Connection) -> str:
    """What tells these label rules from any others."""
    return _rules_key(read_label_rules(tx))


def read_classified_key(tx: Connection) -> str:
    """The key of the label rules by which all items were classified last; at first there are no rules."""
    query = select(progress.c.value).where(progress.c.work == "classified")
    return tx.execute(query).scalar_one_or_none() or _rules_key(([], []))


def put_classified_key(tx: Connection, key: str) -> None:
    """Remember by which label rules all items are classified now."""
    tx.execute(insert_new(progress).values(work="classified", value=key))
    tx.execute(update(progress).where(progress.c.work == "classified").values(value=key))


def read_labels(tx: Connection) -> tuple[tuple[Label, ...], tuple[Label, ...]]:
    """Themes and regions, shipped and own, in the order of the taxonomy."""
    (shipped_themes, shipped_regions), (own_themes, own_regions) = shipped_labels(), read_label_rules(tx)
    return _overlay(shipped_themes, own_themes), _overlay(shipped_regions, own_regions)


def list_digests(tx: Connection) -> list[NumberedDigest]:
    """The active digests in their order."""
    query = select(digests).where(digests.c.ended_at.is_(None)).order_by(digests.c.position, digests.c.id)
    return [NumberedDigest(row.number, parse_digest(row.settings)) for row in tx.execute(query)]


def read_digest(tx: Connection, digest_id: str) -> NumberedDigest:
    """That digest, ended or not; NotFoundError where there is none."""
    row = tx.execute(select(digests).where(digests.c.id == digest_id)).one_or_none()
    if row is None:
        known: Sequence[str] = tx.execute(select(digests.c.id).order_by(digests.c.id)).scalars().all()
        raise NotFoundError(
            f"There is no digest {digest_id!r}. There are: {', '.join(known) or 'none; see publisher apply'}"
        )
    return NumberedDigest(row.number, parse_digest(row.settings))


def _put_source(tx: Connection, entry: Entry, position: int) -> None:
    # A changed source forgets what was learned of it as it was.
    known = tx.execute(select(sources.c.settings).where(sources.c.id == entry["id"])).scalar_one_or_none()
    if known is None:
        tx.execute(
            insert(sources).values(id=entry["id"], position=position, settings=entry, url=entry["url"], failures=0)
        )
        return
    values: dict[str, Any] = {"position": position, "settings": entry, "ended_at": None}
    if known != entry:
        if known["url"] != entry["url"]:
            values["first_collected_at"] = None  # what another address shows at first is its backlog
        values |= {"url": entry["url"], "etag": None, "last_modified": None, "next_due_at": None, "failures": 0}
    tx.execute(update(sources).where(sources.c.id == entry["id"]).values(**values))


def _put_digest(tx: Connection, entry: Entry, position: int) -> None:
    # Its number is given once and stays: links in mails name the digest by it.
    values = {"position": position, "settings": entry, "ended_at": None}
    changed = tx.execute(update(digests).where(digests.c.id == entry["id"]).values(**values))
    if changed.rowcount == 0:
        number = tx.execute(select(func.coalesce(func.max(digests.c.number), 0))).scalar_one() + 1
        tx.execute(insert(digests).values(id=entry["id"], number=number, **values))


def _retire(tx: Connection, kind: str, entry: Entry, *, now: datetime) -> None:
    """Keep what feeds of a theme or region that is no more have to say; a shipped one goes on as it is shipped."""
    if entry["id"] not in {label.id for labels in shipped_labels() for label in labels}:
        label = Label(entry["id"], dict(entry["title"]))
        retire_label(tx, _AXES[kind], label, successor=entry.get("successor"), now=now)


def _put_label(tx: Connection, table: Table, entry: Entry, *, position: int) -> None:
    values = {"position": position, "rule": entry}
    changed = tx.execute(update(table).where(table.c.id == entry["id"]).values(**values))
    if changed.rowcount == 0:
        tx.execute(insert(table).values(id=entry["id"], **values))


def _overlay(shipped: Sequence[Label], own: Sequence[Entry]) -> tuple[Label, ...]:
    labels = {label.id: label for label in shipped}
    return tuple((labels | {entry["id"]: Label(entry["id"], dict(entry["title"])) for entry in own}).values())


def _entries(tx: Connection, query: Select[Any], table: Table) -> dict[str, Entry]:  # Any: rows of different tables
    return {row[0]: row[1] for row in tx.execute(query.order_by(table.c.position, table.c.id))}


def _rules_key(rules: tuple[Sequence[Entry], Sequence[Entry]]) -> str:
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()
