"""Subscribers: import, export, show, erase."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO
from zoneinfo import available_timezones

from sqlalchemy import Connection

from publisher.app import App
from publisher.store import subscribers as store
from publisher.store.editions import subscription_moment
from publisher.store.erasure import erase
from publisher.store.newsroom import read_labels
from publisher.store.personal_feeds import list_personal_feeds
from publisher.store.subscriber_imports import Decision, read_rights, write_decisions
from publisher.store.subscribers import Suppression
from publisher.usecases.people import find_person, read_address
from subscribers.exporting import ExportRow, export_row, write_csv
from subscribers.importing import MAX_LINE_BYTES, ImportRow, ImportRules, LineProblem, read_rows
from subscribers.model import Consent, Subscriber, Subscription
from subscribers.rights import ImportChange, decide_import
from subscribers.tokens import address_hash

CHUNK = 500
"""Lines imported, or people exported, in one transaction."""

Progress = Callable[[int], None]
"""Called with the number of lines that are done."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the lines of a file: each is counted once, or is a problem."""

    added: int
    """Lines of people who were not known."""
    updated: int
    unchanged: int
    held_back: int
    """Of those lines, how many say confirmed where the person here is not, and stays so."""
    problems: Sequence[LineProblem]


@dataclass(frozen=True, slots=True)
class SubscriberRecord:
    """Everything that is kept about one person."""

    subscriber: Subscriber
    subscriptions: Sequence[Subscription]
    consents: Sequence[Consent]
    suppression: Suppression | None
    deliveries: Sequence[tuple[str, str]]
    """(edition, state), oldest first."""
    personal_feeds: Sequence[tuple[datetime, datetime | None]] = ()
    """When an address of a feed was given, and when it was taken away; the address itself is not kept."""

    def to_json(self) -> dict[str, Any]:
        """The record as JSON values, moments as ISO 8601; of many types, hence ``Any``."""
        values = asdict(self)
        values["deliveries"] = [{"edition": edition, "state": state} for edition, state in self.deliveries]
        values["personal_feeds"] = [{"created_at": one, "revoked_at": other} for one, other in self.personal_feeds]
        record: dict[str, Any] = json.loads(json.dumps(values.pop("subscriber") | values, default=datetime.isoformat))
        return record


def import_subscribers(
    app: App, lines: Iterable[bytes], *, actor: str, progress: Progress | None = None
) -> ImportReport:
    """Bring in the good lines of a CSV file and report the others. May be repeated.

    An import can only take rights away from people who are known here: see ``subscribers.rights``.
    """
    counts: Counter[str] = Counter()
    problems: list[LineProblem] = []
    rows = read_rows(lines, _rules(app, app.clock()))
    while chunk := list(islice(rows, CHUNK)):
        problems += [row for row in chunk if isinstance(row, LineProblem)]
        good = [row for row in chunk if isinstance(row, ImportRow)]
        counts.update(_import_chunk(app, good, actor=actor))
        if progress:
            progress(chunk[-1].line)
    tally = {name: counts[name] for name in ("added", "updated", "unchanged", "held_back")}
    return ImportReport(**tally, problems=problems)


def read_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, none much longer than an import takes: the rest of a longer one is left out."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES + 1)


def show_subscriber(app: App, address: str) -> SubscriberRecord:
    """Everything that is kept about whoever has this address, in whatever spelling."""
    wanted = read_address(address)
    with app.database.read() as tx:
        person = find_person(tx, app, wanted)
        return SubscriberRecord(
            subscriber=person,
            subscriptions=store.list_subscriptions(tx, [person.id]),
            consents=[event for _, event in store.list_consents(tx, [person.id])],
            suppression=store.find_suppression(tx, app.secret, address_key=wanted.key),
            deliveries=store.list_editions_of(tx, person.id),
            personal_feeds=list_personal_feeds(tx, person.id),
        )


def erase_subscriber(app: App, address: str, *, actor: str) -> None:
    """Take everything personal about this address out of the database, for good. Counts and a keyed hash stay.

    May be repeated. The address can never be imported again.
    """
    wanted = read_address(address)
    now = app.clock()
    with app.database.write() as tx:
        known = store.find_suppression(tx, app.secret, address_key=wanted.key)
        if known and known.reason == "erased":
            return
        person = find_person(tx, app, wanted)
        erase(tx, person, hashed=address_hash(app.secret, wanted.key), actor=actor, now=now)


def export_subscribers(app: App) -> Iterator[str]:
    """The lines of a CSV file that ``import_subscribers`` reads back, in many short transactions.

    One line per active subscription; for somebody without one a line of the last that ended. Who is suppressed stands
    there as unsubscribed: no other system shall mail them either.
    """
    return write_csv(_export_rows(app))


def _rules(app: App, now: datetime) -> ImportRules:
    with app.database.read() as tx:
        themes, regions = read_labels(tx)
    return ImportRules(
        themes=[theme.id for theme in themes],
        regions=[region.id for region in regions],
        languages=app.config.site.languages,
        timezones=available_timezones(),
        now=now,
    )


def _import_chunk(app: App, rows: Sequence[ImportRow], *, actor: str) -> Iterator[str]:
    """Write the lines in one transaction; the names of what to count, one or two for each."""
    changes: list[ImportChange] = []
    with app.database.write() as tx:
        now = subscription_moment(tx, app.clock())
        for rows_of_round in _rounds(rows):
            rights = read_rights(tx, app.secret, address_keys=[row.address.key for row in rows_of_round])
            decisions = [Decision(row, decide_import(rights[row.address.key], row)) for row in rows_of_round]
            write_decisions(tx, decisions, actor=actor, now=now)
            changes += [decision.change for decision in decisions]
    for change in changes:
        yield change.outcome
        if change.was_held_back:
            yield "held_back"


def _rounds(rows: Sequence[ImportRow]) -> Iterator[list[ImportRow]]:
    """The lines in rounds in which no address comes twice, those of one address in their order."""
    waiting = rows
    while waiting:
        seen: set[str] = set()
        first: list[ImportRow] = []
        later: list[ImportRow] = []
        for row in waiting:
            (later if row.address.key in seen else first).append(row)
            seen.add(row.address.key)
        yield first
        waiting = later


def _export_rows(app: App) -> Iterator[ExportRow]:
    last = 0
    while True:
        with app.database.read() as tx:
            people = store.list_subscribers(tx, after=last, limit=CHUNK)
            rows = list(_rows_of(tx, people, suppressed=store.find_suppressed(tx, [one.id for one in people])))
        if not people:
            return
        yield from rows
        last = people[-1].id


def _rows_of(tx: Connection, people: Sequence[Subscriber], *, suppressed: Collection[int]) -> Iterator[ExportRow]:
    ids = [person.id for person in people]
    wanted, events = defaultdict(list), defaultdict(list)
    for one in store.list_subscriptions(tx, ids):
        wanted[one.subscriber_id].append(one)
    for subscriber_id, event in store.list_consents(tx, ids):
        events[subscriber_id].append(event)
    for person in people:
        active = [one for one in wanted[person.id] if one.is_active]
        for subscription in active or wanted[person.id][-1:]:
            yield export_row(person, subscription, events[person.id], is_suppressed=person.id in suppressed)
