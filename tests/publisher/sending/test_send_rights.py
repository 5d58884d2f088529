"""Who must not get mail does not, however late that is decided; pause, cancel and a second sender."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from trial import Begin, Trial

from publisher.errors import RenderError, SenderBusyError, StateError
from publisher.mail.content import DigestContent, Rendered
from publisher.mail.render import render_variant
from publisher.store.deliveries import find_sendable
from publisher.store.lock import sender_lock
from publisher.store.schema import editions, subscribers
from publisher.store.schema_dispatch import deliveries
from publisher.transport import session
from publisher.usecases import composer, pump, rendering
from publisher.usecases.editions import cancel, pause, resume
from publisher.usecases.opening import open_edition
from publisher.usecases.planning import plan
from publisher.usecases.reports import list_deliveries
from publisher.usecases.sending import send, send_edition
from publisher.usecases.subscribers import erase_subscriber, show_subscriber
from publisher.usecases.unsubscribe import unsubscribe
from subscribers.tokens import make_unsubscribe_token


def leave(trial: Trial, address: str) -> None:
    app = trial.newsroom.app
    person = show_subscriber(app, address).subscriber.id
    token = make_unsubscribe_token(app.secret, subscriber_id=person, digest_number=1)
    assert unsubscribe(app, token, scope="digest") is not None


def fail_in_french(content: DigestContent, language: str) -> Rendered:
    if language == "fr":
        raise RenderError("digest.mjml: the French words are missing")
    return render_variant(content, language)


def find_sendable_now(trial: Trial) -> list[str]:
    with trial.newsroom.app.database.read() as tx:
        return find_sendable(tx, trial.newsroom.clock.now)


def send_and_meanwhile(trial: Trial, act: Callable[[], object], *, after: int = 1) -> str | None:
    """Send, and do ``act`` once the judge has accepted so many."""

    async def run() -> str | None:
        sending = asyncio.create_task(send(trial.newsroom.app, trial.edition, stop=asyncio.Event()))
        while len(trial.court.accepted) < after and not sending.done():
            await asyncio.sleep(0.005)
        await asyncio.to_thread(act)
        return (await sending).trouble

    return asyncio.run(asyncio.wait_for(run(), 60))


def test_who_unsubscribes_between_planning_and_sending_gets_nothing(begin: Begin) -> None:
    trial = begin(4)
    leave(trial, "p001@example.org")

    result = trial.send()

    assert result.states == {"sent": 3, "suppressed": 1}
    assert "p001@example.org" not in trial.court.recipients


def test_who_is_erased_between_planning_and_sending_gets_nothing_and_leaves_no_address(begin: Begin) -> None:
    trial = begin(4)
    erase_subscriber(trial.newsroom.app, "q000@example.org", actor="staff:ada")

    trial.send()

    assert "q000@example.org" not in trial.court.recipients
    assert "q000@example.org" not in {row["email"] for row in list_deliveries(trial.newsroom.app, trial.edition)}


def test_who_is_not_confirmed_any_more_gets_nothing(begin: Begin) -> None:
    trial = begin(3)
    with trial.newsroom.app.database.write() as tx:
        tx.execute(subscribers.update().where(subscribers.c.email.like("p001%")).values(status="unconfirmed"))

    trial.send()

    assert trial.court.recipients == ["p000@example.org", "q000@example.org"]


def test_an_unsubscribe_holds_for_everyone_whose_message_has_not_begun(begin: Begin) -> None:
    trial = begin(60, delay_s=0.02, connections=2)

    send_and_meanwhile(trial, lambda: leave(trial, "q029@example.org"), after=3)

    assert "q029@example.org" not in trial.court.recipients
    assert trial.states == {"sent": 59, "suppressed": 1}


def test_an_intent_that_waited_is_read_again_before_its_body_begins(begin: Begin) -> None:
    trial = begin(3, delay_s=1.5, connections=1)

    def leave_once_begun() -> None:
        deadline = time.monotonic() + 10
        while [row["state"] for row in trial.newsroom.rows(deliveries)][-1] != "sending":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        leave(trial, "q000@example.org")

    send_and_meanwhile(trial, leave_once_begun, after=1)

    assert trial.court.recipients == ["p000@example.org", "p001@example.org"]
    assert trial.states == {"sent": 2, "suppressed": 1}


def test_a_relay_gets_no_more_messages_a_second_than_it_bears(begin: Begin) -> None:
    trial = begin(8, smtp="messages_per_second = 4")
    trial.newsroom.clock.goes_on = True

    trial.send()

    moments = sorted(one.at for one in trial.court.accepted)
    assert len(moments) == 8
    assert moments[-1] - moments[0] >= 0.75  # one second's worth at once, then a quarter of a second each


def test_a_paused_edition_begins_nothing_more_until_it_is_resumed(begin: Begin) -> None:
    trial = begin(60, delay_s=0.02, connections=2)
    app = trial.newsroom.app

    trouble = send_and_meanwhile(trial, lambda: pause(app, trial.edition, actor="ada"), after=5)
    accepted = len(trial.court.accepted)

    assert trouble == "held: paused by ada"
    assert accepted <= 5 + 2 * 4  # what was open then, and what began before the pause was written
    assert trial.newsroom.rows(editions)[0]["outcome"] == "held: paused by ada"
    resume(app, trial.edition)
    trial.newsroom.clock.forward(minutes=2)
    trial.send()
    assert trial.states == {"sent": 60}
    assert trial.judgement.duplicated == []


def test_a_cancelled_edition_ends_at_once_and_says_so_of_every_delivery(begin: Begin) -> None:
    trial = begin(60, delay_s=0.02, connections=2)
    app = trial.newsroom.app

    send_and_meanwhile(trial, lambda: cancel(app, trial.edition, actor="ada"), after=5)

    assert set(trial.states) == {"sent", "cancelled"}
    assert sum(trial.states.values()) == 60
    assert len(trial.court.accepted) == trial.states["sent"] <= 13
    with pytest.raises(StateError, match="cancelled"):
        resume(app, trial.edition)


def test_cancelling_before_sending_closes_every_delivery_at_once(begin: Begin) -> None:
    trial = begin(4)

    cancel(trial.newsroom.app, trial.edition, actor="ada")

    assert trial.states == {"cancelled": 4}
    assert trial.send().states == {"cancelled": 4}
    assert trial.court.accepted == []


def test_a_second_sender_is_refused_and_told_who_is_at_work(begin: Begin) -> None:
    trial = begin(2)

    with (
        sender_lock(trial.newsroom.app.database),
        pytest.raises(SenderBusyError, match=rf"process {os.getpid()}\b"),
    ):
        trial.send()

    assert trial.send().is_clean


def test_a_sender_taken_for_dead_cannot_touch_what_the_next_one_holds(begin: Begin) -> None:
    trial = begin(20, delay_s=0.05, connections=2)
    database = trial.newsroom.app.database

    def take_everything_over() -> None:
        with database.write() as tx:
            tx.execute(deliveries.update().where(deliveries.c.state == "claimed").values(fence="another"))

    send_and_meanwhile(trial, take_everything_over, after=2)

    rows = trial.newsroom.rows(deliveries)
    taken = [row for row in rows if row["fence"] == "another"]
    assert len(taken) >= 10
    assert {row["state"] for row in taken} == {"claimed"}
    assert len(trial.court.accepted) == 20 - len(taken)


def test_only_to_keeps_production_data_from_reaching_anybody_else(begin: Begin) -> None:
    trial = begin(4, mail='only_to = ["P*@example.org"]')

    trial.send()

    assert trial.court.recipients == ["p000@example.org", "p001@example.org"]
    rows = [row for row in trial.newsroom.rows(deliveries) if row["state"] == "suppressed"]
    assert {row["reply"] for row in rows} == {"not in mail.only_to"}


def test_an_edition_that_is_too_old_expires_instead_of_arriving_after_the_next(begin: Begin) -> None:
    trial = begin(4)
    trial.newsroom.clock.forward(days=7)

    result = trial.send()

    assert result.states == {"expired": 4}
    assert trial.court.accepted == []
    edition = trial.newsroom.rows(editions)[0]
    assert (edition["state"], edition["outcome"]) == ("done", "4 expired")


def test_an_edition_that_is_not_planned_is_not_sent(begin: Begin) -> None:
    trial = begin(1)
    trial.newsroom.clock.forward(days=1)
    trial.newsroom.add_item(released_at=trial.newsroom.clock.now - timedelta(hours=1))
    name = open_edition(trial.newsroom.app, "weekly").id

    with pytest.raises(StateError, match="digest plan"):
        send_edition(trial.newsroom.app, name)


def test_content_that_nobody_approved_is_not_sent(begin: Begin) -> None:
    trial = begin(3)
    with trial.newsroom.app.database.write() as tx:
        tx.execute(editions.update().values(content_hash="changed"))

    result = trial.send()

    assert result.trouble is not None
    assert "not approved" in result.trouble
    assert trial.court.accepted == []
    assert result.states == {"planned": 3}


def test_what_cannot_be_rendered_is_held_and_said_while_the_others_go(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = begin(4)
    monkeypatch.setattr(rendering, "render_variant", fail_in_french)

    result = trial.send()

    assert not result.is_clean
    assert result.states == {"planned": 2, "sent": 2}
    assert "could not be rendered" in (result.trouble or "")
    assert str(trial.newsroom.rows(editions)[0]["outcome"]).startswith("held: ")
    assert find_sendable_now(trial) == []
    monkeypatch.undo()
    assert trial.send().states == {"sent": 4}


def test_stop_ends_a_run_with_nothing_in_doubt(begin: Begin) -> None:
    trial = begin(60, delay_s=0.02, connections=2)
    stop = asyncio.Event()

    async def run() -> None:
        sending = asyncio.create_task(send(trial.newsroom.app, trial.edition, stop=stop))
        while len(trial.court.accepted) < 5:
            await asyncio.sleep(0.005)
        stop.set()
        await sending

    asyncio.run(asyncio.wait_for(run(), 60))

    assert set(trial.states) == {"planned", "sent"}
    assert trial.states["sent"] == len(trial.court.accepted)
    trial.send()
    assert trial.states == {"sent": 60}


def test_planning_a_second_time_adds_nothing_to_what_is_being_sent(begin: Begin) -> None:
    trial = begin(4)
    trial.send()

    assert plan(trial.newsroom.app, trial.edition) == 0
    assert trial.states == {"sent": 4}


def test_what_a_worker_did_not_expect_ends_the_run_and_is_told(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = begin(40, connections=3)

    def break_down(*_arguments: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(session, "STALE_INTENT_S", 0.0)
    monkeypatch.setattr(pump, "find_veto", break_down)

    with pytest.raises(OSError, match="the disk is gone"):
        trial.send()
    monkeypatch.undo()
    trial.send()

    states = trial.states
    assert states.get("uncertain", 0) <= 6
    assert sum(states.values()) == 40
    assert trial.judgement.lost == trial.judgement.duplicated == []


def test_a_frame_that_waits_for_its_connection_outlasts_its_place_in_memory(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composer, "CHUNK", 1)  # every claim puts the frames of the one before out of memory
    trial = begin(40, connections=4)

    assert trial.send().is_clean
    assert trial.states == {"sent": 40}


def test_an_edition_whose_last_message_was_sent_before_a_kill_ends_all_the_same(begin: Begin) -> None:
    trial = begin(2)
    with trial.newsroom.app.database.write() as tx:
        tx.execute(deliveries.update().values(state="sent"))

    trial.send()

    assert trial.newsroom.rows(editions)[0]["state"] == "done"
