"""The sender's dealings with the ledger: claim, begin, record. Each call is one short transaction."""

import uuid
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from publisher.app import App
from publisher.failpoints import passing
from publisher.mail.frame import Frame
from publisher.store import deliveries as ledger
from publisher.store.deliveries import Change, Claim, Standing
from publisher.store.editions import change_edition, read_frames
from publisher.store.subscribers import suppress
from publisher.transport.smtp import Outcome
from publisher.usecases.addressing import may_get_mail
from subscribers.replies import Verdict, retry_pause


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds claims: one run of the sender on one edition. Its fence rejects a run that was taken for dead."""

    app: App
    edition_id: str
    cadence: str
    fence: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Finished:
    """A claim that was tried, with what became of it."""

    claim: Claim
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Begun:
    """What may go to the wire after an exchange."""

    claims: list[Claim]
    refused: int = 0
    """How many were settled without being tried."""
    hold: str | None = None
    """Why no message of this edition may begin now."""


def claim_chunk(holder: Holder, *, limit: int) -> list[Claim]:
    """Claim what is due, variant by variant."""
    with holder.app.database.write() as tx:
        claims = ledger.claim(tx, holder.edition_id, fence=holder.fence, now=holder.app.clock(), limit=limit)
    passing("send-after-claim")
    return claims


def load_frames(holder: Holder, variant_ids: Collection[int]) -> dict[int, Frame]:
    """The message frames of these variants."""
    if not variant_ids:
        return {}
    with holder.app.database.read() as tx:
        packed = read_frames(tx, variant_ids)
    return {variant_id: Frame.from_bytes(zlib.decompress(frame)) for variant_id, frame in packed.items()}


def exchange(holder: Holder, finished: Sequence[Finished], group: Sequence[Claim]) -> Begun:
    """Record what finished and begin what may begin, in one transaction.

    Consent, suppression, approval and pause are read again in it: nothing that ended before it is begun by it.
    """
    now = holder.app.clock()
    with holder.app.database.write() as tx:
        _record(tx, holder, finished, now=now)
        begun = _begin(tx, holder, group, now=now) if group else Begun([])
    passing("send-after-outcome")
    return begun


def find_veto(holder: Holder, claim: Claim) -> Outcome | None:
    """Why the body of an intent that has waited must not begin; None where it may."""
    with holder.app.database.read() as tx:
        hold = _find_hold(tx, holder)
        reason = next(
            (_refusal(one) for one in ledger.read_standings(tx, [claim.id], cadence=holder.cadence)), "erased"
        )
    if reason is not None:
        return Outcome(Verdict("suppressed"), reason)
    return None if hold is None else Outcome(Verdict("deferred"), hold)


def give_back(holder: Holder) -> None:
    """Let go of claims that were not begun."""
    with holder.app.database.write() as tx:
        ledger.release(tx, fence=holder.fence)


def _record(tx: Connection, holder: Holder, finished: Sequence[Finished], *, now: datetime) -> None:
    telling = [one for one in finished if one.outcome.verdict.state not in ("sent", "planned")]
    held = ledger.find_held(tx, [one.claim.id for one in telling], fence=holder.fence) if telling else set()
    ledger.settle(tx, [_change(one, now) for one in finished], fence=holder.fence, now=now)
    # A run that was taken for dead changes nothing else either.
    telling = [one for one in telling if one.claim.id in held]
    ledger.record_events(tx, [_change(one, now) for one in telling], now)
    for one in telling:
        if one.outcome.verdict.is_address_dead:
            suppress(tx, holder.app.secret, delivery_id=one.claim.id, reason="bounce", now=now)
        if one.outcome.verdict.pauses_run:
            outcome = f"held: the server refuses our mail ({one.outcome.reply[:3]}; see the report of deliveries)"
            change_edition(tx, holder.edition_id, paused_at=now, outcome=outcome)


def _change(finished: Finished, now: datetime) -> Change:
    verdict = finished.outcome.verdict
    attempts = finished.claim.attempts + (verdict.state != "planned")
    due = now + retry_pause(attempts) if verdict.state == "deferred" else None
    return Change(finished.claim.id, verdict.state, finished.outcome.reply, attempts=attempts, next_attempt_at=due)


def _begin(tx: Connection, holder: Holder, group: Sequence[Claim], *, now: datetime) -> Begun:
    hold = _find_hold(tx, holder)
    if hold is not None:
        return Begun([], hold=hold)
    refused = _find_refused(tx, holder, group)
    changes = [
        Change(claim.id, "suppressed", refused[claim.id], attempts=claim.attempts)
        for claim in group
        if claim.id in refused
    ]
    ledger.settle(tx, changes, fence=holder.fence, now=now)
    wanted = [claim.id for claim in group if claim.id not in refused]
    begun = set(ledger.begin(tx, wanted, fence=holder.fence, now=now))
    return Begun([claim for claim in group if claim.id in begun], refused=len(refused))


def _find_hold(tx: Connection, holder: Holder) -> str | None:
    gate = ledger.read_gate(tx, holder.edition_id)
    if gate.state != "planned" or gate.is_paused:
        return gate.outcome or f"{holder.edition_id} is {gate.state}"
    return None if gate.is_approved else f"{holder.edition_id} is not approved any more"


def _find_refused(tx: Connection, holder: Holder, group: Sequence[Claim]) -> dict[int, str]:
    standings = ledger.read_standings(tx, [claim.id for claim in group], cadence=holder.cadence)
    refused = {one.delivery_id: reason for one in standings if (reason := _refusal(one)) is not None}
    barred = {claim.id: "not in mail.only_to" for claim in group if not may_get_mail(holder.app, claim.email)}
    return barred | refused


def _refusal(standing: Standing) -> str | None:
    if standing.status != "confirmed":
        return f"the subscriber is {standing.status}"
    if standing.is_suppressed:
        return "the address is suppressed"
    return None if standing.is_subscribed else "the subscription has ended"
