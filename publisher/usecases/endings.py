"""An edition before and after a run of the sender: what of it is to be sent, and how it ends."""

from datetime import timedelta

from sqlalchemy import Connection

from publisher.app import App
from publisher.errors import StateError
from publisher.store import deliveries as ledger
from publisher.store.editions import change_edition, forget_errors, read_edition
from publisher.store.newsroom import read_digest
from publisher.usecases.intents import NOT_SENT_ANY_MORE
from publisher.usecases.run import Sending
from subscribers.schedule import expires_at

RETRY_PAUSE = timedelta(minutes=1)
"""After an edition could not be sent, the service leaves it alone for so long."""


def prepare(app: App, edition_id: str) -> Sending | None:
    """Expire what is too old; the edition where something of it is to be sent."""
    now = app.clock()
    with app.database.write() as tx:
        edition = read_edition(tx, edition_id)
        if edition.state in ("open", "approved"):
            raise StateError(f"{edition_id} is not planned. Run: publisher digest plan {edition_id}")
        digest = read_digest(tx, edition.digest_id)
        expiry = expires_at(digest.digest, edition.window_end)
        forget_errors(tx, edition_id)
        if edition.state == "cancelled":
            ledger.close_pending(tx, edition_id, state="cancelled", reply=edition.outcome or "", now=now)
        elif now >= expiry:
            ledger.close_pending(tx, edition_id, state="expired", reply=NOT_SENT_ANY_MORE, now=now)
        pending = _close(tx, app, edition_id)
    if not (edition.state == "planned" and pending):
        return None
    return Sending(edition_id, digest.number, digest.digest.cadence, edition.window_end, expiry, pending)


def close_when_done(app: App, edition_id: str, trouble: str | None) -> None:
    """Write down how the run ended for an edition, and close it where nothing of it is pending."""
    with app.database.write() as tx:
        edition = read_edition(tx, edition_id)
        if edition.state == "cancelled":  # while this run had messages in flight
            ledger.close_pending(tx, edition_id, state="cancelled", reply=edition.outcome or "", now=app.clock())
        elif edition.state == "planned" and edition.paused_at is None:
            retry_at = app.clock() + RETRY_PAUSE if trouble else None
            change_edition(tx, edition_id, outcome=_held(trouble), retry_at=retry_at)
        _close(tx, app, edition_id)


def _held(trouble: str | None) -> str | None:
    return trouble and (trouble if trouble.startswith("held: ") else f"held: {trouble}")


def _close(tx: Connection, app: App, edition_id: str) -> int:
    """An edition with nothing pending is done, and says how it ended. How much is pending."""
    states = ledger.count_states(tx, edition_id)
    pending = sum(states.get(state, 0) for state in ledger.PENDING)
    if not pending and read_edition(tx, edition_id).state == "planned":
        outcome = ", ".join(f"{count} {state}" for state, count in states.items())
        change_edition(tx, edition_id, state="done", outcome=outcome, done_at=app.clock())
    return pending
