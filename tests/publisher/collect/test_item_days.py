"""The days of items, from the source to a calendar."""

import icalendar
import pytest
from local_web import Web
from newsroom_steps import items, listing, quick, set_up, story

from feeds.criteria import Criteria
from feeds.paths import Address
from publisher.app import App
from publisher.usecases import feeds
from publisher.usecases.feeds import compile_feed, read_catalogue
from publisher.usecases.items import correct_item

CALL = "Apply by 4 April 2026."
EVERYTHING = Criteria()


def put(web: Web, *deadlines: str) -> None:
    stories = (
        story(f"call{number}", title="Call for proposals", summary=summary) for number, summary in enumerate(deadlines)
    )
    web.put("/news/", f"<ul>{''.join(stories)}</ul>")


def calendar(app: App, criteria: Criteria = EVERYTHING) -> icalendar.Calendar:
    document = compile_feed(app, read_catalogue(app), address=Address(criteria, "ics"))
    assert document.media_type == "text/calendar; charset=utf-8"
    return icalendar.Calendar.from_ical(document.plain.body)


def days(found: icalendar.Calendar) -> list[tuple[str, str, int]]:
    return [(event.start.isoformat(), str(event["status"]), event.sequence) for event in found.events]


@pytest.fixture
def newsroom(app: App, web: Web) -> App:
    set_up(app, listing(web))
    put(web, CALL)
    quick(app)
    return app


def test_a_deadline_stands_in_the_calendars_of_its_item(newsroom: App) -> None:
    assert days(calendar(newsroom)) == [("2026-04-04", "CONFIRMED", 0)]
    assert days(calendar(newsroom, Criteria.of(language="en"))) == [("2026-04-04", "CONFIRMED", 0)]
    assert days(calendar(newsroom, Criteria.of(language="fr"))) == []


def test_a_deadline_that_the_source_moves_moves(newsroom: App, web: Web) -> None:
    # given
    uid = str(calendar(newsroom).events[0]["uid"])
    put(web, "Apply by 11 April 2026.")
    # when
    quick(newsroom, ["news"])
    # then
    assert days(calendar(newsroom)) == [("2026-04-11", "CONFIRMED", 1)]
    assert str(calendar(newsroom).events[0]["uid"]) == uid


def test_a_deadline_that_staff_take_away_is_cancelled_and_stays_so(newsroom: App, web: Web) -> None:
    # when
    correct_item(newsroom, items(newsroom)[0].id, "deadline", value="", actor="staff:ada")
    # then
    assert days(calendar(newsroom)) == [("2026-04-04", "CANCELLED", 1)]
    # when
    correct_item(newsroom, items(newsroom)[0].id, "title", value="Another name", actor="staff:ada")
    # then
    assert days(calendar(newsroom)) == [("2026-04-04", "CANCELLED", 2)]
    # when
    correct_item(newsroom, items(newsroom)[0].id, "deadline", value="2026-05-01", actor="staff:ada")
    # then
    assert days(calendar(newsroom)) == [("2026-05-01", "CONFIRMED", 3)]


def test_a_full_calendar_keeps_what_ends_last(app: App, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    set_up(app, listing(web))
    put(web, "Apply by 4 April 2026.", "No deadline.", "Apply by 1 June 2026.", "Apply by 5 May 2026.")
    quick(app)
    # when
    monkeypatch.setattr(feeds, "ITEMS_PER_CALENDAR", 2)
    # then
    assert [day for day, _, _ in days(calendar(app))] == ["2026-06-01", "2026-05-05"]
