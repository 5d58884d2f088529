"""Deadlines and event dates of invented items, all of 10 June 2025."""

from datetime import date

import pytest

from feeds.classify import ItemText, Taxonomy, classify
from tests.feeds.classify.conftest import Classify


def _span(*days: str) -> tuple[date, date]:
    first, last = (date.fromisoformat(day) for day in days)
    return first, last


@pytest.mark.parametrize(
    ("language", "summary", "days"),
    [
        ("en", "The seminar was held on 3 June 2025.", ("2025-06-03", "2025-06-03")),
        ("en", "The seminar was held on 3 June.", ("2025-06-03", "2025-06-03")),
        ("en", "The seminar was held on 3-5 June 2025.", ("2025-06-03", "2025-06-05")),
        ("en", "The seminar ran from 30 May to 1 June 2025.", ("2025-05-30", "2025-06-01")),
        ("en", "The seminar ran from the 3rd to the 5th of June.", ("2025-06-03", "2025-06-05")),
        ("en", "The seminar ran from June 3rd to 5th, 2025.", ("2025-06-03", "2025-06-05")),
        ("en", "The seminar ran on 3 and 4 June.", ("2025-06-03", "2025-06-04")),
        ("fr", "Le séminaire s'est tenu du 1er au 3 juin 2025.", ("2025-06-01", "2025-06-03")),
        ("fr", "Le séminaire s'est tenu les 3 et 4 juin.", ("2025-06-03", "2025-06-04")),
        ("ru", "Семинар прошёл 3–5 июня 2025 года.", ("2025-06-03", "2025-06-05")),
        ("ru", "Курс шёл с 30 декабря 2024 года по 12 января 2025 года.", ("2024-12-30", "2025-01-12")),
        ("ru", "Курс шёл с 30 декабря по 12 января 2025 года.", ("2024-12-30", "2025-01-12")),
    ],
)
def test_event_dates_are_the_days_of_the_happening(
    classified: Classify, language: str, summary: str, days: tuple[str, str]
) -> None:
    assert classified(summary, language=language).event_dates == _span(*days)


@pytest.mark.parametrize(
    "summary",
    [
        "The seminar is held in June 2025.",
        "The seminar was held last Monday.",
        "The bridge has been closed since 3 June.",
        "Fog has been rising since the bridge was closed on 3 June.",
        "Choirs will sing after the elections on 12 June.",
        "The first bridge was built on 3 June 1925.",
        "GENEVA, 10 June 2025 – The choir sang.",
        "The 31 June is no day.",
    ],
)
def test_months_history_press_lines_and_other_events_are_no_event_dates(classified: Classify, summary: str) -> None:
    assert classified(summary).event_dates is None


@pytest.mark.parametrize(
    ("language", "summary", "deadline"),
    [
        ("en", "Choirs can apply until 1 July 2025.", date(2025, 7, 1)),
        ("en", "Send your application by 1 July.", date(2025, 7, 1)),
        ("en", "The deadline for applications is 1 July 2025.", date(2025, 7, 1)),
        ("en", "Choirs can apply. The original date, 1 July, has been moved to 5 July.", date(2025, 7, 5)),
        ("en", "The bridge is closed until 1 July 2025.", None),
        ("fr", "Les candidatures sont ouvertes jusqu'au 1er juillet 2025.", date(2025, 7, 1)),
        ("ru", "Заявки принимаются до 1 июля 2025 года.", date(2025, 7, 1)),
        ("ru", "Мост закрыт до 1 июля 2025 года.", None),
    ],
)
def test_a_deadline_is_the_last_day_to_apply(
    classified: Classify, language: str, summary: str, deadline: date | None
) -> None:
    found = classified(summary, language=language)
    assert (found.deadline, found.event_dates) == (deadline, None)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_an_item_of_the_first_or_last_day_of_the_calendar_is_read_like_any_other(taxonomy: Taxonomy, day: date) -> None:
    text = ItemText(None, "The seminar was held on 3 June 2025; it ended on 1 January.", day)
    assert classify(text, taxonomy).kind == "event"


def test_a_date_without_a_year_is_left_out_where_the_item_has_no_day(taxonomy: Taxonomy) -> None:
    text = ItemText(None, "The seminar was held on 3 June.")
    assert classify(text, taxonomy).event_dates is None
