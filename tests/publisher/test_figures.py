"""The figures of a report: by domain, by reply, over time; they add up to what was planned."""

from datetime import timedelta

from newsroom_app import MONDAY, Newsroom

from publisher.store.schema_dispatch import deliveries
from publisher.usecases.reports import Figures, count_figures

PEOPLE = 60


def plan_for(newsroom: Newsroom, people: int = PEOPLE) -> str:
    newsroom.add_item(released_at=MONDAY - timedelta(days=1))
    newsroom.add_people([f"p{number:02}" for number in range(people)])
    return newsroom.plan_edition()


def change(newsroom: Newsroom, number: int, **values: object) -> None:
    with newsroom.app.database.write() as tx:
        tx.execute(deliveries.update().where(deliveries.c.id == number).values(**values))


def replies(newsroom: Newsroom, *texts: str | None, state: str = "failed") -> dict[str, dict[str, int]]:
    edition = plan_for(newsroom, len(texts))
    for number, text in enumerate(texts, start=1):
        change(newsroom, number, reply=text, state=state)
    return count_figures(newsroom.app, edition).replies


def total(table: dict[str, dict[str, int]]) -> int:
    return sum(count for states in table.values() for count in states.values())


def test_domains_are_counted_by_state_whatever_stands_before_the_last_at(newsroom: Newsroom) -> None:
    edition = plan_for(newsroom, 5)
    change(newsroom, 1, email="Ana@Example.COM", state="sent")
    change(newsroom, 2, email='"a@b"@example.com', state="sent")
    change(newsroom, 3, email="ben@example.com", state="failed")
    change(newsroom, 4, email=None, state="suppressed")

    assert count_figures(newsroom.app, edition).domains == {
        "example.com": {"failed": 1, "sent": 2},
        "(erased)": {"suppressed": 1},
        "example.org": {"planned": 1},
    }


def test_the_twenty_most_frequent_domains_are_named_and_the_rest_is_one(newsroom: Newsroom) -> None:
    edition = plan_for(newsroom)
    for number in range(1, PEOPLE + 1):
        change(newsroom, number, email=f"p@d{number % 30:02}.example" if number > 10 else "p@big.example")

    domains = count_figures(newsroom.app, edition).domains

    assert len(domains) == 21
    assert next(iter(domains)) == "big.example"
    assert list(domains)[-1] == "other"
    assert total(domains) == PEOPLE


def test_replies_of_servers_are_counted_by_their_codes(newsroom: Newsroom) -> None:
    found = replies(
        newsroom,
        "550 5.1.1 no such mailbox",
        "550 5.1.1 <other@example.org> unknown",
        "550 5.7.515 not accepted",
        "550 no such user",
        "451",
        "550 5.1.1",
    )

    assert found == {
        "550 5.1.1": {"failed": 3},
        "451": {"failed": 1},
        "550": {"failed": 1},
        "550 5.7.515": {"failed": 1},
    }


def test_our_own_reasons_are_counted_by_their_first_words(newsroom: Newsroom) -> None:
    found = replies(
        newsroom,
        "the subscription has ended",
        "resolved: relay has it as AB, status=sent",
        "resolved: relay has it as CD, status=sent",
        None,
        "",
        "5500 is no code",
    )

    assert found == {
        "(none)": {"failed": 2},
        "resolved": {"failed": 2},
        "5500 is no code": {"failed": 1},
        "the subscription has ended": {"failed": 1},
    }


def test_a_server_that_says_something_else_each_time_makes_no_long_list(newsroom: Newsroom) -> None:
    found = replies(newsroom, *(f"250 2.0.{number} id {number}" for number in range(PEOPLE)), state="sent")

    assert len(found) == 21
    assert total(found) == PEOPLE


def test_times_and_rate_are_of_those_sent_at_once(newsroom: Newsroom) -> None:
    edition = plan_for(newsroom)
    for number in range(1, 52):
        sent_at = MONDAY + timedelta(seconds=(number - 1) / 10)
        change(newsroom, number, state="sent", attempts=1, changed_at=sent_at)
    change(newsroom, 52, state="sent", attempts=2, changed_at=MONDAY + timedelta(hours=1))

    figures = count_figures(newsroom.app, edition)

    assert (figures.planned_at, figures.done_at, figures.messages_per_second) == (MONDAY, None, 10.2)


def test_a_short_run_has_no_rate(newsroom: Newsroom) -> None:
    edition = plan_for(newsroom, 2)
    change(newsroom, 1, state="sent", attempts=1)
    change(newsroom, 2, state="sent", attempts=1, changed_at=MONDAY + timedelta(milliseconds=2))

    assert count_figures(newsroom.app, edition).messages_per_second is None


def test_an_edition_that_is_not_planned_has_empty_figures(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - timedelta(days=1))
    edition = newsroom.plan_edition()

    assert count_figures(newsroom.app, edition) == Figures(MONDAY, MONDAY, None, {}, {})
