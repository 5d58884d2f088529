"""What the server's words, and its silence, mean for deliveries."""

from datetime import timedelta

import pytest
from trial import Begin, Trial

from publisher.store import deliveries as ledger
from publisher.store.schema import editions, suppressions
from publisher.store.schema_dispatch import deliveries, delivery_events
from publisher.usecases.editions import resume
from publisher.usecases.reports import list_deliveries


def test_everybody_planned_gets_one_message_and_the_edition_is_done(begin: Begin) -> None:
    trial = begin(30)

    result = trial.send()

    assert result.is_clean
    assert trial.states == {"sent": 30}
    assert len(set(trial.court.recipients)) == len(trial.court.recipients) == 30
    assert len({one.message_id for one in trial.court.accepted}) == 30
    assert trial.newsroom.rows(editions)[0]["state"] == "done"


def test_sending_a_done_edition_again_sends_nothing(begin: Begin) -> None:
    trial = begin(3)
    trial.send()

    again = trial.send()

    assert again.is_clean
    assert len(trial.court.accepted) == 3


@pytest.mark.parametrize("fault", ["greylist", "dot-451:2", "data-451:2", "421-after:3"])
@pytest.mark.parametrize("pipelining", [[], ["no-pipelining"]])
def test_who_was_refused_for_now_gets_the_message_later_and_once(
    begin: Begin, fault: str, pipelining: list[str]
) -> None:
    trial = begin(8, fault, *pipelining, connections=1)
    trial.newsroom.clock.goes_on = True  # a relay in haste is given messages by the second

    for _ in range(4):
        trial.send()
        trial.newsroom.clock.forward(hours=5)

    assert trial.states == {"sent": 8}
    assert trial.judgement.duplicated == []
    assert len(trial.court.accepted) == 8


def test_pauses_between_attempts_grow(begin: Begin) -> None:
    trial = begin(1, "mail-550")
    pauses = []

    for _ in range(4):
        trial.send()
        row = trial.newsroom.rows(deliveries)[0]
        pauses.append(row["next_attempt_at"] - trial.newsroom.clock.now)
        trial.newsroom.clock.now = row["next_attempt_at"]
        resume(trial.newsroom.app, trial.edition)

    assert pauses == [timedelta(minutes=minutes) for minutes in (1, 5, 15, 30)]


def test_before_its_pause_is_over_nothing_is_tried(begin: Begin) -> None:
    trial = begin(1, "greylist")
    trial.send()
    trial.newsroom.clock.forward(seconds=59)

    trial.send()

    assert trial.newsroom.rows(deliveries)[0]["attempts"] == 1
    assert trial.court.accepted == []


def test_a_retry_sends_the_same_bytes_and_message_id(begin: Begin) -> None:
    trial = begin(1, "drop-keep:1")
    trial.send()
    with trial.newsroom.app.database.write() as tx:
        tx.execute(deliveries.update().values(state="planned"))
        tx.execute(editions.update().values(state="planned"))
    trial.newsroom.clock.forward(hours=3)

    trial.send()

    first, second = trial.court.accepted
    assert (first.message_id, first.sha256) == (second.message_id, second.sha256)


def test_a_mailbox_that_does_not_exist_fails_and_is_suppressed(begin: Begin) -> None:
    trial = begin(4, "rcpt-511:q001")

    result = trial.send()

    assert not result.is_clean
    assert result.states == {"sent": 3, "failed": 1}
    assert [row["reason"] for row in trial.newsroom.rows(suppressions)] == ["bounce"]
    trial.newsroom.clock.forward(days=7)
    trial.newsroom.add_item(released_at=trial.newsroom.clock.now - timedelta(days=1))
    trial.edition = trial.newsroom.plan_edition()
    trial.send()
    assert trial.states == {"sent": 3}


@pytest.mark.parametrize("fault", ["rcpt-571:p000", "dot-554:1"])
def test_a_refusal_by_policy_fails_but_suppresses_nobody(begin: Begin, fault: str) -> None:
    trial = begin(1, fault)

    trial.send()

    assert trial.states == {"failed": 1}
    assert trial.newsroom.rows(suppressions) == []
    assert trial.newsroom.rows(delivery_events)[0]["state"] == "failed"


def test_when_our_sender_is_refused_the_edition_is_held_and_nobody_pays(begin: Begin) -> None:
    trial = begin(20, "mail-550", connections=2)

    result = trial.send()

    assert result.trouble is not None
    assert set(result.states) == {"planned", "deferred"}
    assert result.states["deferred"] <= 4
    edition = trial.newsroom.rows(editions)[0]
    assert edition["paused_at"] is not None
    assert edition["outcome"].startswith("held: the server refuses our mail (550")
    assert trial.newsroom.rows(suppressions) == []


@pytest.mark.parametrize("fault", ["drop-keep", "drop-discard", "drop-body"])
def test_what_is_unknown_after_the_body_began_is_uncertain_and_never_repeated(begin: Begin, fault: str) -> None:
    trial = begin(8, f"{fault}:3", connections=1)

    result = trial.send()
    for _ in range(3):
        trial.newsroom.clock.forward(hours=5)
        trial.send()

    assert not result.is_clean
    assert trial.states == {"sent": 7, "uncertain": 1}
    assert trial.judgement.duplicated == trial.judgement.lost == []
    row = next(row for row in list_deliveries(trial.newsroom.app, trial.edition) if row["state"] == "uncertain")
    assert "connection lost" in row["reply"]


def test_a_server_that_is_down_is_reported_loses_nothing_and_all_is_sent_when_it_is_back(begin: Begin) -> None:
    trial = begin(20, "banner-554", connections=2)

    result = trial.send()

    assert result.trouble is not None
    assert f"127.0.0.1:{trial.court.port}" in result.trouble
    assert result.states == {"planned": 20}
    assert find_sendable(trial) == []  # the service leaves the relay alone for a minute
    trial.newsroom.clock.forward(minutes=2)
    assert find_sendable(trial) == [trial.edition]


def find_sendable(trial: Trial) -> list[str]:
    with trial.newsroom.app.database.read() as tx:
        return ledger.find_sendable(tx, trial.newsroom.app.clock())


def test_after_connection_refused_the_next_run_sends_everything(begin: Begin) -> None:
    trial = begin(20, connections=2, security="none")
    port = trial.newsroom.app.config.smtp.port
    down = trial.newsroom.app.config.smtp.model_copy(update={"port": 1})
    object.__setattr__(trial.newsroom.app.config, "smtp", down)
    result = trial.send()
    object.__setattr__(trial.newsroom.app.config, "smtp", down.model_copy(update={"port": port}))
    trial.newsroom.clock.forward(minutes=2)

    assert result.trouble is not None
    assert trial.send().is_clean
    assert trial.states == {"sent": 20}
    assert len(trial.court.accepted) == 20


def test_without_starttls_where_it_is_wanted_no_message_is_tried(begin: Begin) -> None:
    trial = begin(5, security="starttls")

    result = trial.send()

    assert result.trouble is not None
    assert "STARTTLS" in result.trouble.upper()
    assert set(result.states) <= {"planned", "deferred"}
    assert trial.court.accepted == []
