"""What an SMTP reply means for a delivery, its address, the provider and the run (RFC 5321, 3463, 7372)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """What a reply is about; the values are words for reports."""

    NONE = "none"  # there was no reply
    ACCEPTED = "accepted"
    ADDRESS = "address"  # does not exist
    MAILBOX = "mailbox"  # full or out of use: soft, whichever digit says so
    POLICY = "policy"  # refused at RCPT by somebody's rule
    CONTENT = "content"  # refused after the body
    SIZE = "size"
    DOMAIN = "domain"  # our domain is set up wrongly: a record in DNS, TLS
    SENDER = "sender"  # our envelope sender is refused
    AUTH = "auth"  # our password is refused
    RATE = "rate"  # too fast
    GREYLIST = "greylist"  # the same triplet is taken later
    RELAY = "relay"  # trouble of the server itself
    SYNTAX = "syntax"  # a command was not understood
    NO_SMTPUTF8 = "no-smtputf8"  # the address needs what the server cannot
    OTHER = "other"


Scope = Literal["message", "provider", "relay"]
"""Whom a reply says something of: this message alone, all of the recipient's domain, or all that the relay gets."""

STEPS = ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data")
"""Where in the dialogue a reply comes; ``data`` is the command and the final dot alike."""

DEAD_ADDRESS = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10")
"""Enhanced codes of an address that does not exist."""

OUR_DOMAIN: Mapping[str, str] = {
    "5.7.20": "DKIM",
    "5.7.21": "DKIM",
    "5.7.22": "DKIM",
    "5.7.23": "SPF",
    "5.7.24": "SPF",
    "5.7.25": "PTR",
    "5.7.26": "",
    "5.7.27": "SPF",
    "5.7.28": "reputation",
    "5.7.29": "TLS",
    "5.7.30": "DKIM",
    "5.7.31": "DMARC",
    "5.7.32": "DMARC",
    "5.7.515": "",
    "4.7.23": "PTR",
    "4.7.24": "SPF",
    "4.7.25": "PTR",
    "4.7.26": "",
    "4.7.27": "SPF",
    "4.7.29": "TLS",
    "4.7.30": "DKIM",
    "4.7.31": "DMARC",
    "4.7.32": "DMARC",
}
"""Enhanced codes of a sending domain that is set up wrongly, with what is wrong; empty: only the text may tell.

They are of RFC 7372 and as Gmail and Microsoft use them. 4.7.28 is missing: it asks us to slow down.
"""

_BY_DETAIL: Mapping[str, Kind] = {
    "5.2.3": Kind.SIZE,
    "5.3.4": Kind.SIZE,
    "5.6.7": Kind.NO_SMTPUTF8,
    "5.6.9": Kind.NO_SMTPUTF8,
}

_AT_RCPT: Mapping[str, Kind] = {"2": Kind.MAILBOX, "6": Kind.CONTENT, "7": Kind.POLICY}
_AFTER_BODY: Mapping[str, Kind] = {"2": Kind.MAILBOX, "6": Kind.CONTENT, "7": Kind.CONTENT}

_BEFORE_MAIL = ("connect", "ehlo", "starttls", "auth")

_AUTH_CODES = (530, 534, 535, 538)

_RECORDS = ("SPF", "DKIM", "DMARC", "PTR", "TLS")
_ANY_RECORD = "SPF, DKIM, DMARC"

_OUR_SENDER = ("5.1.7", "5.1.8")
"""Postfix and others tell at RCPT what they have against MAIL."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do after a reply."""

    state: str
    """sent, deferred, failed, suppressed, uncertain; planned: it was not tried at all."""
    is_address_dead: bool = False
    """The address is to be suppressed."""
    pauses_run: bool = False
    """The fault is ours, not the recipient's: the edition is paused and staff are told."""
    kind: Kind = Kind.NONE
    scope: Scope = "message"
    record: str = ""
    """Of kind ``domain``: what is wrong, like ``DKIM`` or ``SPF, DMARC``. Never text of the server."""


ACCEPTED = Verdict("sent", kind=Kind.ACCEPTED)


def judge_reply(code: int, text: str, *, step: str) -> Verdict:
    """The verdict on a reply at one of ``STEPS``. The first digit rules, whatever the text says.

    Only 2xx is ``sent``, and only a refused recipient can be dead. What belongs to the session (before MAIL) or to us
    never counts against a person.
    """
    if 200 <= code < 300:
        return ACCEPTED
    enhanced = enhanced_code(text) or ""
    if enhanced[:1] != str(code)[:1]:
        enhanced = ""  # it contradicts the reply code, so it says nothing
    if 500 <= code < 600:
        return _judge_refusal(code, enhanced, text, step=step)
    return _judge_delay(code, enhanced, text, step=step)


def enhanced_code(text: str) -> str | None:
    """The enhanced status code at the beginning of a reply's text, e.g. ``5.1.1``."""
    found = re.match(r"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![\w.])", text)
    return found[1] if found else None


def _judge_refusal(code: int, enhanced: str, text: str, *, step: str) -> Verdict:
    if step in _BEFORE_MAIL or code in _AUTH_CODES:
        is_auth = step == "auth" or code in _AUTH_CODES
        return Verdict("deferred", pauses_run=is_auth, kind=Kind.AUTH if is_auth else Kind.RELAY, scope="relay")
    if enhanced in OUR_DOMAIN:
        return _our_domain(enhanced, text, is_everywhere=step == "mail", pauses_run=step == "mail")
    return _judge_mail(code, enhanced) if step == "mail" else _judge_recipient(code, enhanced, step)


def _judge_recipient(code: int, enhanced: str, step: str) -> Verdict:
    if enhanced in _OUR_SENDER:
        return Verdict("deferred", kind=Kind.SENDER, scope="provider")
    if step == "rcpt" and enhanced in DEAD_ADDRESS:
        return Verdict("failed", is_address_dead=True, kind=Kind.ADDRESS, scope="relay")
    if 500 <= code <= 504 or code == 555:  # our command was not understood; the recipient has no part in it
        return Verdict("deferred", kind=Kind.SYNTAX)
    return _failed(_why_failed(code, enhanced, step))


def _judge_mail(code: int, enhanced: str) -> Verdict:
    """A refused MAIL: every message would hear the same, unless it is about this recipient's script."""
    if enhanced in ("5.6.7", "5.6.9"):
        return _failed(Kind.NO_SMTPUTF8)
    if code == 503:  # out of sequence: it is the session that went wrong
        return Verdict("deferred", kind=Kind.SYNTAX)
    kind = Kind.SIZE if enhanced == "5.3.4" or code == 552 else Kind.SENDER
    return Verdict("deferred", pauses_run=True, kind=kind, scope="relay")


def _our_domain(enhanced: str, text: str, *, is_everywhere: bool, pauses_run: bool) -> Verdict:
    """Refused for our domain: by the relay itself where it does not know the recipient yet."""
    named = ", ".join(record for record in _RECORDS if re.search(rf"\b{record}\b", text))
    record = OUR_DOMAIN[enhanced] or named or _ANY_RECORD
    scope: Scope = "relay" if is_everywhere else "provider"
    return Verdict("deferred", pauses_run=pauses_run, kind=Kind.DOMAIN, scope=scope, record=record)


def _failed(kind: Kind) -> Verdict:
    return Verdict("failed", kind=kind, scope="provider" if kind in (Kind.POLICY, Kind.CONTENT) else "message")


def _why_failed(code: int, enhanced: str, step: str) -> Kind:
    if enhanced:
        by_subject = _AFTER_BODY if step == "data" else _AT_RCPT
        return _BY_DETAIL.get(enhanced) or by_subject.get(_subject(enhanced), Kind.OTHER)
    if code == 552:  # "exceeded storage allocation"
        return Kind.SIZE if step == "data" else Kind.MAILBOX
    return Kind.CONTENT if code == 554 and step == "data" else Kind.OTHER


def _judge_delay(code: int, enhanced: str, text: str, *, step: str) -> Verdict:
    if enhanced in OUR_DOMAIN and step in ("mail", "rcpt", "data"):
        return _our_domain(enhanced, text, is_everywhere=step == "mail", pauses_run=False)  # it may be taken later
    kind = _why_delayed(code, enhanced, text, step=step)
    is_everywhere = code == 421 or step not in ("rcpt", "data")
    if kind is Kind.RATE:
        return Verdict("deferred", kind=kind, scope="relay" if is_everywhere else "provider")
    return Verdict("deferred", kind=kind, scope="relay" if kind is Kind.RELAY else "message")


def _why_delayed(code: int, enhanced: str, text: str, *, step: str) -> Kind:
    if code in (450, 451) and (enhanced == "4.2.0" or re.search("gr[ae]y.?list", text, re.IGNORECASE)):
        return Kind.GREYLIST
    subject = _subject(enhanced)
    if subject == "2" and step in ("rcpt", "data"):
        return Kind.MAILBOX
    if (subject == "7" and code != 454) or enhanced == "4.4.5":  # 454 4.7.0: authentication is out of order
        return Kind.RATE
    is_own_trouble = subject == "3" or (not enhanced and code in (451, 452))
    if is_own_trouble or code in (421, 454) or step in _BEFORE_MAIL:
        return Kind.RELAY
    return Kind.OTHER


def _subject(enhanced: str) -> str:
    """The middle part of an enhanced code (RFC 3463 §2); empty where there is no code."""
    return enhanced[2:].partition(".")[0]


def _minutes(*minutes: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=one) for one in minutes)


RETRY_PAUSES = _minutes(1, 5, 15, 30, 60, 120, 240)
"""Pauses before the second, third … attempt; the last one goes on until the edition expires."""

PAUSES_BY_KIND: Mapping[Kind, tuple[timedelta, ...]] = {
    Kind.GREYLIST: _minutes(6, 10, 20, 30, 60, 120, 240),  # most let pass after five minutes
    Kind.RATE: _minutes(5, 15, 30, 60, 120, 240),
    Kind.MAILBOX: _minutes(30, 60, 120, 240),
    Kind.AUTH: _minutes(1),  # seldom enough that no account is locked
}
"""Where the kind of reply is known to need another patience."""


def retry_pause(attempts: int, kind: Kind = Kind.NONE) -> timedelta:
    """How long to wait after that many attempts, the last of which was answered so."""
    pauses = PAUSES_BY_KIND.get(kind, RETRY_PAUSES)
    return pauses[min(max(attempts, 1), len(pauses)) - 1]
