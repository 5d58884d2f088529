"""Deliveries in doubt are settled by the relay's log; what it cannot tell stays in doubt."""

import asyncio
import gzip
from datetime import timedelta

import pytest
from doubts import Doubts
from newsroom_app import MONDAY

from publisher.store.schema_dispatch import deliveries, delivery_events
from publisher.usecases import resolving
from publisher.usecases.editions import cancel
from publisher.usecases.resolving import find_unsettled, resolve, settle_by_word, settle_uncertain
from publisher.usecases.service import send_tick


def test_what_the_relay_has_is_sent_and_what_it_never_took_is_planned_again(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana", "ben")
    doubts.write_session("ana", is_taken=True)
    doubts.write_session("ben")

    result = resolve(doubts.newsroom.app, doubts.edition)

    assert (result.settled, result.left) == ({"sent": 1, "planned": 1}, 0)
    assert doubts.states == {"ana": "sent", "ben": "planned", "cleo": "sent"}
    assert doubts.row("ana")["reply"] == "resolved: relay has it as AB12CD34ana, status=queued"
    assert doubts.row("cleo")["reply"] == "250 2.0.0 ok"
    assert {row["reply"] for row in doubts.newsroom.rows(delivery_events)} == {
        "resolved: relay has it as AB12CD34ana, status=queued",
        "resolved: the relay never took it",
    }


def test_an_edition_that_was_done_goes_on_where_something_is_planned_again(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana")
    doubts.write_session()

    resolve(doubts.newsroom.app, doubts.edition)

    row = doubts.edition_row
    assert (row["state"], row["done_at"], row["outcome"]) == ("planned", None, None)


def test_an_edition_that_stays_done_says_anew_how_it_ended(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana", "ben")
    doubts.write_session("ana", is_taken=True)
    doubts.write_session("ben", is_taken=True)

    resolve(doubts.newsroom.app, doubts.edition)

    assert (doubts.edition_row["state"], doubts.edition_row["outcome"]) == ("done", "3 sent")


def test_an_edition_that_is_too_old_is_not_sent_again(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana", "ben")
    doubts.write_session("ben", is_taken=True)
    doubts.newsroom.clock.forward(days=7)

    resolve(doubts.newsroom.app, doubts.edition)

    assert doubts.states == {"ana": "expired", "ben": "sent", "cleo": "sent"}
    assert (doubts.edition_row["state"], doubts.edition_row["outcome"]) == ("done", "2 sent, 1 expired")


def test_of_a_cancelled_edition_nothing_is_planned_again(doubts: Doubts) -> None:
    app = doubts.newsroom.app
    with app.database.write() as tx:
        named = deliveries.c.email == "ana@example.org"
        tx.execute(deliveries.update().where(named).values(state="uncertain", changed_at=doubts.newsroom.clock.now))
    cancel(app, doubts.edition, actor="ada")
    doubts.write_session()

    resolve(app, doubts.edition)

    assert doubts.states == {"ana": "cancelled", "ben": "cancelled", "cleo": "cancelled"}


def test_a_log_that_does_not_reach_so_far_yet_leaves_it_and_settles_it_later(doubts: Doubts) -> None:
    app, clock = doubts.newsroom.app, doubts.newsroom.clock
    doubts.put_in_doubt("ana")
    doubts.write("smtpd[7]: connect from host[192.0.2.7]")

    early = resolve(app, doubts.edition)
    clock.forward(minutes=10)
    doubts.write("smtpd[7]: disconnect from host[192.0.2.7]", "qmgr[3]: 99AB12: removed")
    late = resolve(app, doubts.edition)

    assert (early.settled, early.left) == ({}, 1)
    assert early.reasons == {"the relay's log does not reach on until it can only have come or be lost": 1}
    assert late.settled == {"planned": 1}


def test_rotated_files_are_read_before_the_current_one(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana", "ben")
    oldest = doubts.log.read_bytes()
    doubts.log.write_bytes(b"")
    doubts.write_session("ana", is_taken=True)
    doubts.log.rename(doubts.log.with_name("mail.log.1"))
    with gzip.open(doubts.log.with_name("mail.log.2.gz"), "wb") as file:
        file.write(oldest)
    doubts.write_session("ben")

    assert resolve(doubts.newsroom.app, doubts.edition).settled == {"sent": 1, "planned": 1}


def test_a_rotated_file_that_is_missing_takes_all_before_it_with_it(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana")
    doubts.log.rename(doubts.log.with_name("mail.log.2"))
    doubts.write_session()

    result = resolve(doubts.newsroom.app, doubts.edition)

    assert result.reasons == {"the relay's log does not reach back to when it may have come": 1}


def test_a_damaged_rotated_file_leaves_everything_in_doubt_and_is_named(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana")
    doubts.log.with_name("mail.log.1.gz").write_bytes(gzip.compress(doubts.log.read_bytes() * 500)[:60])
    doubts.log.write_bytes(b"")
    doubts.write_session()

    (reason,) = resolve(doubts.newsroom.app, doubts.edition).reasons

    assert "mail.log cannot be read" in reason
    assert doubts.states["ana"] == "uncertain"


def test_a_log_that_is_not_there_leaves_everything_in_doubt_and_is_named(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana")
    doubts.log.unlink()

    (reason,) = resolve(doubts.newsroom.app, doubts.edition).reasons

    assert reason.startswith("smtp.mail_log: ")
    assert "there is no such file" in reason


def test_a_line_that_is_still_being_written_is_not_read(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana")
    doubts.write("smtpd[7]: connect from host[192.0.2.7]")
    with doubts.log.open("a") as file:
        file.write(f"{doubts.newsroom.clock.now.isoformat()} relay postfix/smtpd[7]: disconnect from host")

    assert resolve(doubts.newsroom.app, doubts.edition).left == 1


def test_a_look_is_due_at_once_and_then_ever_more_seldom(doubts: Doubts) -> None:
    app, clock = doubts.newsroom.app, doubts.newsroom.clock
    doubts.put_in_doubt("ana")
    looks = []

    for minute in range(60):
        if find_unsettled(app):
            looks.append(minute)
            settle_uncertain(app, doubts.edition)
        clock.forward(minutes=1)

    assert looks == [0, 1, 2, 3, 5, 8, 12, 18, 27, 41]


def test_a_look_that_is_not_due_does_not_read_the_log(doubts: Doubts) -> None:
    app = doubts.newsroom.app
    doubts.put_in_doubt("ana")
    settle_uncertain(app, doubts.edition)
    doubts.write_session("ana", is_taken=True)

    assert settle_uncertain(app, doubts.edition).left == 1
    doubts.newsroom.clock.forward(minutes=1)
    assert settle_uncertain(app, doubts.edition).settled == {"sent": 1}


def test_the_service_settles_before_it_sends(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana")
    doubts.write_session("ana", is_taken=True)

    asyncio.run(send_tick(doubts.newsroom.app, asyncio.Event()))

    assert doubts.states["ana"] == "sent"


def test_a_row_that_changed_since_it_was_read_is_left_alone(doubts: Doubts, monkeypatch: pytest.MonkeyPatch) -> None:
    app = doubts.newsroom.app
    doubts.put_in_doubt("ana")
    doubts.write_session()
    ask = resolving._ask_log

    def settle_meanwhile(*arguments: object) -> object:
        settle_by_word(app, doubts.edition, ["ana@example.org"], state="sent", actor="ada")
        return ask(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(resolving, "_ask_log", settle_meanwhile)
    resolve(app, doubts.edition)

    assert doubts.row("ana")["reply"] == "resolved by ada: sent"


def test_a_later_attempt_is_not_settled_by_what_was_read_of_an_earlier_one(
    doubts: Doubts, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = doubts.newsroom.app
    doubts.put_in_doubt("ana")
    doubts.write_session()
    ask = resolving._ask_log

    def try_again_meanwhile(*arguments: object) -> object:
        doubts.newsroom.clock.forward(seconds=1)
        doubts.put_in_doubt("ana")
        return ask(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(resolving, "_ask_log", try_again_meanwhile)

    assert resolve(app, doubts.edition).left == 1
    assert doubts.states["ana"] == "uncertain"


def test_what_is_older_than_any_log_is_not_looked_at_unasked(doubts: Doubts) -> None:
    doubts.put_in_doubt("ana")

    doubts.newsroom.clock.forward(days=31)

    assert find_unsettled(doubts.newsroom.app) == []
    assert doubts.newsroom.clock.now - MONDAY > timedelta(days=31)
