"""Runs that end early, are taken for dead, or are joined: nobody is stuck, claimed for ever or written to twice."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from judge_rules import at
from newsroom_app import MONDAY
from trial import HANGS_S, Begin, Sending, Trial, nothing, send_while

from publisher.app import App, open_app
from publisher.errors import StateError, StoreError
from publisher.mail.signing import SigningPool
from publisher.store import leases
from publisher.store.deliveries import Claim
from publisher.store.leases import end_lease, take_over
from publisher.store.schema import editions, suppressions
from publisher.store.schema_dispatch import deliveries, delivery_events
from publisher.transport.pool import RelayPool
from publisher.usecases import composer, pump, sender
from publisher.usecases.composer import Composer
from publisher.usecases.editions import pause, resume
from publisher.usecases.endings import prepare
from publisher.usecases.intents import claim_chunk, exchange, give_back
from publisher.usecases.rendering import render_variants
from publisher.usecases.run import Run, Wanted
from publisher.usecases.sender import begin_sending

IN_FLIGHT = 4
"""Of two connections."""


@contextmanager
def another_process(trial: Trial) -> Iterator[App]:
    app = open_app(trial.newsroom.config_file, trial.newsroom.clock)
    try:
        yield app
    finally:
        app.database.close()


def take_all_over(app: App, *, is_alone: bool = True) -> int:
    with app.database.write() as tx:
        return take_over(tx, app.clock(), is_alone=is_alone)


def states_of(trial: Trial, *states: str) -> list[dict[str, object]]:
    return [row for row in trial.newsroom.rows(deliveries) if row["state"] in states]


def edition_row(trial: Trial) -> dict[str, object]:
    return next(row for row in trial.newsroom.rows(editions) if row["id"] == trial.edition)


def break_at(module: Any, name: str, error: Exception, *, call: int) -> Callable[[pytest.MonkeyPatch], None]:
    """What lets the so many-th call of a function, and each after it, end so."""
    real, calls = getattr(module, name), iter(range(1, 10_000))

    def broken(*arguments: object, **options: object) -> object:
        if next(calls) >= call:
            raise error
        return real(*arguments, **options)

    return lambda patch: patch.setattr(module, name, broken)


# Runs that end by what nobody expected


@pytest.mark.parametrize(
    "breakage",
    [
        break_at(pump, "exchange", StoreError("the disk is full"), call=4),
        break_at(composer, "make_envelope", KeyError("a bug"), call=25),
        break_at(composer, "claim_chunk", StoreError("the disk is full"), call=3),
    ],
    ids=["ledger", "message", "claim"],
)
def test_after_a_run_that_broke_down_the_next_one_sends_to_everybody_else(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, breakage: Callable[[pytest.MonkeyPatch], None]
) -> None:
    monkeypatch.setattr(composer, "CHUNK", 10)
    trial = begin(40, connections=2)

    with monkeypatch.context() as patch:
        breakage(patch)
        with pytest.raises((StoreError, KeyError), match=r"the disk is full|a bug"):
            send_while(trial, nothing)
    trial.send()

    assert_all_but_some_sent(trial, 40)


def test_after_a_run_that_was_cancelled_the_next_one_sends_to_everybody_else(begin: Begin) -> None:
    trial = begin(40, delay_s=0.02, connections=2)

    async def cancel(sending: Sending) -> None:
        await sending.until_accepted(5)
        sending.task.cancel()

    with pytest.raises(asyncio.CancelledError):
        send_while(trial, cancel)
    assert states_of(trial, "claimed") == []
    trial.send()

    assert_all_but_some_sent(trial, 40)


def assert_all_but_some_sent(trial: Trial, people: int) -> None:
    """Those that were open when the run ended are in doubt, and the edition is done all the same."""
    assert set(trial.states) <= {"sent", "uncertain"}
    assert trial.states.get("uncertain", 0) <= IN_FLIGHT
    assert sum(trial.states.values()) == people
    assert trial.judgement.lost == trial.judgement.duplicated == []
    assert edition_row(trial)["state"] == "done"


# Claims at the end of a run


def test_a_claim_that_is_being_written_at_the_end_is_waited_for_and_given_back(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = begin(60, connections=2)
    real, at_it = composer.claim_chunk, []

    def claim_slowly(*arguments: Any, **options: Any) -> object:
        at_it.append("begun")
        if len(at_it) > 4:
            time.sleep(0.3)  # a database that is slow on purpose
        claims = real(*arguments, **options)
        at_it.append("written")
        return claims

    async def stop(sending: Sending) -> None:
        await sending.until(lambda: at_it[4:] == ["begun"])
        sending.stop.set()
        await sending.task
        assert at_it[4:] == ["begun", "written"]

    monkeypatch.setattr(composer, "CHUNK", 5)
    monkeypatch.setattr(composer, "claim_chunk", claim_slowly)
    send_while(trial, stop)

    assert set(trial.states) == {"sent", "planned"}
    monkeypatch.undo()
    assert trial.send().states == {"sent": 60}
    assert trial.judgement.duplicated == []


def test_what_a_run_tells_at_its_end_is_claimed_by_nobody(begin: Begin) -> None:
    trial = begin(60, delay_s=0.02, connections=2)

    async def stop(sending: Sending) -> None:
        await sending.until_accepted(3)
        sending.stop.set()

    (result,) = send_while(trial, stop)

    assert set(result.states) == {"sent", "planned"}


def test_messages_that_wait_for_their_provider_do_not_keep_a_run_that_is_to_end(begin: Begin) -> None:
    slow = '[[pace.domains]]\ndomain = "example.org"\nmessages_per_second = 0.1\n'
    trial = begin(10, smtp=slow)
    seconds = []

    async def stop(sending: Sending) -> None:
        await sending.until_accepted(1)
        await sending.until(lambda: not states_of(trial, "sending"))
        began = time.monotonic()
        sending.stop.set()
        await sending.task
        seconds.append(time.monotonic() - began)

    send_while(trial, stop)

    assert seconds[0] < 4  # the next one has to wait for ten
    assert trial.states == {"sent": 1, "planned": 9}


@pytest.mark.slow
def test_while_connections_are_slow_to_fail_a_run_waits_and_does_not_spin(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough = at("mail", "421 4.7.0 enough for now", "drop", nth=(3, 99), connections=(1, 1))
    refused = at("banner", "554 5.3.2 no service", "drop", connections=(2, 2))
    slow = at("banner", "wait:0.7", "554 5.3.2 no service", "drop", connections=(3, 99))
    trial = begin(40, enough, refused, slow, connections=4)
    real, rounds = pump.Pump._feed, []

    async def count(one: pump.Pump) -> bool:
        rounds.append(one)
        assert len(rounds) < 60, "it spins"
        return await real(one)

    monkeypatch.setattr(pump.Pump, "_feed", count)
    (result,) = send_while(trial, nothing)

    assert "554 5.3.2 no service" in str(result.trouble)
    assert set(result.states) == {"sent", "planned", "deferred"}
    assert trial.court.count_steps("banner") >= 3


# Runs that were taken for dead


def test_a_run_that_was_taken_over_begins_nothing_more_and_says_so(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composer, "CHUNK", 10)
    trial = begin(60, delay_s=0.05, connections=2)
    known: list[int] = []

    async def take_over_now(sending: Sending) -> None:
        await sending.until_accepted(5)
        with another_process(trial) as app:
            uncertain = await asyncio.to_thread(take_all_over, app)
        known.extend((len(trial.court.accepted), uncertain))

    with pytest.raises(StateError, match="another sender has taken over"):
        send_while(trial, take_over_now)

    accepted, uncertain = known
    assert set(trial.states) == {"sent", "uncertain", "planned"}
    assert 1 <= trial.states["uncertain"] == uncertain <= IN_FLIGHT
    assert len(trial.court.accepted) <= accepted + IN_FLIGHT
    assert trial.send().states == {"sent": 60 - uncertain, "uncertain": uncertain}
    assert trial.judgement.duplicated == []


def test_what_a_run_that_was_taken_over_hears_late_changes_nothing(begin: Begin) -> None:
    trial = begin(2, at("rcpt", "wait:0.4", "550 5.1.1 no such mailbox"), connections=2)

    async def take_over_now(sending: Sending) -> None:
        await sending.until(lambda: len(states_of(trial, "sending")) == 2)
        with another_process(trial) as app:
            await asyncio.to_thread(take_all_over, app)

    (result,) = send_while(trial, take_over_now)

    assert result.states == {"uncertain": 2}
    assert {row["reply"] for row in states_of(trial, "uncertain")} == {
        "the sender died while this message was in flight"
    }
    assert trial.newsroom.rows(suppressions) == trial.newsroom.rows(delivery_events) == []


def test_without_its_lease_a_run_neither_claims_nor_begins(begin: Begin) -> None:
    trial = begin(4)
    render_variants(trial.newsroom.app, trial.edition, stop=lambda: False)
    run = begin_run_of(trial)
    claims = claim_chunk(run, trial.edition, limit=2)
    with trial.newsroom.app.database.write() as tx:
        end_lease(tx, run.fence)

    with pytest.raises(StateError, match="taken over"):
        claim_chunk(run, trial.edition, limit=2)
    with pytest.raises(StateError, match="taken over"):
        exchange(run, [], [Wanted(one, "main") for one in claims])

    assert trial.states == {"planned": 2, "claimed": 2}


def test_while_a_relay_keeps_a_run_waiting_its_lease_is_renewed(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (leases, sender):
        monkeypatch.setattr(module, "LEASE", timedelta(seconds=0.4))
    trial = begin(1, at("dot", "wait:1.2", "keep", "250 2.0.0 ok"))
    taken: list[int] = []

    async def try_to_take_over(sending: Sending) -> None:
        with another_process(trial) as app:
            while not sending.task.done():
                taken.append(await asyncio.to_thread(take_all_over, app, is_alone=False))
                await asyncio.sleep(0.05)

    (result,) = send_while(trial, try_to_take_over)

    assert result.states == {"sent": 1}
    assert len(taken) > 2
    assert not any(taken)


# Editions that join, stand still and go on


@pytest.mark.slow
def test_an_edition_that_becomes_due_while_the_last_message_is_in_flight_takes_part(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "LOOK_PAUSE", timedelta(seconds=0.05))
    trial = begin(4, at("dot", "wait:2.5", "keep", "250 2.0.0 ok", who="q001*"), connections=4, now=MONDAY)
    trial.newsroom.add_item(released_at=MONDAY - timedelta(hours=1))
    trial.newsroom.add_person("daily", cadence="daily")
    daily, due = trial.newsroom.plan_edition("daily"), list[str]()

    async def be_due(sending: Sending) -> None:
        await sending.until_accepted(3)
        await sending.until(lambda: len(states_of(trial, "sending")) == 1)
        due.append(daily)

    results = send_while(trial, be_due, find_more=lambda: due)

    assert [result.states for result in results] == [{"sent": 4}, {"sent": 1}]
    assert [one.recipient[:5] for one in trial.court.accepted][-2:] == ["daily", "q001@"]


@pytest.mark.slow
def test_an_edition_that_is_paused_and_resumed_goes_on_within_the_run(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "LOOK_PAUSE", timedelta(seconds=0.05))
    trial = begin(40, at("dot", "wait:2", "keep", "250 2.0.0 ok", nth=2), delay_s=0.01, connections=2)
    app = trial.newsroom.app

    async def pause_for_a_while(sending: Sending) -> None:
        await sending.until_accepted(5)
        await asyncio.to_thread(pause, app, trial.edition, actor="ada")
        await sending.until(lambda: not states_of(trial, "claimed"))
        await asyncio.to_thread(resume, app, trial.edition)

    (result,) = send_while(trial, pause_for_a_while)

    assert (result.trouble, result.states) == (None, {"sent": 40})
    assert len(trial.court.accepted) == 40
    assert (edition_row(trial)["state"], edition_row(trial)["outcome"]) == ("done", "40 sent")


def test_what_was_claimed_before_a_hold_and_after_it_is_composed_once(begin: Begin) -> None:
    trial = begin(6)

    async def hold_and_release(made: Composer, run: Run) -> None:
        made.holds[trial.edition] = "paused"
        give_back(run, trial.edition)
        made.release(trial.edition)
        await until(lambda: made.is_dry)

    made = compose(trial, hold_and_release)

    assert len(made) == len(set(made)) == 6


def test_a_composer_that_waits_for_nothing_looks_for_what_is_given_back_meanwhile(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composer, "RETURN_S", -0.9)
    trial = begin(6)

    async def give_all_back(made: Composer, run: Run) -> None:
        made.expect_return()
        assert not made.is_dry
        await until(lambda: made.is_dry)
        made.ready.clear()
        made.expect_return()
        give_back(run)
        await until(lambda: made.is_dry)

    assert len(compose(trial, give_all_back)) == 6


def compose(trial: Trial, act: Callable[[Composer, Run], Awaitable[None]]) -> list[int]:
    """What is ready after all was composed, and ``act`` done."""
    render_variants(trial.newsroom.app, trial.edition, stop=lambda: False)
    run = begin_run_of(trial)

    async def work() -> list[int]:
        owner = pump.Pump(run, stop=asyncio.Event(), progress=lambda _settled: None)
        pool = RelayPool(run.app.config, owner)
        made = Composer(run, pool, kept_max=100, fail=fail_to_make, change=lambda: None)
        async with SigningPool(run.app.config) as signers:
            working = asyncio.create_task(made.work(signers))
            await until(lambda: made.is_dry)
            await act(made, run)
            ready = [one.claim.id for one in made.ready]
            made.end()
            await working
        return ready

    return asyncio.run(work())


def begin_run_of(trial: Trial) -> Run:
    run = begin_sending(trial.newsroom.app)
    sending = prepare(trial.newsroom.app, trial.edition)
    assert sending is not None
    run.editions[trial.edition] = sending
    return run


def fail_to_make(_claim: Claim, reason: str) -> None:
    raise AssertionError(reason)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANGS_S):
        while not is_so():
            await asyncio.sleep(0.005)
