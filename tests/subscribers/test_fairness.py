"""Whose turn it is among editions that share the way out."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.fairness import Contender, Turns, next_turn

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)


def contender(name: str, pending: int, cadence: str = "weekly", hours_ago: float = 0) -> Contender:
    return Contender(name, cadence, NOW - timedelta(hours=hours_ago), pending)


def play(pending: dict[str, int], *, chunk: int = 400, turns: Turns | None = None) -> list[str]:
    """Who has each turn until everything is sent."""
    left, order = dict(pending), []
    turns = turns or {}
    while left:
        chosen, turns = next_turn([contender(name, count) for name, count in left.items()], turns)
        order.append(chosen.edition_id)
        left[chosen.edition_id] -= chunk
        left = {name: count for name, count in left.items() if count > 0}
    return order


def test_confirmations_go_before_immediate_digests_and_these_before_all_others() -> None:
    waiting = [
        contender("weekly", 10, hours_ago=99),
        contender("daily", 10, "daily"),
        contender("now", 10, "immediate"),
        contender("confirm", 10, "confirmation"),
    ]

    order = []
    while waiting:
        chosen, _ = next_turn(waiting, {})
        order.append(chosen.edition_id)
        waiting.remove(chosen)

    assert order == ["confirm", "now", "weekly", "daily"]


def test_a_small_edition_is_through_long_before_one_of_a_million() -> None:
    order = play({"big": 1_000_000, "small": 2_000})

    last_small = len(order) - order[::-1].index("small")
    assert last_small < 20
    assert Counter(order) == {"big": 2500, "small": 5}


def test_many_small_editions_do_not_starve_one_of_a_million() -> None:
    order = play({"big": 1_000_000} | {f"small{number}": 4_000 for number in range(20)})

    assert order[:60].count("big") >= 3


def test_a_newcomer_waits_for_nobody_and_takes_nobodys_turns() -> None:
    turns: Turns = {}
    for _ in range(1000):
        _, turns = next_turn([contender("old", 1_000_000, hours_ago=2)], turns)

    order = []
    for _ in range(10):
        chosen, turns = next_turn([contender("old", 600_000, hours_ago=2), contender("new", 1_000_000)], turns)
        order.append(chosen.edition_id)

    assert 4 <= order.count("new") <= 6


def test_while_others_go_first_nobody_loses_their_place() -> None:
    _, turns = next_turn([contender("a", 100, hours_ago=1), contender("b", 100)], {})
    _, turns = next_turn([contender("a", 100), contender("b", 100), contender("now", 5, "immediate")], turns)

    chosen, _ = next_turn([contender("a", 100, hours_ago=1), contender("b", 100)], turns)

    assert chosen.edition_id == "b"


def test_nobody_to_choose_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody has anything to send"):
        next_turn([], {})


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 20_000), min_size=1))
def test_everybody_gets_through(pending: dict[str, int]) -> None:
    assert Counter(play(pending)) == {name: -(-count // 400) for name, count in pending.items()}
