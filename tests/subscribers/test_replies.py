"""What an SMTP reply means."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.replies import Verdict, enhanced_code, judge_reply, retry_pause


@pytest.mark.parametrize(
    ("step", "code", "text", "verdict"),
    [
        ("data", 250, "2.0.0 queued", Verdict("sent")),
        ("data", 250, "5.1.1 says the text, but the first digit rules", Verdict("sent")),
        ("rcpt", 450, "4.2.0 greylisted", Verdict("deferred")),
        ("rcpt", 452, "4.2.2 mailbox full", Verdict("deferred")),
        ("data", 421, "4.7.28 too fast", Verdict("deferred")),
        ("data", 354, "this is no answer to a body", Verdict("deferred")),
        ("rcpt", 550, "5.1.1 no such mailbox", Verdict("failed", is_address_dead=True)),
        ("rcpt", 550, "5.1.10 null MX", Verdict("failed", is_address_dead=True)),
        ("rcpt", 550, "4.1.1 the first digit rules", Verdict("failed")),
        ("rcpt", 550, "no such mailbox (5.1.1)", Verdict("failed")),
        ("rcpt", 550, "5.1.11 is another code", Verdict("failed")),
        ("rcpt", 550, "5.7.1 policy", Verdict("failed")),
        ("rcpt", 552, "5.2.2 mailbox full", Verdict("failed")),
        ("data", 554, "5.1.1 after the body tells of the content", Verdict("failed")),
        ("mail", 550, "5.7.1 our sender", Verdict("deferred", pauses_run=True)),
        ("mail", 451, "4.7.1 later", Verdict("deferred")),
    ],
)
def test_the_verdict_follows_the_first_digit_and_the_step(step: str, code: int, text: str, verdict: Verdict) -> None:
    assert judge_reply(code, text, step=step) == verdict


@given(code=st.integers(-1, 999), text=st.text(), step=st.sampled_from(["mail", "rcpt", "data"]))
def test_only_an_acceptance_is_sent_and_only_a_refused_recipient_is_dead(code: int, text: str, step: str) -> None:
    verdict = judge_reply(code, text, step=step)

    assert (verdict.state == "sent") == (200 <= code < 300)
    assert not verdict.is_address_dead or (step == "rcpt" and 500 <= code < 600)


@given(text=st.text())
def test_any_text_has_a_code_or_none(text: str) -> None:
    found = enhanced_code(text)

    assert found is None or found in text


def test_pauses_grow_to_four_hours_and_stay_there() -> None:
    pauses = [retry_pause(attempts) for attempts in range(1, 12)]

    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(minutes=1)
    assert pauses[-1] == pauses[-3] == timedelta(hours=4)
