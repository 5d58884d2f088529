"""Who got what, and why."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from newsroom_app import MONDAY, Newsroom, open_newsroom

from feeds.criteria import Criteria
from publisher.errors import ConfigError, NotFoundError
from publisher.store.schema import subscriptions
from publisher.usecases.opening import open_edition
from publisher.usecases.reports import WhyReport, explain_edition, list_deliveries
from publisher.usecases.sending import read_result

EDITION = "weekly-2026-11-23"


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        newsroom.add_item(released_at=MONDAY - timedelta(days=3), themes=["asylum"], regions=["africa"])
        newsroom.add_item(released_at=MONDAY - timedelta(days=2), themes=["trafficking"], regions=["global"])
        newsroom.add_item(released_at=MONDAY - timedelta(days=1), themes=["general"], regions=[])
        newsroom.add_person("ana", Criteria.of(["asylum", "trafficking"], ["silk-routes"]))
        newsroom.add_person("all")
        newsroom.add_person("late", since=MONDAY - timedelta(days=1))
        newsroom.add_person("daily", cadence="daily")
        newsroom.add_person("waiting", status="unconfirmed")
        yield newsroom


def why(newsroom: Newsroom, name: str) -> WhyReport:
    return explain_edition(newsroom.app, f"{name}@example.org", EDITION)


def reasons(report: WhyReport) -> list[tuple[bool, str]]:
    return [(item.is_in, "; ".join(item.reasons)) for item in report.items]


def test_each_item_is_explained_by_the_rule_that_let_it_in_or_kept_it_out(newsroom: Newsroom) -> None:
    newsroom.plan_edition()

    report = why(newsroom, "ana")

    assert report.delivery == "planned"
    first, second, third = reasons(report)
    assert first[0] is False
    assert first[1].startswith("region not chosen: ")
    assert second[0] is True
    assert "a global item reaches every region" in second[1]
    assert third[0] is False
    assert "a general item reaches only who chose all themes" in third[1]


def test_what_came_before_the_subscription_is_explained(newsroom: Newsroom) -> None:
    newsroom.plan_edition()

    told = reasons(why(newsroom, "late"))

    assert [is_in for is_in, _ in told] == [False, False, True]
    assert told[0][1] == "released before the subscription began"


@pytest.mark.parametrize(
    ("name", "words"),
    [("waiting", "none: the subscriber is unconfirmed"), ("daily", "none: no active subscription of this cadence")],
)
def test_why_somebody_got_nothing_is_said(newsroom: Newsroom, name: str, words: str) -> None:
    newsroom.plan_edition()

    report = why(newsroom, name)

    assert report.delivery == words
    assert not any(item.is_in for item in report.items)


def test_before_planning_nobody_has_anything(newsroom: Newsroom) -> None:
    open_edition(newsroom.app, "weekly")

    assert why(newsroom, "all").delivery == "none yet: the edition is not planned"


def test_who_left_since_keeps_what_was_planned_in_the_report(newsroom: Newsroom) -> None:
    newsroom.plan_edition()
    with newsroom.app.database.write() as tx:
        tx.execute(subscriptions.update().values(ended_at=MONDAY, end_reason="unsubscribed"))

    assert reasons(why(newsroom, "all"))[0] == (True, "the subscriptions have changed since")


def test_the_states_add_up_to_what_was_planned_and_every_delivery_is_listed(newsroom: Newsroom) -> None:
    newsroom.plan_edition()

    result, rows = read_result(newsroom.app, EDITION), list(list_deliveries(newsroom.app, EDITION))

    assert result.planned == sum(result.states.values()) == len(rows) == 3
    assert len({row["message_id"] for row in rows}) == 3
    assert all(row["message_id"].endswith("@harbour.example>") for row in rows)
    assert not any("ana" in row["message_id"] for row in rows)


def test_strangers_and_unknown_editions_are_refused(newsroom: Newsroom) -> None:
    newsroom.plan_edition()

    with pytest.raises(ConfigError, match="'nonsense' is not a mail address"):
        explain_edition(newsroom.app, "nonsense", EDITION)
    with pytest.raises(NotFoundError, match="subscribers export"):
        why(newsroom, "stranger")
    with pytest.raises(NotFoundError, match="digest list"):
        explain_edition(newsroom.app, "ana@example.org", "weekly-1999-01-01")
    with pytest.raises(NotFoundError, match="digest list"):
        list(list_deliveries(newsroom.app, "weekly-1999-01-01"))
