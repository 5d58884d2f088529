"""The set-up of sources, themes, regions and digests: written in a file, kept in the database."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import tomlkit
from sqlalchemy import Connection

from feeds.sources import parse_source
from publisher.app import App
from publisher.errors import ConfigError
from publisher.store import newsroom as store
from publisher.store.newsroom import Entry
from publisher.taxonomy import region_rule, theme_rule
from publisher.usecases.items import reclassify_items
from subscribers.schedule import parse_digest

_PARSERS: Mapping[str, Callable[[Entry], object]] = {
    "themes": theme_rule,
    "regions": region_rule,
    "sources": parse_source,
    "digests": parse_digest,
}

KINDS = tuple(_PARSERS)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that ``apply`` does or would do."""

    action: str
    """add, change, end or order; the last is of all of a kind."""
    kind: str
    id: str = ""
    details: tuple[str, ...] = ()
    """What changes, key by key."""


def apply(app: App, text: str, *, name: str, is_dry_run: bool = False, prunes: bool = False) -> list[Difference]:
    """Make the database as the newsroom file ``text`` says; what differs. Applying twice differs in nothing.

    What the file does not name stays, after what it names, or is ended where ``prunes``. ConfigError names file, key
    and remedy; nothing is changed then.
    """
    wanted = parse_newsroom(text, name=name)
    with app.database.write() as tx:
        known = store.read_entries(tx)
        _refuse_shared_cadences(known["digests"], wanted["digests"], name=name, prunes=prunes)
        differences = _compare(known, wanted, prunes=prunes)
        if not is_dry_run:
            _make_so(tx, wanted, differences=differences, now=app.clock())
    if not is_dry_run:
        _keep_classified(app)
    return differences


def export(app: App) -> str:
    """The active set-up as a newsroom file that ``apply`` reads."""
    with app.database.read() as tx:
        entries = store.read_entries(tx)
    return tomlkit.dumps({kind: list(table.values()) for kind, table in entries.items() if table})


def parse_newsroom(text: str, *, name: str) -> dict[str, dict[str, Entry]]:
    """The entries of a newsroom file by kind and id, each checked; ConfigError lists everything that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is not TOML: {error}") from error
    problems = [f"{key}: unknown key. Known: {', '.join(KINDS)}" for key in document.keys() - set(KINDS)]
    entries = {kind: _by_id(kind, document.get(kind, []), problems) for kind in KINDS}
    problems += _find_problems(entries)
    problems += [] if problems else _find_shared_cadences(entries["digests"])
    if problems:
        raise ConfigError("\n".join(f"{name}: {problem}" for problem in problems))
    return entries


def read_newsroom_file(path: Path) -> str:
    """The text of that file; ConfigError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _by_id(kind: str, table: object, problems: list[str]) -> dict[str, Entry]:
    if not isinstance(table, list) or not all(isinstance(entry, dict) for entry in table):
        problems.append(f"{kind}: write [[{kind}]]")
        return {}
    entries: dict[str, Entry] = {}
    for entry in table:
        entry_id = entry.get("id")
        if not isinstance(entry_id, str):
            problems.append(f"{kind}: an entry has no id. Add one")
        elif entry_id in entries:
            problems.append(f"{kind}.{entry_id}: stands there twice. Remove one")
        else:
            entries[entry_id] = entry
    return entries


def _find_problems(entries: Mapping[str, Mapping[str, Entry]]) -> Iterator[str]:
    for kind, parse in _PARSERS.items():
        for entry in entries[kind].values():
            try:
                parse(entry)
            except (ValueError, ConfigError) as error:
                yield str(error)


def _find_shared_cadences(digests: Mapping[str, Entry]) -> Iterator[str]:
    """A subscription names a cadence, not a digest: two digests of one cadence would mail each item twice."""
    first_of: dict[str, str] = {}
    for digest_id, entry in digests.items():
        first = first_of.setdefault(entry["cadence"], digest_id)
        if first != digest_id:
            yield (
                f"digests.{digest_id}.cadence: {first} is {entry['cadence']} already, and its readers would get "
                "each item twice. Keep one of them, or give this one another cadence"
            )


def _refuse_shared_cadences(
    known: Mapping[str, Entry], wanted: Mapping[str, Entry], *, name: str, prunes: bool
) -> None:
    active = wanted if prunes else {**known, **wanted}
    problems = [f"{name}: {problem}" for problem in _find_shared_cadences(active)]
    if problems:
        raise ConfigError("\n".join([*problems, "To end what the file does not name, use --prune"]))


def _compare(
    known: Mapping[str, Mapping[str, Entry]], wanted: Mapping[str, Mapping[str, Entry]], *, prunes: bool
) -> list[Difference]:
    differences = []
    for kind in KINDS:
        for entry_id, entry in wanted[kind].items():
            before = known[kind].get(entry_id)
            if before is None:
                differences.append(Difference("add", kind, entry_id))
            elif before != entry:
                differences.append(Difference("change", kind, entry_id, _describe_change(before, entry)))
        if prunes:
            differences += [
                Difference("end", kind, entry_id) for entry_id in known[kind] if entry_id not in wanted[kind]
            ]
        differences += _compare_order(kind, list(known[kind]), list(wanted[kind]), prunes=prunes)
    return differences


def _compare_order(kind: str, known: Sequence[str], wanted: Sequence[str], *, prunes: bool) -> Iterator[Difference]:
    stay = [entry_id for entry_id in known if entry_id in wanted or not prunes]
    after = [entry_id for entry_id in _in_order(stay, wanted) if entry_id in known]
    if stay != after:
        yield Difference("order", kind, details=(f"{', '.join(stay)} → {', '.join(after)}",))


def _in_order(known: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """What is named as it is named, then the rest."""
    return [*wanted, *(entry_id for entry_id in known if entry_id not in wanted)]


def _describe_change(before: Entry, after: Entry) -> tuple[str, ...]:
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return tuple(f"{key}: {before.get(key, '(none)')} → {after.get(key, '(none)')}" for key in keys)


def _make_so(
    tx: Connection, wanted: Mapping[str, Mapping[str, Entry]], *, differences: list[Difference], now: datetime
) -> None:
    for one in differences:
        if one.action == "end":
            store.end_entry(tx, one.kind, one.id, now=now)
    for kind in KINDS:
        for position, entry in enumerate(wanted[kind].values()):
            store.put_entry(tx, kind, entry, position=position)
            store.keep_ending(tx, kind, entry, now=now)
    for kind, entries in store.read_entries(tx).items():
        store.put_order(tx, kind, _in_order(list(entries), list(wanted[kind])))


def _keep_classified(app: App) -> None:
    """Classify all items by the rules as they are now, unless they are; what was ended half-way is done again."""
    with app.database.read() as tx:
        rules = store.read_rules_key(tx)
        if rules == store.read_classified_key(tx):
            return
    reclassify_items(app)
    with app.database.write() as tx:
        store.put_classified_key(tx, rules)
