from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import icalendar
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event

from feeds.model import Classification, Item
from feeds.render import FeedInfo, make_feed, render
from feeds.render.gate import GateError, check_document
from feeds.text import LONGEST_SUMMARY, LONGEST_TITLE, clean_text

ANY_TEXT = st.text(st.characters(exclude_categories=()))
same_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
MakeItem = Callable[..., Item]


def test_the_calendar_says_what_it_is_and_how_often_to_ask(info: FeedInfo) -> None:
    # when
    lines = unfold(render(make_feed(replace(info, title="Port; all, of it"), []), "ics"))
    # then
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert {
        "PRODID:-//Publisher//Publisher//EN",
        "METHOD:PUBLISH",
        "NAME;LANGUAGE=en:Port\\; all\\, of it",
        "X-WR-CALNAME:Port\\; all\\, of it",
        "DESCRIPTION;LANGUAGE=en:All the news of the harbour",
        "URL;VALUE=URI:https://harbour.example/feeds/en/all.html",
        "SOURCE;VALUE=URI:https://harbour.example/feeds/en/all.ics",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    } <= set(lines)


def test_an_event_and_a_deadline_are_days_of_their_own(info: FeedInfo, make_item: MakeItem) -> None:
    # when
    event, deadline = parse(info, [make_item(language="fr", version=3)]).events
    # then
    assert (event.uid, deadline.uid) == ("uid01@harbour.example", "uid01-deadline@harbour.example")
    assert (event.dtstart, event.dtend) == (date(2026, 12, 3), date(2026, 12, 5)), "the end is exclusive"
    assert (deadline.dtstart, deadline.dtend) == (date(2026, 12, 1), date(2026, 12, 2))
    assert (event.summary, deadline.summary) == ("Ferry line 1 opens", "Deadline · Ferry line 1 opens")
    for one in (event, deadline):
        assert one.description == "The council & the port open line 1."
        assert one.url == "https://harbour.example/news/1"
        assert one.categories == ["Work", "Europe", "Open call"]
        assert one.dtstamp == one.last_modified == datetime(2026, 11, 20, 11, tzinfo=UTC)
        assert (one.sequence, one.status, one.transparency) == (2, "CONFIRMED", "TRANSPARENT")


def test_texts_carry_their_language(info: FeedInfo, make_item: MakeItem) -> None:
    # when
    lines = unfold(render(make_feed(info, [make_item(language="fr")]), "ics"))
    # then
    assert "SUMMARY;LANGUAGE=fr:Ferry line 1 opens" in lines
    assert "DESCRIPTION;LANGUAGE=fr:The council & the port open line 1." in lines
    assert "CATEGORIES;LANGUAGE=en:Work,Europe,Open call" in lines


def test_the_name_of_a_deadline_is_that_of_the_feeds_language(info: FeedInfo, make_item: MakeItem) -> None:
    # given
    french = replace(info, labels={"deadline": "Date limite"})
    # when
    _, deadline = parse(french, [make_item()]).events
    # then
    assert deadline.summary == "Date limite · Ferry line 1 opens"


def test_what_has_no_days_is_not_in_a_calendar_and_an_empty_one_is_still_valid(
    info: FeedInfo, make_item: MakeItem
) -> None:
    # given
    undated = make_item(classification=Classification())
    # when
    body = render(make_feed(info, [undated]), "ics")
    # then
    assert parse_body(body).events == []
    assert "BEGIN:VTIMEZONE" in unfold(body), "the grammar asks for one component at least (RFC 5545 §3.6)"


def test_days_that_were_taken_away_are_cancelled_not_removed(info: FeedInfo, make_item: MakeItem) -> None:
    # given
    taken = make_item(
        classification=Classification(),
        version=4,
        former_deadline=date(2026, 12, 1),
        former_event_dates=(date(2026, 12, 3), date(2026, 12, 4)),
    )
    # when
    before, after = parse(info, [make_item(version=3)]), parse(info, [taken])
    # then
    assert [one.uid for one in after.events] == [one.uid for one in before.events]
    assert [one.dtstart for one in after.events] == [one.dtstart for one in before.events]
    assert {one.status for one in after.events} == {"CANCELLED"}
    assert {one.sequence for one in after.events} == {3}


def test_days_of_a_withdrawn_item_are_cancelled(info: FeedInfo, make_item: MakeItem) -> None:
    # when
    event, deadline = parse(info, [make_item(version=2, withdrawn_at=datetime(2026, 11, 21, tzinfo=UTC))]).events
    # then
    assert (event.status, deadline.status) == ("CANCELLED", "CANCELLED")
    assert event.dtstart == date(2026, 12, 3)


def test_a_new_day_replaces_the_former_one(info: FeedInfo, make_item: MakeItem) -> None:
    # given
    moved = make_item(former_deadline=date(2026, 12, 24))
    # when
    _, deadline = parse(info, [moved]).events
    # then
    assert (deadline.dtstart, deadline.status) == (date(2026, 12, 1), "CONFIRMED")


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_day_of_all_are_days(info: FeedInfo, make_item: MakeItem, day: date) -> None:
    # given
    item = make_item(classification=Classification(deadline=day))
    # when
    (event,) = icalendar.Calendar.from_ical(render(make_feed(info, [item]), "ics")).events
    # then
    assert event.start == day


def test_an_item_that_changes_changes_only_its_own_events(info: FeedInfo, make_item: MakeItem) -> None:
    # given
    first, second = make_item(1), make_item(2)
    # when
    before = parse(info, [first, second])
    after = parse(info, [replace(first, title="Renamed", version=2), second])
    # then
    assert before.events[2:] == after.events[2:]
    assert before.events[0].uid == after.events[0].uid
    assert before.events[0] != after.events[0]


@given(title=ANY_TEXT, summary=ANY_TEXT, label=ANY_TEXT)
@example(title="C:\\News, \\n and \\N", summary='a"b;c:d', label="Work, and; more\\")
@example(title="é" * 100_000, summary="🚢" * 3_000, label="👩‍👩‍👧 family")
@example(title="\ud800\x00\x85\u2028BEGIN:VEVENT", summary="a\r\nEND:VCALENDAR\r\n", label="\ufffe")
@same_fixtures
def test_any_text_gives_a_calendar_that_parses_back(
    info: FeedInfo, make_item: MakeItem, title: str, summary: str, label: str
) -> None:
    # given
    item = make_item(title=title, summary=summary)
    feed = make_feed(replace(info, title=title, labels={"theme:labour": label}), [item])
    # when
    body = render(feed, "ics")
    # then
    assert body == render(feed, "ics")
    assert body.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    assert not set(body) & {*range(10), 11, 12, *range(14, 32), 127}
    assert body.count(b"\n") == body.count(b"\r") == body.count(b"\r\n")
    event, deadline = parse_body(body).events
    assert event.summary == (clean_text(title, LONGEST_TITLE) or item.url)
    assert (event.description or "") == clean_text(summary, LONGEST_SUMMARY)
    assert deadline.url == item.url
    check_document(body, feed, "ics")
    (by_library, _) = icalendar.Calendar.from_ical(body).events
    assert by_library["url"] == item.url


@pytest.mark.parametrize(
    ("part", "instead", "problem"),
    [
        (b"END:VCALENDAR\r\n", b"", "cannot be read back"),
        (b"SUMMARY;LANGUAGE=en:Ferry", b"SUMMARY;LANGUAGE=en:Merry", "says"),
        (b"END:VEVENT\r\n", b"", "holds 1 items instead of 2"),
        (b"news/1", b"news/2", "says"),
    ],
)
def test_a_calendar_that_says_something_else_is_refused(
    info: FeedInfo, make_item: MakeItem, part: bytes, instead: bytes, problem: str
) -> None:
    # given
    feed = make_feed(info, [make_item()])
    body = render(feed, "ics")
    check_document(body, feed, "ics")
    # then
    with pytest.raises(GateError, match=problem):
        check_document(body.replace(part, instead, 1), feed, "ics")


def parse(info: FeedInfo, items: list[Item]) -> Calendar:
    return parse_body(render(make_feed(info, items), "ics"))


def parse_body(body: bytes) -> Calendar:
    """By a parser that is not the library that wrote it."""
    calendar = IcsCalendarStream.calendar_from_ics(body.decode())
    assert all(isinstance(event, Event) for event in calendar.events)
    return calendar


def unfold(body: bytes) -> list[str]:
    return body.replace(b"\r\n ", b"").decode().split("\r\n")
