"""What became of messages, written down: states, events, suppressions, and what it says of relays and providers."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from publisher.store import deliveries as ledger
from publisher.store.deliveries import Change
from publisher.store.editions import change_edition
from publisher.store.mailboxes import read_endings
from publisher.store.subscribers import suppress
from publisher.usecases.run import Finished, Run, domain_of
from subscribers.lanes import Lane
from subscribers.mailboxes import is_given_up
from subscribers.replies import Kind, Verdict, retry_pause


def record(tx: Connection, run: Run, finished: Sequence[Finished], *, now: datetime) -> list[Lane]:
    """Record outcomes; the relays and providers that are left alone from now on."""
    if not finished:
        return []
    telling = [one for one in finished if one.outcome.verdict.state not in ("sent", "planned")]
    held = ledger.find_held(tx, [one.claim.id for one in telling], fence=run.fence) if telling else set()
    ledger.settle(tx, [_change(one, now) for one in finished], fence=run.fence, now=now)
    # A run that was taken for dead changes nothing else either.
    telling = [one for one in telling if one.claim.id in held]
    ledger.record_events(tx, [_change(one, now) for one in telling], now)
    for one in telling:
        _act(tx, run, one, now=now)
    return _learn(tx, run, finished, now=now)


def _act(tx: Connection, run: Run, finished: Finished, *, now: datetime) -> None:
    verdict, claim = finished.outcome.verdict, finished.claim
    if verdict.is_address_dead or (verdict.kind is Kind.MAILBOX and is_given_up(read_endings(tx, claim.id))):
        suppress(tx, run.app.secret, delivery_id=claim.id, reason="bounce", now=now)
    if verdict.pauses_run and ledger.read_gate(tx, claim.edition_id).state == "planned":
        outcome = f"held: the server refuses our mail ({finished.outcome.reply[:3]}; see the report of deliveries)"
        change_edition(tx, claim.edition_id, paused_at=now, outcome=outcome)


def _change(finished: Finished, now: datetime) -> Change:
    verdict = finished.outcome.verdict
    attempts = finished.claim.attempts + (verdict.state != "planned")
    due = now + retry_pause(attempts, verdict.kind) if verdict.state == "deferred" else None
    return Change(finished.claim.id, verdict.state, finished.outcome.reply, attempts=attempts, next_attempt_at=due)


def _learn(tx: Connection, run: Run, finished: Sequence[Finished], *, now: datetime) -> list[Lane]:
    heard: dict[str, list[tuple[str, Verdict]]] = {}
    for one in finished:
        heard.setdefault(one.relay, []).append((domain_of(one.claim), one.outcome.verdict))
    return [lane for relay, said in heard.items() for lane in run.pacer.learn(tx, relay, said, now=now)]
