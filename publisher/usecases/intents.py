"""The sender's dealings with the ledger: claim, begin, record. Each call is one short transaction."""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from sqlalchemy import Connection

from publisher.errors import StateError
from publisher.failpoints import passing
from publisher.mail.frame import Frame
from publisher.store import deliveries as ledger
from publisher.store.deliveries import Asked, Change, Claim, Standing
from publisher.store.editions import read_frames
from publisher.store.leases import is_alive, renew_lease
from publisher.transport.messages import Outcome
from publisher.usecases.addressing import may_get_mail
from publisher.usecases.breakers import describe_lane
from publisher.usecases.outcomes import record
from publisher.usecases.pacing import Granted, Hold
from publisher.usecases.run import Begun, Finished, Run, Sending, Wanted, domain_of
from subscribers.replies import Verdict, judge_reply

log = structlog.get_logger()

NOT_SENT_ANY_MORE = "the next edition is due"

TAKEN_OVER = "another sender has taken over: this one was not heard of for too long. Nothing is lost"


def stay_alive(run: Run) -> None:
    """Be believed alive for a further while; StateError where another sender has taken this one for dead."""
    with run.app.database.write() as tx:
        if not renew_lease(tx, run.fence):
            raise StateError(TAKEN_OVER)


def claim_chunk(run: Run, edition_id: str, *, limit: int) -> list[Claim]:
    """Claim what is due of an edition, variant by variant; StateError where another sender has taken over."""
    with run.app.database.write() as tx:
        claims = ledger.claim(tx, edition_id, fence=run.fence, now=run.app.clock(), limit=limit)
        if not claims and not is_alive(tx, run.fence):
            raise StateError(TAKEN_OVER)
    passing("send-after-claim")
    return claims


def load_frames(run: Run, variant_ids: Collection[int]) -> dict[int, Frame]:
    """The message frames of these variants."""
    if not variant_ids:
        return {}
    with run.app.database.read() as tx:
        packed = read_frames(tx, variant_ids)
    return {variant_id: Frame.from_bytes(zlib.decompress(frame)) for variant_id, frame in packed.items()}


def exchange(run: Run, finished: Sequence[Finished], group: Sequence[Wanted]) -> Begun:
    """Record what finished and begin what may begin, in one transaction.

    Consent, suppression, approval and pause are read again in it: nothing that ended before it is begun by it.
    StateError where another sender has taken this one for dead.
    """
    now = run.app.clock()
    with run.app.database.write() as tx:
        opened = record(tx, run, finished, now=now)
        begun = _begin(tx, run, group, now=now) if group else Begun()
        passing("send-before-commit")
    passing("send-after-outcome")
    for lane in opened:
        log.warning("left alone", what=describe_lane(lane, now))
    return begun


def find_left_alone(run: Run) -> dict[str, Hold]:
    """The relays that get nothing now."""
    names = [relay.name for relay in run.app.config.smtp.pool]
    with run.app.database.read() as tx:
        return run.pacer.find_left_alone(tx, names, now=run.app.clock())


def note_refused_logins(run: Run, relays: Collection[str]) -> None:
    """Leave relays alone for a while that refuse our password: no run tries again before."""
    now = run.app.clock()
    refused = judge_reply(535, "", step="auth")
    with run.app.database.write() as tx:
        for relay in relays:
            run.pacer.learn(tx, relay, [("", refused)], now=now)


def find_hold(tx: Connection, run: Run, edition_id: str) -> str | None:
    """Why no message of an edition may begin now; None where they may."""
    if run.app.clock() >= run.editions[edition_id].expires_at:
        return NOT_SENT_ANY_MORE
    gate = ledger.read_gate(tx, edition_id)
    if gate.state != "planned" or gate.is_paused:
        return gate.outcome or f"{edition_id} is {gate.state}"
    return None if gate.is_approved else f"{edition_id} is not approved any more"


def postpone(run: Run, waits: Mapping[Claim, float]) -> None:
    """Let go of claims that have to wait so many seconds; no attempt is counted."""
    now = run.app.clock()
    changes = [
        Change(
            claim.id,
            "deferred",
            "waits for the pace of its relay or provider",
            attempts=claim.attempts,
            next_attempt_at=now + timedelta(seconds=wait_s),
        )
        for claim, wait_s in waits.items()
    ]
    with run.app.database.write() as tx:
        ledger.settle(tx, changes, fence=run.fence, now=now)


def find_veto(run: Run, claim: Claim) -> Outcome | None:
    """Why the body of an intent that has waited must not begin; None where it may."""
    sending = run.editions[claim.edition_id]
    with run.app.database.read() as tx:
        if not ledger.is_held(tx, claim.id, fence=run.fence):
            return Outcome(Verdict("planned"), "not tried: another sender has taken over")
        hold = find_hold(tx, run, claim.edition_id)
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


def _begin(tx: Connection, run: Run, group: Sequence[Wanted], *, now: datetime) -> Begun:
    granted = _grant(tx, run, group, now=now)
    begun: set[int] = set()
    holds = dict(granted.holds)
    refused = 0
    for edition_id, claims in _by_edition(group, granted):
        barred = {claim.id: "not in mail.only_to" for claim in claims if not may_get_mail(run.app, claim.email)}
        asked = [claim.id for claim in claims if claim.id not in barred]
        done = _begin_edition(tx, run.editions[edition_id], asked, fence=run.fence, now=now)
        begun |= done
        if len(done) == len(claims):
            continue
        if (hold := find_hold(tx, run, edition_id)) is not None:
            holds[edition_id] = hold
        if not is_alive(tx, run.fence):
            raise StateError(TAKEN_OVER)
        refused += _refuse(tx, run, [claim for claim in claims if claim.id not in done], barred=barred, now=now)
    return replace(granted, ids=frozenset(begun), refused=refused, holds=holds)


def _grant(tx: Connection, run: Run, group: Sequence[Wanted], *, now: datetime) -> Begun:
    """What pace says: which of the group have to wait, and what holds their editions."""
    waits: dict[int, float] = {}
    holds: dict[str, str] = {}
    back: set[int] = set()
    answers: dict[str, Granted] = {}
    for relay in {one.relay for one in group}:
        claims = [one.claim for one in group if one.relay == relay]
        answer = answers[relay] = run.pacer.grant(tx, relay, [domain_of(claim) for claim in claims], now=now)
        asked_again = {claim.id: wait for claim, wait in zip(claims, answer.waits, strict=True) if wait}
        waits |= {key: wait for key, wait in asked_again.items() if wait > answer.rest_s}
        back |= asked_again.keys() - waits.keys()
        if answer.hold:
            holds |= {claim.edition_id: f"held: {answer.hold}" for claim in claims}
    return Begun(
        holds=holds,
        waits=waits,
        back=frozenset(back),
        rests={relay: answer.rest_s for relay, answer in answers.items() if answer.rest_s},
        closed={relay: answer.closed for relay, answer in answers.items() if answer.closed},
        connections={relay: answer.connections for relay, answer in answers.items() if not answer.closed},
    )


def _by_edition(group: Sequence[Wanted], granted: Begun) -> Iterable[tuple[str, list[Claim]]]:
    """The claims that pace lets begin, edition by edition."""
    waiting = granted.waits.keys() | granted.back
    claims = sorted((one.claim for one in group if one.claim.id not in waiting), key=_edition_of)
    return ((name, list(these)) for name, these in groupby(claims, key=_edition_of))


def _edition_of(claim: Claim) -> str:
    return claim.edition_id


def _begin_edition(tx: Connection, sending: Sending, ids: Sequence[int], *, fence: int, now: datetime) -> set[int]:
    if now >= sending.expires_at:
        ledger.close_pending(tx, sending.edition_id, state="expired", reply=NOT_SENT_ANY_MORE, now=now)
        return set()
    return ledger.begin(tx, Asked(sending.edition_id, sending.cadence, ids), fence=fence, now=now)


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
