"""Editions once they are open: approve, cancel, pause, resume."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from publisher.app import App
from publisher.errors import StateError
from publisher.store import editions as store
from publisher.store.deliveries import close_pending
from publisher.store.editions import Edition
from publisher.store.newsroom import read_digest
from publisher.store.pace import let_try_again
from publisher.usecases.content import content_hash, read_content

WAITING = "held: waiting for approval"
CHANGED = "held: its titles, sender or site changed since it was approved"

_CHANGEABLE = ("open", "approved", "planned")


def approve(app: App, edition_id: str, *, actor: str) -> Edition:
    """Approve the edition's content as it is now. Repeating it changes nothing."""
    with app.database.write() as tx:
        edition = store.read_edition(tx, edition_id)
        if edition.state == "done":
            return edition
        if edition.state not in _CHANGEABLE:
            raise StateError(f"{edition_id} is {edition.state}; only an open edition can be approved")
        current = _hash_now(app, tx, edition)
        if edition.approved_hash == edition.content_hash == current:
            return edition
        record_approval(tx, replace(edition, content_hash=current), actor=actor, now=app.clock())
        return store.read_edition(tx, edition_id)


def void_changed_approval(app: App, edition_id: str) -> None:
    """Take an approval back where what every reader sees has changed since; planning asks for this first."""
    with app.database.write() as tx:
        edition = store.read_edition(tx, edition_id)
        if edition.state not in ("open", "approved"):
            return
        current = _hash_now(app, tx, edition)
        if current != edition.content_hash:
            waiting = _change(tx, edition_id, content_hash=current, state="open", outcome=_hold(edition, WAITING))
            _approve_automatic(app, tx, waiting)


def require_approval(app: App, edition_id: str) -> None:
    """StateError, and the edition says so, where a planned edition would now be rendered other than approved."""
    with app.database.write() as tx:
        edition = store.read_edition(tx, edition_id)
        current = _hash_now(app, tx, edition)
        if current == edition.approved_hash or _approve_automatic(app, tx, replace(edition, content_hash=current)):
            return
        store.change_edition(tx, edition_id, outcome=_hold(edition, CHANGED))
    raise StateError(
        f"{edition_id} is {CHANGED}. Change it back, or look at it with: publisher digest preview {edition_id}; "
        f"then: publisher digest approve {edition_id}"
    )


def record_approval(tx: Connection, edition: Edition, *, actor: str, now: datetime) -> None:
    """Write down that ``edition.content_hash`` is approved; a pause goes on, and so does what it says."""
    store.change_edition(
        tx,
        edition.id,
        state="planned" if edition.state == "planned" else "approved",
        content_hash=edition.content_hash,
        approved_hash=edition.content_hash,
        approved_by=actor,
        approved_at=now,
        outcome=_hold(edition, None),
    )


def cancel(app: App, edition_id: str, *, actor: str) -> Edition:
    """Nothing more of this edition is sent; what is in flight ends as it ends."""
    outcome = f"cancelled by {actor}"
    with app.database.write() as tx:
        edition = _change(tx, edition_id, state="cancelled", outcome=outcome)
        close_pending(tx, edition_id, state="cancelled", reply=outcome, now=app.clock())
    return edition


def pause(app: App, edition_id: str, *, actor: str) -> Edition:
    """Hold the edition: no new message begins until it is resumed."""
    with app.database.write() as tx:
        return _change(tx, edition_id, paused_at=app.clock(), outcome=f"held: paused by {actor}")


def resume(app: App, edition_id: str) -> Edition:
    """End a pause. Relays and providers that were left alone are tried again, one message first."""
    with app.database.write() as tx:
        is_open = store.read_edition(tx, edition_id).state == "open"
        let_try_again(tx, app.clock())
        return _change(tx, edition_id, paused_at=None, outcome=WAITING if is_open else None)


def list_all(app: App) -> list[Edition]:
    """All editions, newest cut-off first."""
    with app.database.read() as tx:
        return store.list_editions(tx)


def count_items(app: App, edition_id: str) -> int:
    """How many items an edition holds."""
    with app.database.read() as tx:
        return len(store.read_frozen_items(tx, edition_id))


def _hash_now(app: App, tx: Connection, edition: Edition) -> str:
    items = [one.item for one in store.read_frozen_items(tx, edition.id)]
    return content_hash(app, read_content(tx, edition.digest_id, items))


def _approve_automatic(app: App, tx: Connection, edition: Edition) -> bool:
    is_automatic = read_digest(tx, edition.digest_id).digest.approval == "automatic"
    if is_automatic:
        record_approval(tx, edition, actor="automatic", now=app.clock())
    return is_automatic


def _hold(edition: Edition, outcome: str | None) -> str | None:
    """A paused edition goes on saying who paused it."""
    return edition.outcome if edition.paused_at else outcome


def _change(tx: Connection, edition_id: str, **values: object) -> Edition:
    edition = store.read_edition(tx, edition_id)
    if edition.state not in _CHANGEABLE:
        raise StateError(f"{edition_id} is {edition.state}; that cannot be changed any more")
    store.change_edition(tx, edition_id, **values)
    return replace(edition, **values)  # type: ignore[arg-type]  # columns and fields have the same names
