"""What an address may get here, and what one line of an import changes about that.

The rule of every decision: an import brings in people whom nobody here knows; of those who are known it can only take
rights away, never give them back. Somebody unsubscribed, suppressed or erased here stays so. Somebody unconfirmed stays
so until they confirm by their own link. A subscription that was ended does not begin again.
"""

from dataclasses import dataclass
from typing import Literal

from feeds.criteria import Criteria
from subscribers.importing import ImportRow

Outcome = Literal["added", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Wish:
    """A subscription without its subscriber."""

    criteria: Criteria
    cadence: str


@dataclass(frozen=True, slots=True)
class Profile:
    """How a subscriber is spoken to."""

    name: str
    language: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Rights:
    """What is known here of an address."""

    status: str | None = None
    """None where nobody has the address; it may be suppressed all the same."""
    profile: Profile | None = None
    is_suppressed: bool = False
    active: frozenset[Wish] = frozenset()
    ended: frozenset[Wish] = frozenset()


@dataclass(frozen=True, slots=True)
class ImportChange:
    """What is to be written."""

    outcome: Outcome
    profile: Profile | None = None
    """The new one, where it differs."""
    wish: Wish | None = None
    """The subscription to begin."""
    unsubscribes: bool = False
    """All subscriptions end; the one of a person who is new here is over from its beginning."""
    was_held_back: bool = False
    """The line says confirmed, but here the person is not."""


def decide_import(rights: Rights, row: ImportRow) -> ImportChange:
    """What this line changes for somebody with these rights."""
    if rights.status is None and not rights.is_suppressed:
        return _welcome(row)
    if rights.status not in ("confirmed", "unconfirmed"):
        return _hold_back(row)
    if row.status == "unsubscribed":
        return ImportChange("updated", unsubscribes=True)
    if rights.is_suppressed:
        return _hold_back(row)
    if (rights.status, row.status) == ("confirmed", "unconfirmed"):
        return ImportChange("unchanged")
    return _extend(rights, row)


def _welcome(row: ImportRow) -> ImportChange:
    profile = Profile(row.name, row.language, row.timezone)
    return ImportChange("added", profile, _wish(row), unsubscribes=row.status == "unsubscribed")


def _hold_back(row: ImportRow) -> ImportChange:
    return ImportChange("unchanged", was_held_back=row.status == "confirmed")


def _extend(rights: Rights, row: ImportRow) -> ImportChange:
    """The line confirms what is known, or asks for one more subscription, or corrects the profile."""
    wish, profile = _wish(row), _profile(rights, row)
    is_over = wish not in rights.active and _was_ended(rights, wish)
    begins = None if wish in rights.active or is_over else wish
    is_new = profile != rights.profile or begins is not None
    return ImportChange(
        outcome="updated" if is_new else "unchanged",
        profile=None if profile == rights.profile else profile,
        wish=begins,
        was_held_back=is_over or rights.status != row.status,
    )


def _was_ended(rights: Rights, wish: Wish) -> bool:
    """Whether this subscription ended here, or, as by an unsubscribe link, all of its cadence did."""
    is_cadence_active = any(active.cadence == wish.cadence for active in rights.active)
    is_cadence_over = not is_cadence_active and any(ended.cadence == wish.cadence for ended in rights.ended)
    return wish in rights.ended or is_cadence_over


def _profile(rights: Rights, row: ImportRow) -> Profile:
    known_name = rights.profile.name if rights.profile else ""
    return Profile(row.name or known_name, row.language, row.timezone)


def _wish(row: ImportRow) -> Wish:
    return Wish(row.criteria, row.cadence)
