"""Editions: open (freeze the items), approve, cancel, pause, resume."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from feeds.model import Item
from publisher.app import App
from publisher.errors import StateError
from publisher.store import editions as store
from publisher.store.deliveries import close_pending
from publisher.store.editions import Edition, FrozenItem
from publisher.store.frozen import freeze_item
from publisher.store.items import read_items
from publisher.store.newsroom import list_digests, read_digest
from subscribers.schedule import LONGEST_REACH, Digest, edition_name, previous_slot, slot_before

NOTHING_NEW = "skipped: nothing new"
WAITING = "held: waiting for approval"


def open_edition(
    app: App, digest_id: str, *, cut_off: datetime | None = None, since: datetime | None = None
) -> Edition:
    """Open an edition of that digest with everything released until ``cut_off`` (now) and freeze its items.

    Its window begins where the last one ended; the very first at ``since``, or one cadence before. StateError where
    the edition is there already. An edition without items is ``skipped``, and that is its outcome.
    """
    now = app.clock()
    with app.database.write() as tx:
        digest = read_digest(tx, digest_id).digest
        return _open(app, tx, _Opening(digest, cut_off or now, since, now))


def open_due_editions(app: App) -> list[Edition]:
    """Open what should exist by now and does not. May be repeated: what is there stays."""
    now = app.clock()
    opened = []
    with app.database.write() as tx:
        for numbered in list_digests(tx):
            slot = slot_before(numbered.digest, now, app.config.site.zone)
            if _is_missing(tx, numbered.digest, slot, app=app):
                opened.append(_open(app, tx, _Opening(numbered.digest, slot, None, now)))
    return opened


def approve(app: App, edition_id: str, *, actor: str) -> Edition:
    """Approve the edition's content as it is now. Repeating it changes nothing."""
    with app.database.write() as tx:
        edition = _renew_hash(app, tx, store.read_edition(tx, edition_id))
        if edition.is_approved:
            return edition
        if edition.state != "open":
            raise StateError(f"{edition_id} is {edition.state}; only an open edition can be approved")
        _approve(tx, edition, actor=actor, now=app.clock())
        return store.read_edition(tx, edition_id)


def void_changed_approval(app: App, edition_id: str) -> None:
    """Take an approval back where what every reader sees has changed since; planning asks for this first."""
    with app.database.write() as tx:
        _renew_hash(app, tx, store.read_edition(tx, edition_id))


def cancel(app: App, edition_id: str, *, actor: str) -> Edition:
    """Nothing more of this edition is sent; what is in flight ends as it ends."""
    outcome, now = f"cancelled by {actor}", app.clock()
    with app.database.write() as tx:
        edition = _change(tx, edition_id, state="cancelled", outcome=outcome)
        close_pending(tx, edition_id, state="cancelled", reply=outcome, now=now)
    return edition


def pause(app: App, edition_id: str, *, actor: str) -> Edition:
    """Hold the edition: no new message begins until it is resumed."""
    now = app.clock()
    with app.database.write() as tx:
        return _change(tx, edition_id, paused_at=now, outcome=f"held: paused by {actor}")


def resume(app: App, edition_id: str) -> Edition:
    """End a pause."""
    with app.database.write() as tx:
        is_open = store.read_edition(tx, edition_id).state == "open"
        return _change(tx, edition_id, paused_at=None, outcome=WAITING if is_open else None)


def list_all(app: App) -> list[Edition]:
    """All editions, newest cut-off first."""
    with app.database.read() as tx:
        return store.list_editions(tx)


def count_items(app: App, edition_id: str) -> int:
    """How many items an edition holds."""
    with app.database.read() as tx:
        return len(store.read_frozen_items(tx, edition_id))


def content_hash(app: App, digest: Digest, items: Sequence[Item]) -> str:
    """What staff approve: the frozen items and everything else that every reader sees."""
    site = app.config.site
    seen = [digest.title, site.name, site.postal_address, site.base_url, [freeze_item(item) for item in items]]
    return hashlib.sha256(json.dumps(seen, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Opening:
    digest: Digest
    cut_off: datetime
    since: datetime | None
    """Where the very first window begins."""
    now: datetime


def _open(app: App, tx: Connection, opening: _Opening) -> Edition:
    digest, cut_off = opening.digest, opening.cut_off
    earlier = store.list_editions(tx, digest_id=digest.id)
    name = edition_name(digest, cut_off, app.config.site.zone)
    _refuse_twice(earlier, name, cut_off=cut_off)
    start = _window_start(opening, earlier, app.config.site.zone)
    reach_start = _reach(tx, digest, earlier, start=start)
    frozen = _freeze(
        tx,
        digest,
        reach_start=reach_start,
        window=(start, cut_off),
        floor=earlier[-1].window_start if earlier else start,
    )
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
        content_hash=content_hash(app, digest, [one.item for one in frozen]),
    )
    store.add_edition(tx, edition, frozen)
    if frozen and digest.approval == "automatic":
        _approve(tx, edition, actor="automatic", now=opening.now)
    return store.read_edition(tx, name)


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
    earlier = store.list_editions(tx, digest_id=digest.id)
    name = edition_name(digest, slot, app.config.site.zone)
    if any(edition.id == name for edition in earlier) or (earlier and slot <= earlier[0].window_end):
        return False
    if digest.cadence == "immediate":
        start = earlier[0].window_end if earlier else slot - timedelta(days=1)
        return bool(store.find_item_releases(tx, digest_id=digest.id, reach_start=start, before=slot))
    return True


def _reach(tx: Connection, digest: Digest, earlier: Sequence[Edition], *, start: datetime) -> datetime:
    """From when on items are frozen: the window's start, or earlier where new subscriptions are owed older items."""
    if not earlier:
        return start
    debt = store.find_oldest_debt(tx, cadence=digest.cadence, since=earlier[0].opened_at, before=start)
    return start if debt is None else max(debt, start - LONGEST_REACH, earlier[-1].window_start)


def _freeze(
    tx: Connection, digest: Digest, *, reach_start: datetime, window: tuple[datetime, datetime], floor: datetime
) -> list[FrozenItem]:
    """The items of the window, those owed from before it, and late ones: released before it, yet in no earlier edition.

    A release is stamped before it is committed, so one may become visible only after the edition of its window was
    opened. Such an item counts as released at the start of this window.
    """
    start, end = window
    oldest = max(min(reach_start, start - LONGEST_REACH), floor)
    releases = store.find_item_releases(tx, digest_id=digest.id, reach_start=oldest, before=end)
    owed = {
        item_id: released_at if is_old else max(released_at, start)
        for item_id, released_at, is_old in releases
        if released_at >= reach_start or not is_old
    }
    items = read_items(tx, list(owed))
    return sorted((FrozenItem(item, owed[item.id]) for item in items), key=lambda one: (one.released_at, one.item.id))


def _approve(tx: Connection, edition: Edition, *, actor: str, now: datetime) -> None:
    store.change_edition(
        tx,
        edition.id,
        state="approved",
        approved_hash=edition.content_hash,
        approved_by=actor,
        approved_at=now,
        outcome=None,
    )


def _renew_hash(app: App, tx: Connection, edition: Edition) -> Edition:
    """The edition with the hash of its content as it is now, and waiting again where it was approved with another."""
    if edition.state not in ("open", "approved"):
        return edition
    digest = read_digest(tx, edition.digest_id).digest
    current = content_hash(app, digest, [one.item for one in store.read_frozen_items(tx, edition.id)])
    if current == edition.content_hash:
        return edition
    renewed = _change(tx, edition.id, content_hash=current, state="open", outcome=WAITING)
    if digest.approval == "automatic":
        _approve(tx, renewed, actor="automatic", now=app.clock())
    return store.read_edition(tx, edition.id)


def _change(tx: Connection, edition_id: str, **values: object) -> Edition:
    edition = store.read_edition(tx, edition_id)
    if edition.state not in ("open", "approved", "planned"):
        raise StateError(f"{edition_id} is {edition.state}; that cannot be changed any more")
    store.change_edition(tx, edition_id, **values)
    return replace(edition, **values)  # type: ignore[arg-type]  # columns and fields have the same names
