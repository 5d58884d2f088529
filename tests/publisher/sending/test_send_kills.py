"""Killed without warning and started again: nobody lost, nobody twice, only what was in flight is in doubt."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from trial import Begin, Trial

from publisher.failpoints import NAMES
from publisher.store.schema_dispatch import deliveries
from publisher.usecases.editions import approve
from publisher.usecases.opening import open_edition
from publisher.usecases.planning import plan

CONNECTIONS = 3
IN_FLIGHT = CONNECTIONS * 2


PLAN_POINTS = ("plan-before-deliveries", "plan-before-commit", "plan-after-commit")
SEND_POINTS = (
    "send-after-claim",
    "send-after-intent",
    "send-before-data",
    "send-mid-body",
    "send-after-dot",
    "send-after-reply",
    "send-before-commit",
    "send-after-outcome",
    "send-before-release",
)


def start_sender(trial: Trial, failpoint: str = "") -> subprocess.Popen[bytes]:
    return start(trial, "digest", "send", trial.edition, failpoint=failpoint)


def start(trial: Trial, *arguments: str, failpoint: str = "") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "publisher", f"--config={trial.newsroom.config_file}", *arguments]
    environment = os.environ | {"PUBLISHER_FAILPOINT": failpoint}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_until(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def assert_fair(trial: Trial, people: int, *, uncertain: int) -> None:
    judgement = trial.judgement
    assert sum(trial.states.values()) == people
    assert set(trial.states) <= {"sent", "uncertain"}
    assert judgement.lost == []
    assert judgement.duplicated == []
    assert judgement.uncertain <= uncertain


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failpoint", "uncertain"),
    [
        ("send-after-claim:1", 0),
        ("send-after-intent:2", IN_FLIGHT),
        ("send-before-data:7", IN_FLIGHT),
        ("send-mid-body:7", IN_FLIGHT),
        ("send-after-dot:7", IN_FLIGHT),
        ("send-after-reply:7", IN_FLIGHT),
        ("send-before-commit:4", IN_FLIGHT),
        ("send-after-outcome:4", IN_FLIGHT),
        ("send-before-release:1", 0),
    ],
)
def test_a_sender_that_dies_at_a_named_point_is_carried_on_by_the_next(
    begin: Begin, failpoint: str, uncertain: int
) -> None:
    trial = begin(40, connections=CONNECTIONS)

    died_with = start_sender(trial, failpoint).wait(timeout=60)
    trial.send()

    assert died_with == 137
    assert_fair(trial, 40, uncertain=uncertain)


@pytest.mark.parametrize("point", PLAN_POINTS)
def test_planning_that_dies_leaves_nothing_or_all_and_may_be_repeated(begin: Begin, point: str) -> None:
    trial = begin(20)
    trial.newsroom.clock.forward(hours=24)
    trial.newsroom.add_item(released_at=trial.newsroom.clock.now - timedelta(hours=1))
    trial.edition = open_edition(trial.newsroom.app, "weekly").id
    approve(trial.newsroom.app, trial.edition, actor="ada")

    died_with = start(trial, "digest", "plan", trial.edition, failpoint=point).wait(timeout=60)

    assert died_with == 137
    assert trial.states == ({"planned": 20} if point == "plan-after-commit" else {})
    plan(trial.newsroom.app, trial.edition)
    assert trial.states == {"planned": 20}
    trial.send()
    assert_fair(trial, 20, uncertain=0)


def test_every_failpoint_of_sending_has_its_trial() -> None:
    tried = {mark for mark in NAMES if mark.startswith(("send-", "plan-"))}

    assert tried == {*PLAN_POINTS, *SEND_POINTS, "send-release-lock"}


@pytest.mark.slow
def test_killed_again_and_again_at_random_moments_nobody_is_lost_or_written_to_twice(begin: Begin) -> None:
    trial = begin(400, delay_s=0.01, connections=CONNECTIONS)
    chance = random.Random(4)
    kills = 0

    for _ in range(5):
        target = len(trial.court.accepted) + chance.randint(1, 60)
        sender = start_sender(trial)
        wait_until(
            lambda target=target, sender=sender: len(trial.court.accepted) >= target or sender.poll() is not None
        )
        time.sleep(chance.random() / 100)  # any point of the dialogue
        sender.send_signal(signal.SIGKILL)
        kills += sender.wait(timeout=60) == -signal.SIGKILL
    trial.send()

    assert kills >= 3
    assert_fair(trial, 400, uncertain=kills * IN_FLIGHT)


@pytest.mark.slow
def test_open_intents_are_bounded_by_twice_the_connections(begin: Begin) -> None:
    trial = begin(60, delay_s=0.02, connections=CONNECTIONS)
    sender = start_sender(trial)
    wait_until(lambda: len(trial.court.accepted) >= 15)
    sender.send_signal(signal.SIGSTOP)

    open_intents = sum(row["state"] == "sending" for row in trial.newsroom.rows(deliveries))
    sender.send_signal(signal.SIGCONT)
    sender.wait(timeout=60)

    assert 1 <= open_intents <= IN_FLIGHT
    assert_fair(trial, 60, uncertain=0)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["digest send", "tick"])
def test_a_sender_that_is_asked_to_end_leaves_nothing_in_doubt(begin: Begin, command: str, number: int) -> None:
    trial = begin(60, delay_s=0.02, connections=CONNECTIONS)
    arguments = [*command.split(), *([trial.edition] if command == "digest send" else [])]
    sender = start(trial, *arguments)
    wait_until(lambda: len(trial.court.accepted) >= 10)

    sender.send_signal(number)
    ended_with = sender.wait(timeout=60)

    assert ended_with == 0
    assert len(trial.court.accepted) < 60
    assert set(trial.states) == {"sent", "planned"}
    trial.send()
    assert_fair(trial, 60, uncertain=0)
