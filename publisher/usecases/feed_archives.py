"""Archives of feeds (RFC 5005 §4): what a feed held is closed, fifty changes at a time, and never changes again.

An archive is a list of items with their versions, and the names it had when it was closed. Its bytes follow from that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from feeds.criteria import Criteria
from feeds.model import Item
from feeds.paths import ARCHIVED_FORMATS, Format, name_of
from feeds.translations import join_translations
from publisher.app import App
from publisher.errors import NotFoundError
from publisher.store.feed_records import (
    Archive,
    Change,
    add_archives,
    find_archive,
    find_unarchived,
    read_item_versions,
)
from publisher.store.feeds import put_archived_until, read_archived_until, select_changed
from publisher.usecases.catalogue import Catalogue, list_feeds, read_catalogue
from publisher.usecases.documents import Document
from publisher.usecases.feed_documents import Shown, render_documents
from publisher.usecases.feed_heads import describe_archive, freeze_head
from publisher.usecases.feed_notices import make_tombstones, show_withdrawals

ITEMS_PER_ARCHIVE = 50

MOST_SORTED = 1_000
"""Changed items that are sorted into feeds one by one; of more, every feed is looked at."""


def close_archives(app: App) -> int:
    """Close what is full; how many documents that are. May be repeated at will; each feed is one transaction."""
    now = app.clock()
    with app.database.read() as tx:
        since = read_archived_until(tx)
        changed = select_changed(tx, since=since, limit=MOST_SORTED + 1)
    if not changed:
        return 0
    catalogue = read_catalogue(app)
    closed = sum(_close(app, catalogue, criteria, now=now) for criteria in _affected(catalogue, changed))
    with app.database.write() as tx:
        put_archived_until(tx, max(item.updated_at for item in changed))
    return closed


def compile_archive(
    app: App, criteria: Criteria, number: int, *, formats: Sequence[Format] = ARCHIVED_FORMATS
) -> dict[Format, Document]:
    """That archive of the feed, always the same; NotFoundError where there is none, RenderError as for feeds."""
    name = name_of(criteria)
    with app.database.read() as tx:
        archive = find_archive(tx, name, number)
        if archive is None:
            raise NotFoundError(f"Feed {name} has no archive {number}")
        items = [_settle(item) for item in read_item_versions(tx, archive.entries)]
    info = describe_archive(app.config.site, archive.head, criteria=criteria, number=number, updated=archive.until[0])
    shown = Shown(info, show_withdrawals(items), make_tombstones(items), archive.closed_at)
    return render_documents(shown, formats)


def _affected(catalogue: Catalogue, changed: Sequence[Item]) -> Iterator[Criteria]:
    for criteria in list_feeds(catalogue):
        if len(changed) > MOST_SORTED or any(criteria.is_met_by(item) for item in changed):
            yield criteria


def _close(app: App, catalogue: Catalogue, criteria: Criteria, *, now: datetime) -> int:
    name = name_of(criteria)
    with app.database.write() as tx:
        last = find_archive(tx, name)
        changes = find_unarchived(tx, criteria, last, limit=None)
        full = [changes[start : start + ITEMS_PER_ARCHIVE] for start in range(0, len(changes), ITEMS_PER_ARCHIVE)]
        full = [part for part in full if len(part) == ITEMS_PER_ARCHIVE]
        head = freeze_head(app.config.site, catalogue, criteria)
        first = last.number + 1 if last else 1
        archives = [
            Archive(name, number, now, (part[-1].at, part[-1].item_id), head, _entries(part))
            for number, part in enumerate(full, start=first)
        ]
        add_archives(tx, archives)
    return len(archives)


def _entries(part: Sequence[Change]) -> list[tuple[int, int]]:
    """The last change first."""
    return [(change.item_id, change.version) for change in reversed(part)]


def _settle(item: Item) -> Item:
    """The item without what was learned of it later: its translations are those that its sources say."""
    return replace(item, translations=join_translations(item.language, (), item.alternates))
