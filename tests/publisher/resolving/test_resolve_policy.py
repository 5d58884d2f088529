"""Where the log cannot tell, the digest's policy or staff's word decides; by default nothing is repeated."""

from pathlib import Path

import pytest
from doubts import Doubts, open_doubts

from publisher.errors import ConfigError, NotFoundError, StateError
from publisher.usecases.resolving import resolve, settle_by_word


def test_without_a_log_the_default_is_to_hold(tmp_path: Path) -> None:
    with open_doubts(tmp_path, smtp="") as doubts:
        doubts.put_in_doubt("ana")
        doubts.newsroom.clock.forward(hours=5)

        result = resolve(doubts.newsroom.app, doubts.edition)

        assert (result.left, result.reasons) == (1, {"smtp.mail_log names no log of the relay": 1})
        assert doubts.states["ana"] == "uncertain"


def test_resend_once_plans_again_once_and_then_holds(tmp_path: Path) -> None:
    with open_doubts(tmp_path, smtp="", uncertain="resend-once") as doubts:
        app = doubts.newsroom.app
        doubts.put_in_doubt("ana")

        first = resolve(app, doubts.edition)
        resent = doubts.row("ana")
        doubts.put_in_doubt("ana")
        second = resolve(app, doubts.edition)

        assert first.settled == {"planned": 1}
        assert (resent["state"], resent["resends"]) == ("planned", 1)
        assert (second.settled, second.left) == ({}, 1)


def test_resend_once_waits_for_a_log_that_may_still_tell(tmp_path: Path) -> None:
    with open_doubts(tmp_path, uncertain="resend-once") as doubts:
        app = doubts.newsroom.app
        doubts.put_in_doubt("ana", "ben")
        doubts.write("smtpd[7]: connect from host[192.0.2.7]")
        doubts.write(
            "smtpd[7]: AB12CD34: client=host[192.0.2.7]", f"cleanup[8]: AB12CD34: message-id={doubts.message_id('ben')}"
        )

        assert resolve(app, doubts.edition).settled == {}
        doubts.newsroom.clock.forward(minutes=20)
        assert resolve(app, doubts.edition).settled == {"planned": 1}
        assert doubts.states == {"ana": "planned", "ben": "uncertain", "cleo": "sent"}  # the relay began to take ben's


def test_staff_settle_single_deliveries_by_their_word(doubts: Doubts) -> None:
    app = doubts.newsroom.app
    doubts.put_in_doubt("ana", "ben", "cleo")

    settle_by_word(app, doubts.edition, ["ANA@example.org"], state="sent", actor="ada")
    result = settle_by_word(app, doubts.edition, ["ben@example.org"], state="planned", actor="ada")

    assert (result.settled, result.left) == ({"planned": 1}, 1)
    assert doubts.states == {"ana": "sent", "ben": "planned", "cleo": "uncertain"}
    assert doubts.row("ana")["reply"] == "resolved by ada: sent"
    assert doubts.edition_row["state"] == "planned"
    settle_by_word(app, doubts.edition, ["all"], state="sent", actor="ada")
    assert doubts.states["cleo"] == "sent"


def test_who_is_not_in_doubt_cannot_be_settled_and_nothing_else_is(doubts: Doubts) -> None:
    app = doubts.newsroom.app
    doubts.put_in_doubt("ana")

    with pytest.raises(StateError, match=r"ben@example\.org has no uncertain delivery"):
        settle_by_word(app, doubts.edition, ["ana@example.org", "ben@example.org"], state="sent", actor="ada")
    with pytest.raises(NotFoundError, match="Nobody has the address"):
        settle_by_word(app, doubts.edition, ["nobody@example.org"], state="sent", actor="ada")
    with pytest.raises(ConfigError, match="not a mail address"):
        settle_by_word(app, doubts.edition, ["nonsense"], state="sent", actor="ada")
    with pytest.raises(NotFoundError, match="digest list"):
        resolve(app, "weekly-1999-01-01")
    assert doubts.states["ana"] == "uncertain"
