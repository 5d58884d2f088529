"""A database restored from an old copy sends nothing until staff have accepted it; then nobody gets a mail twice."""

import shutil
from collections import Counter
from datetime import timedelta

import pytest
from doubts import Doubts
from newsroom_app import DAILY
from trial import Begin, Trial

from publisher.app import open_app
from publisher.errors import StateError, StoreError
from publisher.store.epoch import run_file
from publisher.store.schema import editions
from publisher.usecases.editions import approve, resume
from publisher.usecases.restoring import accept_restore, begin_run, check_epoch, list_going


def copy_away(trial: Trial) -> None:
    trial.newsroom.app.database.close()
    shutil.copy(trial.newsroom.folder / "publisher.db", trial.newsroom.folder / "backup.db")


def put_back(trial: Trial) -> None:
    newsroom = trial.newsroom
    newsroom.app.database.close()
    shutil.copy(newsroom.folder / "backup.db", newsroom.folder / "publisher.db")
    newsroom.app = open_app(newsroom.config_file, newsroom.clock)


def state_of(trial: Trial) -> dict[str, object]:
    return next(row for row in trial.newsroom.rows(editions) if row["id"] == trial.edition)


def test_an_old_copy_put_back_after_a_run_sends_nothing_and_says_why(begin: Begin) -> None:
    trial = begin(4)
    copy_away(trial)
    trial.send()
    put_back(trial)

    with pytest.raises(
        StateError, match=r"was restored from a copy: it knows of sending run 0, the last one was 2.*accept-restore"
    ):
        trial.send()

    assert len(trial.court.accepted) == 4


def test_the_last_database_is_never_taken_for_a_copy(begin: Begin) -> None:
    trial = begin(4)

    for _ in range(3):
        trial.send()

    assert trial.states == {"sent": 4}


def test_a_kill_between_both_places_of_the_number_is_no_restore(begin: Begin) -> None:
    trial = begin(1)
    begin_run(trial.newsroom.app)
    file = run_file(trial.newsroom.app.database)
    assert file is not None
    written = file.read_bytes()
    begin_run(trial.newsroom.app)
    file.write_bytes(written)

    check_epoch(trial.newsroom.app)

    assert trial.send().is_clean


def test_a_number_that_cannot_be_read_refuses_until_it_is_accepted(begin: Begin) -> None:
    trial = begin(1)
    file = run_file(trial.newsroom.app.database)
    assert file is not None
    file.write_text("{}")

    with pytest.raises(StoreError, match="accept-restore"):
        trial.send()
    accept_restore(trial.newsroom.app)
    check_epoch(trial.newsroom.app)


def test_after_accepting_a_restore_each_edition_waits_for_staff(begin: Begin) -> None:
    trial = begin(4)
    copy_away(trial)
    trial.send()
    put_back(trial)

    going = list_going(trial.newsroom.app)
    held = accept_restore(trial.newsroom.app)

    assert [(one.edition, one.state, one.undelivered) for one in going] == [(trial.edition, "planned", 4)]
    assert trial.edition in {one.edition for one in held}
    assert str(state_of(trial)["outcome"]).startswith("held: database restored")
    assert trial.send().states == {"planned": 4}
    assert len(trial.court.accepted) == 4
    resume(trial.newsroom.app, trial.edition)
    assert trial.send().states == {"sent": 4}  # by staff's word


def test_by_the_relays_log_only_who_did_not_get_it_is_written_to(begin: Begin) -> None:
    trial = begin(4, smtp='mail_log = "mail.log"')
    copy_away(trial)
    trial.newsroom.clock.forward(minutes=1)
    begin_run(trial.newsroom.app)
    doubts = Doubts(trial.newsroom, trial.edition, trial.newsroom.folder / "mail.log")
    doubts.write("anvil[9]: statistics: none", at=trial.newsroom.clock.now - timedelta(hours=1))
    doubts.write_session("p000", is_taken=True)
    put_back(trial)

    (held,) = [one for one in accept_restore(trial.newsroom.app) if one.edition == trial.edition]

    assert held.resolved is not None
    assert held.resolved.settled == {"sent": 1, "planned": 3}
    resume(trial.newsroom.app, trial.edition)
    assert trial.send().states == {"sent": 4}
    assert "p000@example.org" not in trial.court.recipients
    assert max(Counter(trial.court.recipients).values()) == 1


def test_an_edition_that_the_copy_does_not_know_yet_is_opened_and_held(begin: Begin) -> None:
    trial = begin(2)
    newsroom = trial.newsroom
    newsroom.put_digest(DAILY, 1)
    newsroom.add_person("dora", cadence="daily")
    copy_away(trial)
    newsroom.clock.forward(hours=25)
    newsroom.add_item(released_at=newsroom.clock.now - timedelta(hours=24, minutes=30))
    begin_run(newsroom.app)
    put_back(trial)
    newsroom.add_item(released_at=newsroom.clock.now - timedelta(hours=24, minutes=30))  # as it is collected again

    held = {one.edition: one.state for one in accept_restore(newsroom.app)}

    daily = [row for row in newsroom.rows(editions) if row["digest_id"] == "daily" and row["state"] != "skipped"]
    assert [held[str(row["id"])] for row in daily] == ["approved"]
    assert daily[0]["paused_at"] is not None


def test_a_held_edition_stays_held_when_it_is_approved(begin: Begin) -> None:
    trial = begin(1)
    accept_restore(trial.newsroom.app)

    approve(trial.newsroom.app, trial.edition, actor="ada")

    assert state_of(trial)["paused_at"] is not None


def test_an_edition_whose_next_one_is_due_expires_also_after_a_restore(begin: Begin) -> None:
    trial = begin(4)
    copy_away(trial)
    trial.newsroom.clock.forward(days=7)
    put_back(trial)

    assert trial.send().states == {"expired": 4}
    assert trial.court.accepted == []
