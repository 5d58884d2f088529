"""A mailbox that keeps refusing softly is given up after three editions and two weeks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.mailboxes import Ending, is_given_up

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
FULL = "552 5.2.2 mailbox full"


def ending(days_ago: float, reply: str = FULL, state: str = "failed") -> Ending:
    return Ending(NOW - timedelta(days=days_ago), state, reply)


@pytest.mark.parametrize(
    ("endings", "given_up"),
    [
        ([], False),
        ([ending(0), ending(30)], False),
        ([ending(0), ending(7), ending(14)], True),
        ([ending(0), ending(7), ending(13)], False),
        ([ending(days) for days in range(14)], False),
        ([ending(days) for days in range(15)], True),
        ([ending(0, "452 4.2.2 full", "expired"), ending(7), ending(14)], True),
        ([ending(0), ending(7, "250 2.0.0 ok", "sent"), ending(14), ending(21)], False),
        ([ending(0), ending(7, "550 5.7.1 policy"), ending(14), ending(21)], False),
        ([ending(0), ending(7, "the sender died"), ending(14), ending(21)], False),
    ],
)
def test_three_editions_in_a_row_over_two_weeks(endings: list[Ending], given_up: bool) -> None:  # noqa: FBT001
    assert is_given_up(endings) == given_up


@given(reply=st.text(), state=st.sampled_from(["sent", "failed", "expired", "uncertain"]))
def test_any_recorded_reply_is_read(reply: str, state: str) -> None:
    assert isinstance(is_given_up([ending(0, reply, state), ending(7), ending(14), ending(21)]), bool)
