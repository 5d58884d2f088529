"""Settling deliveries in doubt: by the relay's own log, by the digest's policy, by staff's word."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from publisher.app import App
from publisher.errors import StateError, TransportError
from publisher.store import uncertain as store
from publisher.store.batches import in_batches
from publisher.store.deliveries import count_states
from publisher.store.editions import Edition, change_edition, read_edition
from publisher.store.newsroom import read_digest
from publisher.store.uncertain import Settlement, Uncertain
from publisher.transport.mail_log import read_lines
from publisher.usecases.addressing import message_id
from publisher.usecases.people import find_person, read_address
from subscribers.relay_log import Coverage, Doubt, Finding, LogReader, first_moment
from subscribers.schedule import Digest, expires_at

RELAY_TIME = timedelta(minutes=10)
"""So long a server may take over a body (RFC 5321 §4.5.3.2.6); stretched by ``smtp.timeout_scale``."""

POLICY_AFTER = 2
"""The policy of a digest decides after so many times ``RELAY_TIME``, where there is a log that might still tell."""

LONGEST_LOOK_PAUSE = timedelta(hours=1)

LOG_AGE = timedelta(days=30)
"""Older editions are looked at only when somebody asks: no log reaches so far back."""

EVERYONE = "all"
"""In place of an address: everything of the edition that is in doubt."""


@dataclass(frozen=True, slots=True)
class ResolveResult:
    """What became of the deliveries of an edition that were in doubt."""

    edition: str
    settled: dict[str, int] = field(default_factory=dict)
    """How many were settled, by the state they have now."""
    left: int = 0
    """How many are still in doubt."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Why, and how many of each."""


def resolve(app: App, edition_id: str) -> ResolveResult:
    """Settle what the relay's log or the digest's policy can settle. May be repeated at any time.

    What the relay has is ``sent``; what it never took is planned again, or ends as its edition did. The edition is
    sent again then, unless it is too old.
    """
    with app.database.read() as tx:
        edition = read_edition(tx, edition_id)
        digest = read_digest(tx, edition.digest_id).digest
        rows = store.list_uncertain(tx, edition_id)
    if not rows:
        return ResolveResult(edition_id)
    case = _Case(app, edition, digest, app.clock())
    findings = _ask_log(case, rows)
    settlements = [one for row in rows if (one := _settle(case, row, findings[row.id])) is not None]
    done = _write(case, settlements, _next_looks(case, rows, settlements))
    settled = {one.delivery.id for one in settlements}
    left = [findings[row.id].reason for row in rows if row.id not in settled]
    return _result(app, edition_id, done, left)


def settle_uncertain(app: App, edition_id: str) -> ResolveResult:
    """As ``resolve``, but only when a look at the log is due; the sender calls it before it sends."""
    now = app.clock()
    with app.database.read() as tx:
        rows = store.list_uncertain(tx, edition_id)
    if any(row.looked_at_next is None or row.looked_at_next <= now for row in rows):
        return resolve(app, edition_id)
    return ResolveResult(edition_id, left=len(rows))


def find_unsettled(app: App) -> list[str]:
    """Editions with something in doubt that is due for a look."""
    now = app.clock()
    with app.database.read() as tx:
        return store.find_unsettled(tx, now=now, done_since=now - LOG_AGE)


def settle_by_word(
    app: App, edition_id: str, addresses: Sequence[str], *, state: Literal["sent", "planned"], actor: str
) -> ResolveResult:
    """Settle single deliveries as staff say, or with ``all`` everything in doubt; who said so is recorded.

    StateError where one of them is not in doubt; nothing is changed then.
    """
    now = app.clock()
    with app.database.write() as tx:
        edition = read_edition(tx, edition_id)
        case = _Case(app, edition, read_digest(tx, edition.digest_id).digest, now)
        rows = _find_named(tx, app, edition_id, addresses)
        target = "sent" if state == "sent" else case.untaken_state
        done = store.settle_uncertain(
            tx, [Settlement(row, target, f"resolved by {actor}: {state}") for row in rows], now
        )
        _adjust_edition(tx, case)
    return _result(app, edition_id, done, [])


@dataclass(frozen=True, slots=True)
class _Case:
    """An edition whose deliveries are settled."""

    app: App
    edition: Edition
    digest: Digest
    now: datetime

    @property
    def relay_time(self) -> timedelta:
        return RELAY_TIME * self.app.config.smtp.timeout_scale

    @property
    def untaken_state(self) -> str:
        """What a delivery is whose message the relay never took."""
        if self.edition.state == "cancelled":
            return "cancelled"
        return "expired" if self.now >= expires_at(self.digest, self.edition.window_end) else "planned"

    @property
    def planned_at(self) -> datetime:
        return self.edition.planned_at or self.edition.opened_at

    def doubt(self, row: Uncertain) -> Doubt:
        """No intent is older than the planning of its edition."""
        return Doubt(since=self.planned_at, intent_at=row.changed_at, until=row.changed_at + self.relay_time)


def _ask_log(case: _Case, rows: Sequence[Uncertain]) -> dict[int, Finding]:
    """What the relay's log says of each; where it cannot be read, that it cannot tell."""
    path = case.app.config.smtp.mail_log
    if path is None:
        return dict.fromkeys((row.id for row in rows), Finding("uncertain", "smtp.mail_log names no log of the relay"))
    names = {row.id: message_id(case.app, case.edition.id, row.subscriber_id) for row in rows}
    reader = LogReader(names.values())
    try:
        coverage = _read_log(case, reader)
    except TransportError as error:
        return {row.id: Finding("uncertain", f"smtp.mail_log: {error}") for row in rows}
    findings = {row.id: reader.judge(names[row.id], coverage, case.doubt(row)) for row in rows}
    if len(case.app.config.smtp.pool) == 1:
        return findings
    silent = Finding("uncertain", "there are several relays, and the silence of one log says nothing of the others")
    return {key: silent if found.state == "planned" else found for key, found in findings.items()}


def _read_log(case: _Case, reader: LogReader) -> Coverage:
    path = case.app.config.smtp.mail_log
    assert path is not None  # noqa: S101  (asked for by the only caller)

    def reaches_back(line: bytes) -> bool:
        moment = first_moment(line, now=case.now, to_utc=_host_time)
        return moment is not None and moment <= case.planned_at

    for line in read_lines(path, reaches_back=reaches_back):
        reader.read(line)
    return reader.coverage(now=case.now, to_utc=_host_time)


def _host_time(local: datetime) -> datetime:
    """A moment on the wall clock of this machine, where the relay's log is written."""
    return local.astimezone(UTC)


def _settle(case: _Case, row: Uncertain, finding: Finding) -> Settlement | None:
    match finding.state:
        case "sent":
            return Settlement(row, "sent", finding.reason)
        case "planned":
            return Settlement(row, case.untaken_state, finding.reason)
        case _:
            return _settle_by_policy(case, row, finding)


def _settle_by_policy(case: _Case, row: Uncertain, finding: Finding) -> Settlement | None:
    """Plan it once more where the digest says so, and nothing says that the relay may have it."""
    may_still_tell = case.app.config.smtp.mail_log is not None and case.now < row.changed_at + (
        POLICY_AFTER * case.relay_time
    )
    is_resent = case.digest.uncertain == "resend-once" and row.resends == 0 and not finding.is_begun
    if not is_resent or may_still_tell or case.untaken_state != "planned":
        return None
    return Settlement(row, "planned", f"resent once, not knowing: {finding.reason}", is_resend=True)


def _next_looks(
    case: _Case, rows: Sequence[Uncertain], settlements: Sequence[Settlement]
) -> Iterator[tuple[Uncertain, datetime]]:
    """Half as old again as each is now, an hour from now at most."""
    settled = {one.delivery.id for one in settlements}
    shortest = case.relay_time / 10
    for row in rows:
        if row.id not in settled:
            yield row, case.now + min(max((case.now - row.changed_at) / 2, shortest), LONGEST_LOOK_PAUSE)


def _write(
    case: _Case, settlements: Sequence[Settlement], looks: Iterator[tuple[Uncertain, datetime]]
) -> list[Settlement]:
    """Those that were still in doubt when they were settled."""
    done: list[Settlement] = []
    for batch in in_batches(settlements):
        with case.app.database.write() as tx:
            done += store.settle_uncertain(tx, batch, case.now)
            _adjust_edition(tx, case)
    for pauses in in_batches(list(looks)):
        with case.app.database.write() as tx:
            store.look_again_at(tx, pauses)
    return done


def _adjust_edition(tx: Connection, case: _Case) -> None:
    """An edition goes on where something is planned again, and says how it ended where nothing is left to send."""
    edition = read_edition(tx, case.edition.id)
    if edition.state not in ("planned", "done"):
        return
    if not store.count_undelivered(tx, edition.id):
        outcome = ", ".join(f"{count} {state}" for state, count in count_states(tx, edition.id).items())
        change_edition(tx, edition.id, state="done", outcome=outcome, done_at=edition.done_at or case.now)
    elif edition.state == "done":
        held = f"held: paused. To send it: publisher digest resume {edition.id}" if edition.paused_at else None
        change_edition(tx, edition.id, state="planned", done_at=None, outcome=held, retry_at=None)


def _find_named(tx: Connection, app: App, edition_id: str, addresses: Sequence[str]) -> list[Uncertain]:
    if EVERYONE in addresses:
        return store.list_uncertain(tx, edition_id)
    return [_find_one(tx, app, edition_id, address) for address in dict.fromkeys(addresses)]


def _find_one(tx: Connection, app: App, edition_id: str, address: str) -> Uncertain:
    person = find_person(tx, app, read_address(address))
    row = store.find_uncertain(tx, edition_id, person.id)
    if row is None:
        raise StateError(
            f"{person.email} has no uncertain delivery of {edition_id}. "
            f"See: publisher digest report {edition_id} --deliveries"
        )
    return row


def _result(app: App, edition_id: str, settlements: Sequence[Settlement], left: Sequence[str]) -> ResolveResult:
    with app.database.read() as tx:
        uncertain = count_states(tx, edition_id).get("uncertain", 0)
    settled = Counter(one.state for one in settlements)
    return ResolveResult(edition_id, dict(settled), uncertain, dict(Counter(left)))
