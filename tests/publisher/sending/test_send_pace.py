"""Pace and health of relays and providers within a run: who is slow or out of order holds up nobody else."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from judge_rules import at
from judging import open_court
from newsroom_app import MONDAY
from sqlalchemy import func
from trial import Begin, Sending, Trial, nothing, send_while

from publisher.store.pace import write_lanes
from publisher.store.schema import editions
from publisher.store.schema_dispatch import deliveries, pace
from publisher.usecases import composer, later, pump
from publisher.usecases.service import send_tick
from subscribers.breakers import CLOSED, Fault, trip
from subscribers.lanes import Lane
from subscribers.replies import Kind

SLOW = '[[pace.domains]]\ndomain = "slow.example"\nmessages_per_second = {rate}\n'


def move_to_slow_provider(trial: Trial, names: str) -> None:
    slow = func.replace(deliveries.c.email, "example.org", "slow.example")
    with trial.newsroom.app.database.write() as tx:
        tx.execute(deliveries.update().where(deliveries.c.email.like(names)).values(email=slow))


def fail_to_postpone(*_arguments: object) -> None:
    raise AssertionError("a message that only waits for its pace was given back")


def test_an_edition_for_a_relay_with_a_pace_is_sent_whole_in_one_run(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "postpone", fail_to_postpone)
    trial = begin(60, smtp="messages_per_second = 40")
    trial.newsroom.clock.goes_on = True

    (result,) = send_while(trial, nothing)

    assert result.is_clean
    assert result.states == {"sent": 60}
    assert {row["attempts"] for row in trial.newsroom.rows(deliveries)} == {1}


def test_a_slow_provider_keeps_nobody_else_waiting(begin: Begin) -> None:
    trial = begin(80, connections=2, smtp=SLOW.format(rate=1))
    move_to_slow_provider(trial, "p%")

    async def stop_after_the_others(sending: Sending) -> None:
        await sending.until_accepted(41)
        sending.stop.set()

    (result,) = send_while(trial, stop_after_the_others)  # the clock stands still: the slow one gets one message

    assert result.states == {"sent": 41, "planned": 39}
    assert sum(one.recipient.startswith("q") for one in trial.court.accepted) == 40


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few messages are kept in hand, and what is given back is due again after moments."""
    monkeypatch.setattr(later, "KEPT_MAX", 5)
    for module in (later, pump):
        monkeypatch.setattr(module, "KEPT_S", 0.3)
    monkeypatch.setattr(composer, "RETURN_S", 0.3)


@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
def test_what_is_too_much_to_be_kept_in_hand_comes_back_within_the_run(begin: Begin) -> None:
    trial = begin(60, connections=2, smtp=SLOW.format(rate=20))
    trial.newsroom.clock.goes_on = True
    move_to_slow_provider(trial, "p%")

    (result,) = send_while(trial, nothing)

    assert result.states == {"sent": 60}


@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
def test_what_was_given_back_long_ago_does_not_keep_a_run_that_has_nothing_left(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composer, "RETURN_S", -1.0)  # as for a composer that was busy for longer
    trial = begin(60, connections=2, smtp=SLOW.format(rate=20))
    trial.newsroom.clock.goes_on = True
    move_to_slow_provider(trial, "p%")

    (result,) = send_while(trial, nothing)

    assert result.states["sent"] >= 30


def test_a_provider_that_is_left_alone_for_an_hour_does_not_keep_the_run(begin: Begin) -> None:
    trial = begin(20, at("rcpt", "550 5.7.30 no DKIM signature", who="*@slow.example"), connections=2)
    trial.newsroom.clock.goes_on = True
    move_to_slow_provider(trial, "p%")

    (result,) = send_while(trial, nothing)

    assert result.trouble is None
    assert result.states == {"sent": 10, "deferred": 10}
    due = [row["next_attempt_at"] for row in trial.newsroom.rows(deliveries) if not row["attempts"]]
    assert due
    assert {moment - trial.newsroom.clock() > timedelta(minutes=50) for moment in due} == {True}


def two_relays(port: int) -> str:
    return f'[[smtp.relays]]\nname = "a"\n[[smtp.relays]]\nname = "b"\nport = {port}\n'


def test_where_one_relay_is_left_alone_the_other_takes_everything(begin: Begin, tmp_path: Path) -> None:
    with open_court(tmp_path / "b") as other:
        trial = begin(30, connections=2, smtp=two_relays(other.port))
        breaker = trip(CLOSED, Fault(Kind.AUTH), now=trial.newsroom.clock())
        with trial.newsroom.app.database.write() as tx:
            write_lanes(tx, [Lane("relay:a", breaker=breaker)])

        (result,) = send_while(trial, nothing)

        assert (result.trouble, result.states) == (None, {"sent": 30})
        assert (len(trial.court.accepted), len(other.accepted)) == (0, 30)


def test_where_a_relay_gets_into_trouble_the_other_takes_over_and_no_edition_is_held(
    begin: Begin, tmp_path: Path
) -> None:
    with open_court(tmp_path / "b") as other:
        trial = begin(60, at("mail", "450 4.7.26 unauthenticated"), connections=2, smtp=two_relays(other.port))

        (result,) = send_while(trial, nothing)

        assert result.trouble is None
        assert set(result.states) == {"sent", "deferred"}
        assert len(other.accepted) == result.states["sent"] >= 60 - 4
        assert [row["key"] for row in trial.newsroom.rows(pace) if row["open_until"]] == ["relay:a"]
        assert [row["outcome"] for row in trial.newsroom.rows(editions)] == [None]


def test_a_relay_that_refuses_the_password_is_asked_once_a_minute_however_many_editions_wait(
    begin: Begin, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("wrong")
    account = 'username = "news"\npassword_file = "password"'
    trial = begin(4, now=MONDAY, password="right", smtp=account)
    newsroom = trial.newsroom
    newsroom.add_person("daily", cadence="daily")

    async def tick_for(seconds: int) -> None:
        for _ in range(0, seconds, 10):
            await send_tick(newsroom.app, asyncio.Event())
            newsroom.clock.forward(seconds=10)

    asyncio.run(tick_for(30))
    newsroom.add_item(released_at=newsroom.clock.now - timedelta(seconds=5))
    newsroom.plan_edition("daily")
    asyncio.run(tick_for(150))

    assert 2 <= trial.court.count_steps("auth") <= 3
    assert {str(row["outcome"])[:5] for row in newsroom.rows(editions)} == {"held:"}
    assert trial.court.accepted == []
