"""The sender's dealings with the ledger: claim, begin, record. Each call is one short transaction."""

import time
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection

from publisher.app import App
from publisher.errors import StateError
from publisher.failpoints import passing
from publisher.mail.frame import Frame
from publisher.store import deliveries as ledger
from publisher.store.deliveries import Change, Claim, Standing
from publisher.store.editions import change_edition, read_frames
from publisher.store.leases import LEASE, renew_lease
from publisher.store.subscribers import suppress
from publisher.transport.messages import Outcome
from publisher.usecases.addressing import may_get_mail
from subscribers.replies import Verdict, retry_pause

_RENEWAL_S = LEASE.total_seconds() / 4

NOT_SENT_ANY_MORE = "the next edition is due"


@dataclass(frozen=True, slots=True)
class Sending:
    """An edition that is being sent, as the sender needs to know it."""

    edition_id: str
    digest_number: int
    cadence: str
    expires_at: datetime
    """From then on nothing of it begins: it would arrive after the next one."""


@dataclass(slots=True)
class Run:
    """One run of the sender. Its fence rejects it once it was taken for dead."""

    app: App
    fence: int
    editions: dict[str, Sending] = field(default_factory=dict)
    renewed_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Finished:
    """A claim that was tried, with what became of it."""

    claim: Claim
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Begun:
    """What may go to the wire after an exchange."""

    ids: frozenset[int] = frozenset()
    """The deliveries whose intents are committed."""
    refused: int = 0
    """How many were settled without being tried."""
    holds: dict[str, str] = field(default_factory=dict)
    """Editions of which no message may begin now, and why."""


def claim_chunk(run: Run, edition_id: str, *, limit: int) -> list[Claim]:
    """Claim what is due of an edition, variant by variant."""
    with run.app.database.write() as tx:
        claims = ledger.claim(tx, edition_id, fence=run.fence, now=run.app.clock(), limit=limit)
    passing("send-after-claim")
    return claims


def load_frames(run: Run, variant_ids: Collection[int]) -> dict[int, Frame]:
    """The message frames of these variants."""
    if not variant_ids:
        return {}
    with run.app.database.read() as tx:
        packed = read_frames(tx, variant_ids)
    return {variant_id: Frame.from_bytes(zlib.decompress(frame)) for variant_id, frame in packed.items()}


def exchange(run: Run, finished: Sequence[Finished], group: Sequence[Claim]) -> Begun:
    """Record what finished and begin what may begin, in one transaction.

    Consent, suppression, approval and pause are read again in it: nothing that ended before it is begun by it.
    StateError where another sender has taken this one for dead.
    """
    now = run.app.clock()
    with run.app.database.write() as tx:
        _stay_alive(tx, run)
        _record(tx, run, finished, now=now)
        begun = _begin(tx, run, group, now=now) if group else Begun()
        passing("send-before-commit")
    passing("send-after-outcome")
    return begun


def find_veto(run: Run, claim: Claim) -> Outcome | None:
    """Why the body of an intent that has waited must not begin; None where it may."""
    sending = run.editions[claim.edition_id]
    with run.app.database.read() as tx:
        if not ledger.is_held(tx, claim.id, fence=run.fence):
            return Outcome(Verdict("planned"), "not tried: another sender has taken over")
        hold = _find_hold(tx, run, claim.edition_id)
        standings = ledger.read_standings(tx, [claim.id], cadence=sending.cadence)
        reason = next((_refusal(one) for one in standings), "erased")
    if reason is not None:
        return Outcome(Verdict("suppressed"), reason)
    return None if hold is None else Outcome(Verdict("planned"), hold)


def give_back(run: Run, edition_id: str | None = None) -> None:
    """Let go of claims that were not begun, of one edition or of all."""
    passing("send-before-release")
    with run.app.database.write() as tx:
        ledger.release(tx, fence=run.fence, edition_id=edition_id)


def _stay_alive(tx: Connection, run: Run) -> None:
    if time.monotonic() - run.renewed_at < _RENEWAL_S:
        return
    if not renew_lease(tx, run.fence):
        raise StateError("another sender has taken over: this one was not heard of for too long. Nothing is lost")
    run.renewed_at = time.monotonic()


def _record(tx: Connection, run: Run, finished: Sequence[Finished], *, now: datetime) -> None:
    telling = [one for one in finished if one.outcome.verdict.state not in ("sent", "planned")]
    held = ledger.find_held(tx, [one.claim.id for one in telling], fence=run.fence) if telling else set()
    ledger.settle(tx, [_change(one, now) for one in finished], fence=run.fence, now=now)
    # A run that was taken for dead changes nothing else either.
    telling = [one for one in telling if one.claim.id in held]
    ledger.record_events(tx, [_change(one, now) for one in telling], now)
    for one in telling:
        if one.outcome.verdict.is_address_dead:
            suppress(tx, run.app.secret, delivery_id=one.claim.id, reason="bounce", now=now)
        if one.outcome.verdict.pauses_run:
            outcome = f"held: the server refuses our mail ({one.outcome.reply[:3]}; see the report of deliveries)"
            change_edition(tx, one.claim.edition_id, paused_at=now, outcome=outcome)


def _change(finished: Finished, now: datetime) -> Change:
    verdict = finished.outcome.verdict
    attempts = finished.claim.attempts + (verdict.state != "planned")
    due = now + retry_pause(attempts) if verdict.state == "deferred" else None
    return Change(finished.claim.id, verdict.state, finished.outcome.reply, attempts=attempts, next_attempt_at=due)


def _begin(tx: Connection, run: Run, group: Sequence[Claim], *, now: datetime) -> Begun:
    barred = {claim.id: "not in mail.only_to" for claim in group if not may_get_mail(run.app, claim.email)}
    begun: set[int] = set()
    holds: dict[str, str] = {}
    refused = 0
    for edition_id, claims in _by_edition(group):
        asked = [claim.id for claim in claims if claim.id not in barred]
        done = _begin_edition(tx, run.editions[edition_id], asked, fence=run.fence, now=now)
        begun |= done
        if len(done) == len(claims):
            continue
        if (hold := _find_hold(tx, run, edition_id)) is not None:
            holds[edition_id] = hold
        refused += _refuse(tx, run, [claim for claim in claims if claim.id not in done], barred=barred, now=now)
    return Begun(frozenset(begun), refused, holds)


def _by_edition(group: Sequence[Claim]) -> Iterable[tuple[str, list[Claim]]]:
    ordered = sorted(group, key=lambda claim: claim.edition_id)
    return ((name, list(claims)) for name, claims in groupby(ordered, key=lambda claim: claim.edition_id))


def _begin_edition(tx: Connection, sending: Sending, ids: Sequence[int], *, fence: int, now: datetime) -> set[int]:
    if now >= sending.expires_at:
        ledger.close_pending(tx, sending.edition_id, state="expired", reply=NOT_SENT_ANY_MORE, now=now)
        return set()
    return ledger.begin(tx, ids, edition_id=sending.edition_id, cadence=sending.cadence, fence=fence, now=now)


def _find_hold(tx: Connection, run: Run, edition_id: str) -> str | None:
    if run.app.clock() >= run.editions[edition_id].expires_at:
        return NOT_SENT_ANY_MORE
    gate = ledger.read_gate(tx, edition_id)
    if gate.state != "planned" or gate.is_paused:
        return gate.outcome or f"{edition_id} is {gate.state}"
    return None if gate.is_approved else f"{edition_id} is not approved any more"


def _refuse(tx: Connection, run: Run, claims: Sequence[Claim], *, barred: dict[int, str], now: datetime) -> int:
    """Settle those of the claims whose readers may not have mail; how many."""
    standings = ledger.read_standings(
        tx, [claim.id for claim in claims], cadence=run.editions[claims[0].edition_id].cadence
    )
    refused = barred | {one.delivery_id: reason for one in standings if (reason := _refusal(one)) is not None}
    changes = [
        Change(claim.id, "suppressed", refused[claim.id], attempts=claim.attempts)
        for claim in claims
        if claim.id in refused
    ]
    ledger.settle(tx, changes, fence=run.fence, now=now)
    return len(changes)


def _refusal(standing: Standing) -> str | None:
    if standing.status != "confirmed":
        return f"the subscriber is {standing.status}"
    if standing.is_suppressed:
        return "the address is suppressed"
    return None if standing.is_subscribed else "the subscription has ended"
