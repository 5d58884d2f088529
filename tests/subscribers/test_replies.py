"""What an SMTP reply means."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.replies import (
    DEAD_ADDRESS,
    OUR_DOMAIN,
    STEPS,
    Kind,
    Verdict,
    enhanced_code,
    judge_reply,
    retry_pause,
)


def deferred(kind: Kind, scope: str = "message", record: str = "") -> Verdict:
    return Verdict("deferred", kind=kind, scope=scope, record=record)  # type: ignore[arg-type]


def failed(kind: Kind, scope: str = "message") -> Verdict:
    return Verdict("failed", kind=kind, scope=scope)  # type: ignore[arg-type]


def paused(kind: Kind, record: str = "") -> Verdict:
    return Verdict("deferred", pauses_run=True, kind=kind, scope="relay", record=record)


ACCEPTED = Verdict("sent", kind=Kind.ACCEPTED)
DEAD = Verdict("failed", is_address_dead=True, kind=Kind.ADDRESS, scope="relay")


@pytest.mark.parametrize(
    ("step", "code", "text", "verdict"),
    [
        ("data", 250, "2.0.0 queued", ACCEPTED),
        ("data", 250, "5.1.1 says the text, but the first digit rules", ACCEPTED),
        ("data", 250, "", ACCEPTED),
        # addresses
        *(("rcpt", 550, f"{code} no such mailbox", DEAD) for code in DEAD_ADDRESS),
        ("rcpt", 501, "5.1.3 bad recipient address syntax", DEAD),
        ("rcpt", 550, "4.1.1 the first digit rules", failed(Kind.OTHER)),
        ("rcpt", 550, "no such mailbox (5.1.1)", failed(Kind.OTHER)),
        ("rcpt", 550, "5.1.11 is another code", failed(Kind.OTHER)),
        ("rcpt", 550, "5.1.1.1 is no code", failed(Kind.OTHER)),
        ("data", 554, "5.1.1 only a refused recipient is dead", failed(Kind.OTHER)),
        ("rcpt", 450, "4.1.1 not known yet", deferred(Kind.OTHER)),
        # mailboxes
        ("rcpt", 452, "4.2.2 mailbox full", deferred(Kind.MAILBOX)),
        ("rcpt", 450, "4.2.1 receives too fast", deferred(Kind.MAILBOX)),
        ("rcpt", 552, "5.2.2 mailbox full", failed(Kind.MAILBOX)),
        ("data", 552, "5.2.2 mailbox full", failed(Kind.MAILBOX)),
        ("rcpt", 552, "too much stored", failed(Kind.MAILBOX)),
        ("rcpt", 550, "5.2.1 out of use", failed(Kind.MAILBOX)),
        ("rcpt", 550, "4.2.2 the first digit rules", failed(Kind.OTHER)),
        # rules and contents
        ("rcpt", 550, "5.7.1 policy", failed(Kind.POLICY, "provider")),
        ("rcpt", 554, "5.7.0 policy", failed(Kind.POLICY, "provider")),
        ("data", 554, "5.7.1 spam", failed(Kind.CONTENT, "provider")),
        ("data", 554, "5.6.0 not well made", failed(Kind.CONTENT, "provider")),
        ("data", 554, "no", failed(Kind.CONTENT, "provider")),
        ("data", 552, "5.3.4 too big", failed(Kind.SIZE)),
        ("data", 552, "too big", failed(Kind.SIZE)),
        ("mail", 552, "5.3.4 too big", paused(Kind.SIZE)),
        # our domain
        ("data", 550, "5.7.26 neither SPF nor DKIM passed", deferred(Kind.DOMAIN, "provider", "SPF, DKIM")),
        ("data", 550, "5.7.26 not authenticated", deferred(Kind.DOMAIN, "provider", "SPF, DKIM, DMARC")),
        ("data", 550, "5.7.515 access denied", deferred(Kind.DOMAIN, "provider", "SPF, DKIM, DMARC")),
        ("rcpt", 550, "5.7.25 no reverse name", deferred(Kind.DOMAIN, "provider", "PTR")),
        ("rcpt", 550, "5.7.23 SPF", deferred(Kind.DOMAIN, "provider", "SPF")),
        ("data", 550, "5.7.27 authenticate with SPF or DKIM", deferred(Kind.DOMAIN, "provider", "SPF")),
        ("data", 550, "5.7.30 no signature", deferred(Kind.DOMAIN, "provider", "DKIM")),
        ("data", 550, "5.7.32 From is not aligned", deferred(Kind.DOMAIN, "provider", "DMARC")),
        ("data", 421, "4.7.27 SPF did not pass", deferred(Kind.DOMAIN, "provider", "SPF")),
        ("mail", 550, "5.7.25 no reverse name", paused(Kind.DOMAIN, "PTR")),
        ("mail", 450, "4.7.25 no reverse name", deferred(Kind.DOMAIN, "relay", "PTR")),
        # our sender, our password
        ("mail", 550, "5.7.1 our sender", paused(Kind.SENDER)),
        ("mail", 501, "5.1.7 bad sender syntax", paused(Kind.SENDER)),
        ("mail", 555, "parameters", paused(Kind.SENDER)),
        ("rcpt", 550, "5.1.8 sender's domain not found", deferred(Kind.SENDER, "provider")),
        ("auth", 535, "5.7.8 wrong password", paused(Kind.AUTH)),
        ("mail", 530, "5.7.0 authentication required", paused(Kind.AUTH)),
        ("auth", 454, "4.7.0 out of order", deferred(Kind.RELAY, "relay")),
        # haste
        ("data", 421, "4.7.28 too fast", deferred(Kind.RATE, "relay")),
        ("rcpt", 421, "4.7.0 try later", deferred(Kind.RATE, "relay")),
        ("mail", 451, "4.7.1 too much mail from you", deferred(Kind.RATE, "relay")),
        ("rcpt", 450, "4.7.1 too many recipients", deferred(Kind.RATE, "provider")),
        ("data", 451, "4.4.5 congestion", deferred(Kind.RATE, "provider")),
        # greylisting
        ("rcpt", 450, "4.2.0 come again", deferred(Kind.GREYLIST)),
        ("rcpt", 451, "4.7.1 Greylisting in action", deferred(Kind.GREYLIST)),
        ("rcpt", 451, "you are gray-listed", deferred(Kind.GREYLIST)),
        # trouble of the server
        ("rcpt", 421, "closing", deferred(Kind.RELAY, "relay")),
        ("data", 452, "4.3.1 disk full", deferred(Kind.RELAY, "relay")),
        ("data", 451, "local error", deferred(Kind.RELAY, "relay")),
        ("mail", 452, "", deferred(Kind.RELAY, "relay")),
        ("connect", 554, "no service for you", deferred(Kind.RELAY, "relay")),
        ("connect", 421, "too busy", deferred(Kind.RELAY, "relay")),
        ("ehlo", 502, "what?", deferred(Kind.RELAY, "relay")),
        ("starttls", 454, "4.7.0 not now", deferred(Kind.RELAY, "relay")),
        # commands that were not understood
        *(("rcpt", code, "what?", deferred(Kind.SYNTAX)) for code in (500, 501, 502, 503, 504, 555)),
        ("data", 503, "5.5.1 RCPT first", deferred(Kind.SYNTAX)),
        ("mail", 503, "5.5.1 nested MAIL", deferred(Kind.SYNTAX)),
        # scripts
        ("mail", 553, "5.6.7 no SMTPUTF8", failed(Kind.NO_SMTPUTF8)),
        ("rcpt", 553, "5.6.7 no SMTPUTF8", failed(Kind.NO_SMTPUTF8)),
        ("data", 554, "5.6.7 next hop has no SMTPUTF8", failed(Kind.NO_SMTPUTF8)),
        # nonsense
        ("data", 354, "this is no answer to a body", deferred(Kind.OTHER)),
        ("data", 999, "5.1.1", deferred(Kind.OTHER)),
        ("rcpt", -1, "", deferred(Kind.OTHER)),
    ],
)
def test_the_verdict_follows_the_first_digit_the_step_and_the_code(
    step: str, code: int, text: str, verdict: Verdict
) -> None:
    assert judge_reply(code, text, step=step) == verdict


CODES = st.integers(-1, 999) | st.sampled_from([421, 450, 451, 452, 454, 535, 550, 552, 554])
TEXTS = st.text() | st.builds(
    "{} {}".format, st.from_regex(r"[2-6]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True), st.text()
)


@given(code=CODES, text=TEXTS, step=st.sampled_from(STEPS) | st.text())
def test_only_an_acceptance_is_sent_and_only_a_refused_recipient_is_dead(code: int, text: str, step: str) -> None:
    verdict = judge_reply(code, text, step=step)

    assert (verdict.state == "sent") == (200 <= code < 300) == (verdict.kind is Kind.ACCEPTED)
    assert not verdict.is_address_dead or (step == "rcpt" and 500 <= code < 600)
    assert verdict.state != "failed" or 500 <= code < 600


@given(enhanced=st.sampled_from(sorted(OUR_DOMAIN)), text=st.text(), step=st.sampled_from(["mail", "rcpt", "data"]))
def test_what_is_wrong_with_our_domain_never_counts_against_a_person(enhanced: str, text: str, step: str) -> None:
    code = 550 if enhanced.startswith("5") else 451

    verdict = judge_reply(code, f"{enhanced} {text}", step=step)

    assert (verdict.state, verdict.kind, verdict.is_address_dead) == ("deferred", Kind.DOMAIN, False)
    words = verdict.record.split(", ")
    assert set(words) <= {"SPF", "DKIM", "DMARC", "PTR", "TLS", "reputation"}, "no text of the server is passed on"


@given(text=st.text())
def test_any_text_has_a_code_or_none(text: str) -> None:
    found = enhanced_code(text)

    assert found is None or found in text


@pytest.mark.parametrize("kind", list(Kind))
def test_pauses_grow_to_an_end_and_stay_there(kind: Kind) -> None:
    pauses = [retry_pause(attempts, kind) for attempts in range(1, 12)]

    assert pauses == sorted(pauses)
    assert timedelta(minutes=1) <= pauses[0]
    assert pauses[-1] == pauses[-3] <= timedelta(hours=4)


def test_a_greylisted_message_comes_again_after_the_five_minutes_and_before_the_quarter_of_an_hour() -> None:
    first = retry_pause(1, Kind.GREYLIST)

    assert timedelta(minutes=5) < first < timedelta(minutes=15)


def test_a_refused_password_is_tried_once_a_minute() -> None:
    assert {retry_pause(attempts, Kind.AUTH) for attempts in range(1, 9)} == {timedelta(minutes=1)}
