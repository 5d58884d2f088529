"""Dates as sources print them: read where they are plain, refused where they are not."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dates import (
    GivenDate,
    compile_format,
    is_plausible,
    parse_machine_date,
    parse_printed,
    parse_rfc822,
    parse_rfc3339,
)

VIENNA = ZoneInfo("Europe/Vienna")
DAY = date(2026, 3, 7)


@pytest.mark.parametrize(
    ("text", "form", "language"),
    [
        ("7 March 2026", "%d %B %Y", "en"),
        ("07 mar 2026", "%d %b %Y", "en"),
        ("  7\n March\u00a02026 ", "%d %B %Y", "en"),
        ("March 7, 2026", "%B %d, %Y", "en"),
        ("Released 07 March 2026", "Released %d %B %Y", "en"),
        ("Saturday, 7 March 2026", "%A, %d %B %Y", "en"),
        ("07.03.2026", "%d.%m.%Y", "de"),
        ("7 mars 2026", "%d %B %Y", "fr"),
        ("7 марта 2026", "%d %B %Y", "ru"),
        ("Март 7 2026", "%B %d %Y", "ru"),
        ("7 марта 2026 г.", "%d %B %Y г.", "ru"),
    ],
)
def test_a_printed_day_is_read_by_format_and_language(text: str, form: str, language: str) -> None:
    assert parse_printed(text, (form,), language=language, zone=VIENNA) == GivenDate(DAY)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("03/07/2026", None),
        ("13/07/2026", GivenDate(date(2026, 7, 13))),
        ("07/07/2026", GivenDate(date(2026, 7, 7))),
        ("7 March 2026", GivenDate(DAY)),
    ],
)
def test_a_date_that_two_formats_read_differently_is_not_guessed(text: str, given: GivenDate | None) -> None:
    forms = ("%d/%m/%Y", "%m/%d/%Y", "%d %B %Y", "%d %b %Y")

    assert parse_printed(text, forms, language="en", zone=UTC) == given


def test_the_first_of_a_french_month_and_a_british_september_are_read() -> None:
    assert parse_printed("1er août 2025", ("%d %B %Y",), language="fr", zone=UTC) == GivenDate(date(2025, 8, 1))
    assert parse_printed("2 Sept. 2025", ("%d %b %Y",), language="en", zone=UTC) == GivenDate(date(2025, 9, 2))


def test_a_time_counts_in_the_zone_of_the_source() -> None:
    given = parse_printed("07.03.2026 00:30", ("%d.%m.%Y %H:%M",), language="de", zone=VIENNA)

    assert given == GivenDate(DAY, datetime(2026, 3, 6, 23, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "7 March", "March 2026", "31 February 2026", "7 mars 2026", "on 7 March 2026", "7 March 26"],
)
def test_what_does_not_fit_the_format_is_no_date(text: str) -> None:
    assert parse_printed(text, ("%d %B %Y",), language="en", zone=UTC) is None


def test_the_first_format_that_fits_is_taken() -> None:
    formats = ("%d %B %Y", "%d.%m.%Y")

    assert parse_printed("07.03.2026", formats, language="en", zone=UTC) == GivenDate(DAY)


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ("%d %B", "year"),
        ("%B %Y", "day"),
        ("%d %Y", "month"),
        ("%d %m %B %Y", "twice"),
        ("%d/%m/%y", "%y"),
        ("", "day"),
    ],
)
def test_a_format_that_leaves_something_open_is_refused(form: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        compile_format(form, "en")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sat, 07 Mar 2026 10:00:00 GMT", datetime(2026, 3, 7, 10, tzinfo=UTC)),
        ("Sat, 07 Mar 2026 10:00:00 +0100", datetime(2026, 3, 7, 9, tzinfo=UTC)),
        ("Sat, 07 Mar 2026 10:00:00 CEST", datetime(2026, 3, 7, 8, tzinfo=UTC)),
        ("Sat, 07 Mar 2026 10:00 EST", datetime(2026, 3, 7, 15, tzinfo=UTC)),
        ("7 Mar 26 10:00 Z", datetime(2026, 3, 7, 10, tzinfo=UTC)),
        ("Sat, 07 March 2026 10:00:00 +0000 (UTC)", datetime(2026, 3, 7, 10, tzinfo=UTC)),
        ("Sat, 07 Mar 2026 10:00:00 IST", None),
        ("Sat, 07 Mar 2026 10:00:00", None),
        ("Sat, 07 Mar 2026", None),
    ],
)
def test_rfc_822_dates_have_a_moment_where_their_zone_means_one(text: str, moment: datetime | None) -> None:
    assert parse_rfc822(text) == GivenDate(DAY, moment)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("2026-03-07", GivenDate(DAY)),
        ("2026-03-07T23:30:00-05:00", GivenDate(DAY, datetime(2026, 3, 8, 4, 30, tzinfo=UTC))),
        ("2026-03-07t10:00Z", GivenDate(DAY, datetime(2026, 3, 7, 10, tzinfo=UTC))),
        ("2026-03-07T10:00:60.5Z", GivenDate(DAY, datetime(2026, 3, 7, 10, 0, 59, tzinfo=UTC))),
        ("2026-03-07T10:00:00", GivenDate(DAY, datetime(2026, 3, 7, 9, tzinfo=UTC))),
        ("2026-03", None),
        ("2026", None),
        ("2026-13-07", None),
        ("2026-02-30", None),
        ("20260307", None),
    ],
)
def test_rfc_3339_dates_keep_the_day_of_their_own_zone(text: str, given: GivenDate | None) -> None:
    assert parse_rfc3339(text, VIENNA) == given


@pytest.mark.parametrize("text", ["03/07/2026", "07.03.2026", "7 mars 2026", "now", "1772841600"])
def test_a_feed_with_a_date_of_its_own_making_has_no_date(text: str) -> None:
    assert parse_machine_date(text) is None


@pytest.mark.parametrize(
    ("day", "is_believed"),
    [
        (date(1970, 1, 1), False),
        (date(1989, 12, 31), False),
        (date(1990, 1, 1), True),
        (date(2026, 3, 8), True),
        (date(2026, 3, 9), False),
        (date(9999, 12, 31), False),
    ],
)
def test_dates_before_the_web_and_beyond_tomorrow_are_not_believed(day: date, *, is_believed: bool) -> None:
    now = datetime(2026, 3, 7, 12, tzinfo=UTC)

    assert is_plausible(GivenDate(day), now) is is_believed


@given(st.text(max_size=400))
def test_any_text_is_a_date_or_none(text: str) -> None:
    for found in (parse_machine_date(text), parse_printed(text, ("%d %B %Y %H:%M",), language="ru", zone=VIENNA)):
        assert found is None or isinstance(found.day, date)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-12, 14))  # noqa: DTZ001
def test_what_is_written_by_the_standards_is_read_back(naive: datetime, hours: int) -> None:
    offset = timedelta(hours=hours)
    text = naive.strftime("%Y-%m-%dT%H:%M:%S") + f"{hours:+03d}:00"

    given = parse_machine_date(text)

    assert given == GivenDate(naive.date(), (naive - offset).replace(microsecond=0, tzinfo=UTC))
