"""What an SMTP reply means for a delivery, its address and the run (RFC 5321 §4.2, RFC 3463)."""

import re
from dataclasses import dataclass
from datetime import timedelta

DEAD_ADDRESS = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10")
"""Enhanced codes of an address that does not exist."""

OUR_FAULT = re.compile(r"5\.7\.(?:2[35-9]|3[0-2]|515)")
"""Enhanced codes of a sending domain that is set up wrongly: authentication, DNS records."""

RETRY_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120, 240))
"""Pauses before the second, third … attempt; the last one goes on until the edition expires."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do after a reply."""

    state: str
    """sent, deferred, failed, suppressed, uncertain; planned: it was not tried at all."""
    is_address_dead: bool = False
    """The address is to be suppressed."""
    pauses_run: bool = False
    """The fault is ours, not the recipient's: the edition is paused and staff are told."""


def judge_reply(code: int, text: str, *, step: str) -> Verdict:
    """The verdict on a reply at ``step`` (mail, rcpt, data). The first digit rules, whatever the text says."""
    if 200 <= code < 300:
        return Verdict("sent")
    if not 500 <= code < 600:
        return Verdict("deferred")
    enhanced = enhanced_code(text) or ""
    if step == "mail" or code in (530, 535) or OUR_FAULT.fullmatch(enhanced):
        return Verdict("deferred", pauses_run=True)
    if 500 <= code <= 504:  # our command was not understood; the recipient has no part in it
        return Verdict("deferred")
    return Verdict("failed", is_address_dead=step == "rcpt" and enhanced in DEAD_ADDRESS)


def enhanced_code(text: str) -> str | None:
    """The enhanced status code at the beginning of a reply's text, e.g. ``5.1.1``."""
    found = re.match(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", text)
    return found[1] if found else None


def retry_pause(attempts: int) -> timedelta:
    """How long to wait after that many attempts."""
    return RETRY_PAUSES[min(attempts, len(RETRY_PAUSES)) - 1]
