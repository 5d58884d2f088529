"""L, D, X and U: what the judge accepted, held against the ledger and against people's rights. Pure.

- L, lost: eligible people without a delivery that is ended, pending or uncertain, and deliveries that the ledger calls
  sent and the judge never saw.
- D, duplicated: how often more than once a delivery was accepted.
- X, unauthorised: accepted for whom it should not have been: nobody planned it, rights or approval had ended, or it
  carried another person's token or another language.
- U, uncertain: deliveries whose fate is not known.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

KNOWN_STATES = {
    "planned",
    "claimed",
    "sending",
    "sent",
    "deferred",
    "failed",
    "suppressed",
    "expired",
    "cancelled",
    "uncertain",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the ledger."""

    recipient: str
    message_id: str
    state: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A message that the judge took."""

    recipient: str
    message_id: str
    token: str | None
    language: str | None
    mail_at: float
    """When MAIL was said, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Person:
    """What the trial knows of somebody, from elsewhere than the code under trial."""

    token: str
    language: str
    rights_ended_at: float | None = None
    """Unsubscribed, suppressed, erased or never confirmed (0), with the grace that the promise leaves."""


@dataclass(frozen=True, slots=True)
class Account:
    """The four counts, each as the list of what is counted."""

    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    unauthorised: tuple[str, ...]
    uncertain: tuple[str, ...]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        return len(self.lost), len(self.duplicated), len(self.unauthorised), len(self.uncertain)


def settle_accounts(
    accepted: Sequence[Acceptance],
    ledger: Sequence[Delivery],
    *,
    eligible: Collection[tuple[str, str]],
    people: Mapping[str, Person],
    closed_at: float | None = None,
) -> Account:
    """``eligible``: the (recipient, message id) that are owed; ``closed_at``: from when on nothing was approved."""
    return Account(
        lost=tuple(sorted(_find_lost(accepted, ledger, eligible))),
        duplicated=tuple(sorted(_find_duplicated(accepted))),
        unauthorised=tuple(sorted(_find_unauthorised(accepted, ledger, people, closed_at))),
        uncertain=tuple(sorted(one.message_id for one in ledger if one.state == "uncertain")),
    )


def _find_lost(
    accepted: Iterable[Acceptance], ledger: Iterable[Delivery], eligible: Collection[tuple[str, str]]
) -> set[str]:
    seen = {one.message_id for one in accepted}
    accounted = {one.message_id for one in ledger if one.state in KNOWN_STATES}
    never_seen = {one.message_id for one in ledger if one.state == "sent" and one.message_id not in seen}
    return {message_id for _, message_id in eligible if message_id not in accounted} | never_seen


def _find_duplicated(accepted: Iterable[Acceptance]) -> Iterable[str]:
    counts = Counter(one.message_id for one in accepted)
    return (message_id for message_id, count in counts.items() for _ in range(count - 1))


def _find_unauthorised(
    accepted: Iterable[Acceptance],
    ledger: Iterable[Delivery],
    people: Mapping[str, Person],
    closed_at: float | None,
) -> Iterable[str]:
    planned = {(one.recipient, one.message_id) for one in ledger}
    for one in accepted:
        person = people.get(one.recipient)
        is_planned = (one.recipient, one.message_id) in planned
        if person is None or not is_planned or _breaks_rights(one, person) or _is_late(one, closed_at):
            yield one.message_id


def _breaks_rights(one: Acceptance, person: Person) -> bool:
    is_other = one.token != person.token or (one.language or "").lower() != person.language
    return is_other or _is_late(one, person.rights_ended_at)


def _is_late(one: Acceptance, ended_at: float | None) -> bool:
    return ended_at is not None and one.mail_at > ended_at
