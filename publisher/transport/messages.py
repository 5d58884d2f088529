"""What a connection carries: a message in its envelope, and what became of it."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, Protocol

from subscribers.replies import Verdict


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message for one recipient. The addresses are checked: no space, bracket or control character."""

    sender: str
    recipient: str
    message: bytes
    """CRLF line ends, the last one included."""
    envelope_id: str = ""
    """Comes back in delivery reports (RFC 3461 ENVID): printable ASCII without ``+`` and ``=``."""
    needs_smtputf8: bool = False
    may_have_dots: bool = True
    """Whether lines may begin with a dot; to look for them takes longer than all else that is done to a message."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a message after it was tried."""

    verdict: Verdict
    reply: str
    """The server's last word, or what happened to the connection."""


@dataclass(slots=True)
class Attempt:
    """An intent on its way: committed as ``sending`` before anybody hears of it."""

    claim: Any  # whatever the feed knows it by; the transport only hands it back
    envelope: Envelope
    begun_at: float
    """When its intent was committed, by the monotonic clock (s)."""
    relay: str
    """The name of the relay that it goes to."""
    refusal: Outcome | None = field(default=None, compare=False)
    """The first refusal of its envelope, until the replies to the rest of the group are in."""


class Feed(Protocol):
    """Where connections take messages from and say what became of them; called in the event loop."""

    def take(self) -> Attempt | None:
        """The next message, or None where there is none now."""

    def finish(self, attempt: Attempt, outcome: Outcome) -> None:
        """An attempt has ended; said once for each."""

    def recheck(self, attempt: Attempt) -> Awaitable[Outcome | None]:
        """Read again whether an intent that has waited still holds; the outcome where it does not."""
