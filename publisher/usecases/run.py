"""One run of the sender, and the values that its parts hand each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from publisher.app import App
from publisher.store.deliveries import Claim
from publisher.transport.messages import Outcome
from publisher.usecases.pacing import Hold, Pacer


@dataclass(frozen=True, slots=True)
class Sending:
    """An edition that is being sent, as the sender needs to know it."""

    edition_id: str
    digest_number: int
    cadence: str
    cut_off: datetime
    expires_at: datetime
    """From then on nothing of it begins: it would arrive after the next one."""
    pending: int
    """How many deliveries it had still to send when it joined the run."""


@dataclass(slots=True)
class Run:
    """What a sender is known by. Its fence rejects it once it was taken for dead."""

    app: App
    fence: int
    pacer: Pacer
    editions: dict[str, Sending] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A claim that is to begin, and the relay it would go to."""

    claim: Claim
    relay: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A claim that was tried, by which relay, and what became of it."""

    claim: Claim
    relay: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Begun:
    """What may go to the wire after an exchange."""

    ids: frozenset[int] = frozenset()
    """The deliveries whose intents are committed."""
    refused: int = 0
    """How many were settled without being tried."""
    holds: Mapping[str, str] = field(default_factory=dict)
    """Editions of which no message may begin now, and why."""
    waits: Mapping[int, float] = field(default_factory=dict)
    """Deliveries whose provider gets no message yet: after how many seconds to ask again."""
    back: frozenset[int] = frozenset()
    """Deliveries whose relay gets no message yet; another may take them."""
    rests: Mapping[str, float] = field(default_factory=dict)
    """Relays that get no message for so many seconds."""
    closed: Mapping[str, Hold] = field(default_factory=dict)
    """Relays that are left alone for long."""
    connections: Mapping[str, int | None] = field(default_factory=dict)
    """How many connections relays bear, as far as is known."""


def domain_of(claim: Claim) -> str:
    """The recipient's domain; empty where the address is gone."""
    return (claim.email or "").rpartition("@")[2].lower()
