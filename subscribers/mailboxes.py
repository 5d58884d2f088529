"""When a mailbox that keeps refusing softly (full, out of use) is given up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from subscribers.replies import Kind, judge_reply

GIVE_UP_EDITIONS = 3
"""So many editions in a row must have found the mailbox closed …"""

GIVE_UP_SPAN = timedelta(days=14)
"""… and the first of them must be so long ago: longer than most holidays."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an edition ended for one person, or how it stands: the last reply to an attempt."""

    at: datetime
    state: str
    reply: str
    """As recorded: code, enhanced code, text."""


def is_given_up(endings: Iterable[Ending]) -> bool:
    """Whether the mailbox is closed for good, from the endings of one person's editions, newest first.

    Whatever is not a mailbox refusal (an acceptance above all) ends the row.
    """
    closed = list(takewhile(_is_closed, endings))
    return len(closed) >= GIVE_UP_EDITIONS and closed[0].at - closed[-1].at >= GIVE_UP_SPAN


def _is_closed(ending: Ending) -> bool:
    code, _, text = ending.reply.partition(" ")
    if ending.state == "sent" or not (len(code) == 3 and code.isascii() and code.isdigit()):
        return False
    return judge_reply(int(code), text, step="rcpt").kind is Kind.MAILBOX
