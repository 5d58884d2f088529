"""Which replies are told to which lane, and what they change there."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.breakers import CLOSED, Fault, probe, trip
from subscribers.lanes import Heard, Lane, adapt, pass_one, prepare, provider_key, sort_by_lane, wait_s
from subscribers.pacing import Limits, Pace
from subscribers.replies import STEPS, Kind, judge_reply

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
RELAY = Limits(rate=100.0, connections=10)


def faults(*replies: tuple[str, int, str, str]) -> dict[str, dict[Kind, int]]:
    outcomes = [(domain, judge_reply(code, text, step=step)) for domain, code, text, step in replies]
    return {key: dict(one.faults) for key, one in sort_by_lane("main", outcomes).items() if one.faults}


@pytest.mark.parametrize(
    ("reply", "blamed"),
    [
        (("a.example", 250, "ok", "data"), {}),
        (("a.example", 550, "5.1.1 unknown", "rcpt"), {"relay:main": {Kind.ADDRESS: 1}}),
        (("a.example", 450, "4.2.0 greylisted", "rcpt"), {}),
        (("a.example", 550, "5.7.26 SPF", "data"), {"domain:a.example": {Kind.DOMAIN: 1}}),
        (
            ("a.example", 550, "5.7.1 no", "rcpt"),
            {"relay:main": {Kind.POLICY: 1}, "domain:a.example": {Kind.POLICY: 1}},
        ),
        (("a.example", 421, "4.7.28 slow down", "data"), {"relay:main": {Kind.RATE: 1}}),
        (("a.example", 450, "4.7.1 slow down", "rcpt"), {"domain:a.example": {Kind.RATE: 1}}),
        (("a.example", 550, "5.7.1 our sender", "mail"), {}),
        (("a.example", 535, "5.7.8 password", "auth"), {"relay:main": {Kind.AUTH: 1}}),
    ],
)
def test_a_reply_is_held_against_whom_it_comes_from(
    reply: tuple[str, int, str, str], blamed: dict[str, dict[Kind, int]]
) -> None:
    assert faults(reply) == blamed


def test_what_three_providers_say_at_once_the_relay_says() -> None:
    slow = [(f"{name}.example", 450, "4.7.1 slow down", "rcpt") for name in "abc"]

    assert "relay:main" not in faults(*slow[:2])
    assert faults(*slow)["relay:main"] == {Kind.RATE: 3}


@given(
    replies=st.lists(
        st.tuples(
            st.sampled_from(["a.example", "b.example"]), st.integers(200, 599), st.text(), st.sampled_from(STEPS)
        ),
        max_size=20,
    )
)
def test_every_reply_is_counted_once_for_its_relay_and_its_provider(replies: list[tuple[str, int, str, str]]) -> None:
    heard = sort_by_lane("main", [(one[0], judge_reply(one[1], one[2], step=one[3])) for one in replies])

    relay = heard.pop("relay:main", Heard())
    assert relay.tried == len(replies) == sum(one.tried for one in heard.values())
    assert relay.accepted == sum(200 <= code < 300 for _, code, _, _ in replies)


@pytest.mark.parametrize(
    ("domain", "key"),
    [
        ("Gmail.COM", "domain:gmail.com"),
        ("Bücher.example", "domain:xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "domain:xn--bcher-kva.example"),
        ("ü" * 80, "domain:" + "ü" * 80),
    ],
)
def test_all_spellings_of_a_domain_are_one_provider(domain: str, key: str) -> None:
    assert provider_key(domain) == key


def test_haste_empties_the_bucket_at_its_new_rate() -> None:
    lane = prepare(Lane("relay:main"), RELAY, now=NOW)

    slower = adapt(lane, Heard(faults=Counter([Kind.RATE])), RELAY, fault=None, now=NOW)

    assert (slower.pace, wait_s(slower, NOW)) == (Pace(50.0, 1, NOW), 0.02)
    assert prepare(slower, RELAY, now=NOW + timedelta(seconds=10)).bucket.tokens == 50  # type: ignore[union-attr]


def test_a_domain_fault_names_the_record_and_the_next_acceptance_closes_it_again() -> None:
    heard = Heard(faults=Counter([Kind.DOMAIN]), record="DKIM")
    lane = adapt(Lane("domain:a.example"), heard, Limits(), fault=Fault(Kind.DOMAIN), now=NOW)
    assert lane.breaker.fault == Fault(Kind.DOMAIN, "DKIM")
    assert wait_s(lane, NOW) == 3600

    late = adapt(lane, Heard(accepted=1, tried=1), Limits(), fault=None, now=NOW)
    assert late == lane, "what was in flight closes nothing"

    probing = pass_one(lane, NOW + timedelta(hours=1))
    closed = adapt(probing, Heard(accepted=1, tried=1), Limits(), fault=None, now=NOW + timedelta(hours=1))
    assert wait_s(closed, NOW + timedelta(hours=1)) == 0


def test_a_probe_that_hears_the_same_again_opens_for_longer() -> None:
    open_ = trip(CLOSED, Fault(Kind.CONTENT, "4 of 200"), now=NOW)
    lane = Lane("relay:main", breaker=probe(open_, NOW + timedelta(minutes=15)))

    again = adapt(lane, Heard(faults=Counter([Kind.CONTENT])), RELAY, fault=None, now=NOW + timedelta(minutes=15))

    assert wait_s(again, NOW + timedelta(minutes=15)) == 1800
