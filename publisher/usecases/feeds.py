"""Feeds: their documents, compiled from items."""

from collections.abc import Sequence
from dataclasses import replace

import structlog
from sqlalchemy import Connection

from feeds.criteria import Criteria
from feeds.model import Item
from feeds.paths import FORMATS, Address, Format, name_of
from publisher.app import App
from publisher.errors import PublisherError, RenderError
from publisher.store.feed_records import (
    clear_problem,
    find_archive,
    find_unarchived,
    has_problem,
    list_problems,
    put_problem,
)
from publisher.store.feeds import select_dated_items, select_feed_items, select_withdrawn
from publisher.store.items import read_items
from publisher.usecases.catalogue import Catalogue, criteria_of, list_feeds, read_catalogue
from publisher.usecases.documents import Document
from publisher.usecases.feed_archives import ITEMS_PER_ARCHIVE, compile_archive
from publisher.usecases.feed_documents import Shown, render_documents
from publisher.usecases.feed_heads import describe_feed, title_feed
from publisher.usecases.feed_notices import make_ending, make_tombstones, show_withdrawals

__all__ = [
    "ITEMS_PER_FEED",
    "Catalogue",
    "compile_feed",
    "compile_formats",
    "compile_together",
    "criteria_of",
    "list_feed_problems",
    "list_feeds",
    "read_catalogue",
    "title_feed",
]

ITEMS_PER_FEED = 50
ITEMS_PER_CALENDAR = 200
TOMBSTONES_PER_FEED = 50

_log = structlog.get_logger(__name__)


def compile_feed(app: App, catalogue: Catalogue, *, address: Address) -> Document:
    """The document at that address; RenderError where it cannot be made."""
    return compile_together(app, catalogue, address=address)[address]


def compile_together(
    app: App, catalogue: Catalogue, *, address: Address, also: Sequence[Format] = ()
) -> dict[Address, Document]:
    """The document at that address, and the same feed in other formats as well: most of the work is done once.

    RenderError where one cannot be made.
    """
    formats = [address.format, *(form for form in also if form != address.format)]
    if address.archive is not None:
        made = compile_archive(app, address.criteria, address.archive, formats=formats)
    else:
        made = compile_formats(app, catalogue, criteria=address.criteria, formats=formats)
    return {replace(address, format=form): document for form, document in made.items()}


def compile_formats(
    app: App, catalogue: Catalogue, *, criteria: Criteria, formats: Sequence[Format] = FORMATS
) -> dict[Format, Document]:
    """One feed in several formats, of the same items; a calendar is of those that give days.

    RenderError where one cannot be made, and staff are told.
    """
    name = name_of(criteria)
    with app.database.read() as tx:
        items = _select(tx, criteria, is_archived=name in catalogue.archives)
        dated = select_dated_items(tx, criteria, limit=ITEMS_PER_CALENDAR) if "ics" in formats else []
        withdrawn = select_withdrawn(tx, criteria, limit=TOMBSTONES_PER_FEED)
        had_problem = has_problem(tx, name)
    try:
        refuse_strangers([*items, *dated, *withdrawn], criteria)
        shown = show_withdrawals(items)
        ending = make_ending(app.config.site, criteria, catalogue.retired)
        shown = [ending, *shown] if ending else shown
        info = describe_feed(app.config, catalogue, criteria=criteria, items=shown)
        # Not dated by the items it holds: one that leaves a feed would put its date back.
        feed = Shown(info, shown, make_tombstones(withdrawn), catalogue.dated_at)
        documents = render_documents(feed, [form for form in formats if form != "ics"])
        if "ics" in formats:
            documents |= render_documents(replace(feed, items=show_withdrawals(dated)), ["ics"])
    except RenderError as error:
        _keep_problem(app, name, str(error))
        raise
    if had_problem:
        _keep_problem(app, name, "")
    return documents


def list_feed_problems(app: App) -> list[tuple[str, str]]:
    """The feeds whose last good version stays, and why."""
    with app.database.read() as tx:
        return list_problems(tx)


def _select(tx: Connection, criteria: Criteria, *, is_archived: bool) -> list[Item]:
    """The newest items; of an archived feed also what changed since its last archive, so that nothing falls between."""
    items = select_feed_items(tx, criteria, limit=ITEMS_PER_FEED)
    if not is_archived:
        return items
    changes = find_unarchived(tx, criteria, find_archive(tx, name_of(criteria)), limit=ITEMS_PER_ARCHIVE)
    shown = {item.id for item in items}
    items += read_items(tx, [change.item_id for change in changes if change.item_id not in shown])
    return sorted(items, key=lambda item: (item.published_at, item.id), reverse=True)


def refuse_strangers(items: Sequence[Item], criteria: Criteria) -> None:
    """RenderError where one does not meet them: statements that select items must mean what the criteria mean."""
    strangers = [item.id for item in items if not criteria.is_met_by(item)]
    if strangers:
        raise RenderError(f"Feed {name_of(criteria)} would show item {strangers[0]}, which it did not ask for")


def _keep_problem(app: App, name: str, problem: str) -> None:
    """Tell staff what is wrong with the feed, or (an empty text) that nothing is any more."""
    if problem:
        _log.error("feed refused", feed=name, problem=problem)
    try:
        with app.database.write() as tx:
            put_problem(tx, name, problem, now=app.clock()) if problem else clear_problem(tx, name)
    except PublisherError as error:
        _log.warning("problem of a feed could not be kept", feed=name, error=str(error))
