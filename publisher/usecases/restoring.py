"""A restored database knows less than was sent: it sends nothing until staff have accepted it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from publisher.app import App
from publisher.errors import StateError, StoreError
from publisher.store import epoch
from publisher.store.editions import change_edition, list_editions
from publisher.store.epoch import Run
from publisher.store.lock import sender_lock
from publisher.store.uncertain import count_undelivered, doubt_pending
from publisher.usecases.opening import open_due_editions
from publisher.usecases.resolving import ResolveResult, resolve

HELD = "held: database restored; it may have been sent before. To send it: publisher digest resume {edition}"
HELD_OPEN = "held: database restored; it may have been sent before. Look at it, resume it, then approve it"


@dataclass(frozen=True, slots=True)
class HeldEdition:
    """An edition that would go by the restored database and is held."""

    edition: str
    state: str
    undelivered: int
    """Deliveries that had not ended by the restored database, before they were compared with the relay's log."""
    resolved: ResolveResult | None


def check_epoch(app: App) -> None:
    """StateError where the database is an older copy of the one that was sent from last; call it before a run."""
    run = epoch.read_run(app.database)
    with app.database.read() as tx:
        known = epoch.read_run_number(tx)
    if run is not None and known < run.number:
        raise StateError(
            f"{app.database.file} was restored from a copy: it knows of sending run {known}, the last one was "
            f"{run.number} at {run.at.isoformat()}. What was sent since would be sent again, so nothing is sent. "
            "See what would go, and hold it, with: publisher db accept-restore"
        )


def begin_run(app: App) -> int:
    """Write down that a sending run begins, in the database and then beside it; its number.

    A copy of the database made before it is known by its lower number from now on. Repeating it during a long run,
    and at its end, makes the copies made in between known too.
    """
    now = app.clock()
    with app.database.write() as tx:
        number = epoch.read_run_number(tx) + 1
        epoch.put_run_number(tx, number)
    epoch.write_run(app.database, Run(number, now))
    return number


def list_going(app: App) -> list[HeldEdition]:
    """Editions that would go, or wait for approval, by the database as it is; nothing is changed."""
    with app.database.read() as tx:
        return _list_going(tx)


def accept_restore(app: App) -> list[HeldEdition]:
    """Let the database be sent from again; every edition that is not done is held, each to be resumed by staff.

    Editions that are due by now are opened, so that they are held too: they may have been sent after the copy was
    made. Where there is a log of the relay, what had not ended is compared with it first: who has a message by it is
    not written to again, and what it cannot tell is ``uncertain``.
    """
    with sender_lock(app.database):
        last = _read_last_run(app)
        open_due_editions(app)
        now = app.clock()
        with app.database.write() as tx:
            going = _list_going(tx)
            for one in going:
                _hold(tx, app, one, last_sent_at=last.at if last else now, now=now)
        resolved = {one.edition: resolve(app, one.edition) for one in going if one.state == "planned"}
        _write_accepted(app, last)
    return [HeldEdition(one.edition, one.state, one.undelivered, resolved.get(one.edition)) for one in going]


def _hold(tx: Connection, app: App, one: HeldEdition, *, last_sent_at: datetime, now: datetime) -> None:
    outcome = HELD_OPEN if one.state == "open" else HELD.format(edition=one.edition)
    change_edition(tx, one.edition, paused_at=now, outcome=outcome)
    if one.state == "planned" and app.config.smtp.mail_log is not None:
        reason = "the database was restored; whether this was sent after its copy was made is not known"
        doubt_pending(tx, one.edition, at=last_sent_at, reason=reason)


def _list_going(tx: Connection) -> list[HeldEdition]:
    return [
        HeldEdition(one.id, one.state, count_undelivered(tx, one.id), None)
        for one in list_editions(tx, states=("open", "approved", "planned"))
    ]


def _read_last_run(app: App) -> Run | None:
    try:
        return epoch.read_run(app.database)
    except StoreError:  # staff say that it may be replaced
        return None


def _write_accepted(app: App, last: Run | None) -> None:
    """The next number after both, so that neither copy is taken for the last one again."""
    now = app.clock()
    with app.database.write() as tx:
        number = max(epoch.read_run_number(tx), last.number if last else 0) + 1
        epoch.put_run_number(tx, number)
    epoch.write_run(app.database, Run(number, last.at if last else now))
