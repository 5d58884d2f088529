"""What a judge does at a step of the dialogue instead of the usual: plain values that travel as JSON."""

import fnmatch
from dataclasses import dataclass
from typing import Any

STEPS = ("banner", "ehlo", "helo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot")
"""``body`` comes after the first line of a message, ``dot`` after its last."""

FOREVER = 2**31


@dataclass(frozen=True)
class Rule:
    """At ``step``, where everything said applies, ``acts`` take the place of the usual answer.

    An act is one of
    ``keep`` (write the message down as accepted), ``drop`` (cut the connection), ``silent`` (no answer ever),
    ``wait:SECONDS``, ``slow:SECONDS:TEXT`` (a byte at a time), ``raw:TEXT`` (to the wire as it is),
    ``greylist:SECONDS`` (450 until that long after the first try of sender and recipient), ``inject:TEXT``
    (STARTTLS: plain text behind the 220), or a reply, its lines parted by newlines.
    """

    step: str
    acts: tuple[str, ...]
    nth: tuple[int, int] = (1, FOREVER)
    """Which occurrences of the step, first and last."""
    who: str = "*"
    """Pattern of the recipient (for ``mail`` of the sender)."""
    is_per_connection: bool = False
    """Whether occurrences are counted for each connection."""
    connections: tuple[int, int] = (1, FOREVER)
    """Which connections, counted from 1."""

    def applies(self, step: str, *, counts: tuple[int, int], who: str, connection: int) -> bool:
        """``counts``: occurrences of the step at this judge, and on this connection, this one included."""
        count = counts[self.is_per_connection]
        return (
            self.step == step
            and self.nth[0] <= count <= self.nth[1]
            and self.connections[0] <= connection <= self.connections[1]
            and fnmatch.fnmatchcase(who, self.who)
        )


def at(step: str, *acts: str, nth: int | tuple[int, int] | None = None, **where: Any) -> Rule:  # Any: fields of Rule
    """A rule in few words; ``nth=3`` is the third occurrence alone."""
    if step not in STEPS:
        raise ValueError(f"{step} is no step of the dialogue")
    span = (1, FOREVER) if nth is None else (nth, nth) if isinstance(nth, int) else nth
    return Rule(step, acts, span, **where)


def named(fault: str) -> Rule:
    """The rule of a common fault, e.g. ``drop-keep:3`` or ``rcpt-511:p``."""
    name, _, value = fault.partition(":")
    number = int(value) if value.isdigit() else 1
    rules = {
        "banner-554": at("banner", "554 5.3.2 no service", "drop"),
        "421-after": at("mail", "421 4.7.0 enough for now", "drop", nth=(number + 1, FOREVER), is_per_connection=True),
        "mail-550": at("mail", "550 5.7.1 sender refused"),
        "greylist": at("rcpt", "greylist:0", "250 2.1.5 ok"),
        "rcpt-511": at("rcpt", "550 5.1.1 no such mailbox", who=f"{value}*"),
        "rcpt-571": at("rcpt", "550 5.7.1 policy", who=f"{value}*"),
        "data-451": at("data", "451 4.3.0 not now", nth=number),
        "drop-body": at("body", "drop", nth=number),
        "drop-keep": at("dot", "keep", "drop", nth=number),
        "drop-discard": at("dot", "drop", nth=number),
        "dot-451": at("dot", "451 4.3.0 try again", nth=number),
        "dot-554": at("dot", "554 5.6.0 not this content", nth=number),
    }
    return rules[name]
