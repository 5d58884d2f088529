"""The values that the use-cases exchange: subscriber, subscription, consent."""

from dataclasses import dataclass
from datetime import datetime

from feeds.criteria import Criteria

CADENCES = ("immediate", "daily", "weekly", "monthly")

STATUSES = ("unconfirmed", "confirmed", "unsubscribed", "erased")
"""Only ``confirmed`` gets digests. An erased subscriber has no address any more and comes never back."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An address and its status."""

    id: int
    email: str
    """As it is shown and mailed to; empty after erasure."""
    name: str
    language: str
    timezone: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    """Subscriber × criteria × cadence. It is ended, with a reason, never deleted or rewritten."""

    id: int
    subscriber_id: int
    criteria: Criteria
    cadence: str
    created_at: datetime
    covered_from: datetime
    """Items released from here on are owed."""
    ended_at: datetime | None = None
    end_reason: str | None = None

    @property
    def is_active(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Consent:
    """One event in the history of what a subscriber agreed to."""

    at: datetime
    what: str
    """imported, confirmed, unsubscribed, suppressed or erased."""
    how: str
    wording: str
    """Version of the text that was agreed to; empty where there was none."""
    language: str
    actor: str
    """subscriber, staff:<name> or import."""
