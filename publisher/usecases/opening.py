"""Opening editions: their windows, and the items frozen into them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from publisher.app import App
from publisher.errors import StateError
from publisher.store import editions as store
from publisher.store.editions import Edition, FrozenItem
from publisher.store.items import read_items
from publisher.store.newsroom import list_digests, read_digest
from publisher.usecases.content import content_hash, read_content
from publisher.usecases.editions import WAITING, record_approval
from subscribers.schedule import LONGEST_REACH, Digest, edition_name, previous_slot, slot_before

NOTHING_NEW = "skipped: nothing new"


def open_edition(
    app: App, digest_id: str, *, cut_off: datetime | None = None, since: datetime | None = None
) -> Edition:
    """Open an edition of that digest with everything released until ``cut_off`` (now) and freeze its items.

    Its window begins where the last one of its cadence ended; the very first at ``since``, or one cadence before.
    StateError where the edition is there already, or ``cut_off`` lies more than a month ahead. An edition without
    items is ``skipped``, and that is its outcome; it gives way to a later one of the same day.
    """
    with app.database.write() as tx:
        digest, now = read_digest(tx, digest_id).digest, app.clock()
        _refuse_far(digest, cut_off or now, now=now)
        return _open(app, tx, _Opening(digest, cut_off or now, since, now))


def open_due_editions(app: App) -> list[Edition]:
    """Open what should exist by now and does not. May be repeated: what is there stays."""
    opened = []
    with app.database.write() as tx:
        now = app.clock()
        for numbered in list_digests(tx):
            slot = slot_before(numbered.digest, now, app.config.site.zone)
            if _is_missing(tx, numbered.digest, slot, app=app):
                opened.append(_open(app, tx, _Opening(numbered.digest, slot, None, now)))
    return opened


def count_backlog(app: App) -> int:
    """How many items are in feeds only: they were there when their source was first collected."""
    with app.database.read() as tx:
        return store.count_unreleased(tx)


@dataclass(frozen=True, slots=True)
class _Opening:
    digest: Digest
    cut_off: datetime
    since: datetime | None
    """Where the very first window begins."""
    now: datetime


def _refuse_far(digest: Digest, cut_off: datetime, *, now: datetime) -> None:
    """Until a cut-off has passed no other edition can be opened."""
    if cut_off > now + LONGEST_REACH:
        raise StateError(
            f"{cut_off.isoformat()} lies more than a month ahead and would hold back all editions of {digest.id} until "
            "then. Use an earlier --now"
        )


def _open(app: App, tx: Connection, opening: _Opening) -> Edition:
    digest, cut_off = opening.digest, opening.cut_off
    lineage = store.list_digest_ids(tx, digest.cadence)
    name = edition_name(digest, cut_off, app.config.site.zone)
    opening, earlier = _make_way(tx, opening, store.list_editions(tx, digest_ids=lineage), name=name)
    _refuse_twice(earlier, name, cut_off=cut_off)
    start = _window_start(opening, earlier, app.config.site.zone)
    reach_start = _reach(tx, digest, earlier, start=start)
    floor = earlier[-1].window_start if earlier else start
    frozen = _freeze(tx, lineage, reach_start=reach_start, window=(start, cut_off), floor=floor)
    edition = Edition(
        id=name,
        digest_id=digest.id,
        window_start=start,
        window_end=cut_off,
        reach_start=reach_start,
        opened_at=opening.now,
        state="open" if frozen else "skipped",
        outcome=WAITING if frozen else NOTHING_NEW,
        planned_at=None if frozen else opening.now,
        content_hash=content_hash(app, read_content(tx, digest.id, [one.item for one in frozen])),
    )
    store.add_edition(tx, edition, frozen)
    if frozen and digest.approval == "automatic":
        record_approval(tx, edition, actor="automatic", now=opening.now)
    return store.read_edition(tx, name)


def _make_way(
    tx: Connection, opening: _Opening, earlier: Sequence[Edition], *, name: str
) -> tuple[_Opening, Sequence[Edition]]:
    """Without the last edition where that was skipped and gives way; the new one begins where it began."""
    if not earlier or not _gives_way(earlier[0], name, cut_off=opening.cut_off, now=opening.now):
        return opening, earlier
    skipped, *others = earlier
    store.remove_skipped(tx, skipped.id)
    if skipped.window_start < opening.cut_off:
        opening = replace(opening, since=skipped.window_start)
    return opening, others


def _gives_way(last: Edition, name: str, *, cut_off: datetime, now: datetime) -> bool:
    """Whether an edition that was skipped stands in the way: by the name of its day, or by a cut-off still to come."""
    is_of_that_day = last.id == name and last.window_end < cut_off
    return last.state == "skipped" and (is_of_that_day or last.window_end > now)


def _window_start(opening: _Opening, earlier: Sequence[Edition], zone: ZoneInfo) -> datetime:
    if earlier:
        return earlier[0].window_end
    start = opening.since or previous_slot(opening.digest, opening.cut_off, zone)
    if start >= opening.cut_off:
        raise StateError(
            f"The window of {opening.digest.id} would begin at {start.isoformat()}, after its cut-off "
            f"{opening.cut_off.isoformat()}. Use an earlier --since"
        )
    return start


def _refuse_twice(earlier: Sequence[Edition], name: str, *, cut_off: datetime) -> None:
    if any(edition.id == name for edition in earlier):
        raise StateError(f"{name} is there already. See: publisher digest report {name}")
    if earlier and cut_off <= earlier[0].window_end:
        raise StateError(
            f"{name}: {earlier[0].id} already reaches to {earlier[0].window_end.isoformat()}. Use a later --now"
        )


def _is_missing(tx: Connection, digest: Digest, slot: datetime, *, app: App) -> bool:
    lineage = store.list_digest_ids(tx, digest.cadence)
    earlier = store.list_editions(tx, digest_ids=lineage)
    name = edition_name(digest, slot, app.config.site.zone)
    if earlier and _gives_way(earlier[0], name, cut_off=slot, now=app.clock()):
        earlier = earlier[1:]
    if any(edition.id == name for edition in earlier) or (earlier and slot <= earlier[0].window_end):
        return False
    if digest.cadence == "immediate":
        start = earlier[0].window_end if earlier else slot - timedelta(days=1)
        return bool(store.find_item_releases(tx, lineage, reach_start=start, before=slot))
    return True


def _reach(tx: Connection, digest: Digest, earlier: Sequence[Edition], *, start: datetime) -> datetime:
    """From when on items are frozen: the window's start, or earlier where new subscriptions are owed older items."""
    if not earlier:
        return start
    debt = store.find_oldest_debt(tx, cadence=digest.cadence, since=earlier[0].opened_at, before=start)
    return start if debt is None else max(debt, start - LONGEST_REACH, earlier[-1].window_start)


def _freeze(
    tx: Connection,
    digest_ids: Sequence[str],
    *,
    reach_start: datetime,
    window: tuple[datetime, datetime],
    floor: datetime,
) -> list[FrozenItem]:
    """The items of the window, those owed from before it, and late ones: released before it, yet in no earlier edition.

    A release is stamped before it is committed, so one may become visible only after the edition of its window was
    opened. Such an item counts as released at the start of this window.
    """
    start, end = window
    oldest = max(min(reach_start, start - LONGEST_REACH), floor)
    releases = store.find_item_releases(tx, digest_ids, reach_start=oldest, before=end)
    owed = {
        item_id: released_at if is_old else max(released_at, start)
        for item_id, released_at, is_old in releases
        if released_at >= reach_start or not is_old
    }
    items = read_items(tx, list(owed))
    return sorted((FrozenItem(item, owed[item.id]) for item in items), key=lambda one: (one.released_at, one.item.id))
