from datetime import date

import pytest

from publisher.demo.dates import fill, format_day, format_range


@pytest.mark.parametrize(
    ("day", "language", "words"),
    [
        (date(2027, 5, 4), "en", "4 May 2027"),
        (date(2027, 5, 4), "fr", "4 mai 2027"),
        (date(2027, 5, 1), "fr", "1er mai 2027"),
        (date(2027, 5, 11), "fr", "11 mai 2027"),
        (date(2027, 5, 4), "ru", "4 мая 2027 года"),
    ],
)
def test_a_day_reads_as_running_text_prints_it(day: date, language: str, words: str) -> None:
    assert format_day(day, language) == words


@pytest.mark.parametrize(
    ("first", "last", "language", "words"),
    [
        (date(2027, 5, 3), date(2027, 5, 5), "en", "3–5 May 2027"),
        (date(2027, 5, 3), date(2027, 5, 3), "en", "3 May 2027"),
        (date(2027, 5, 31), date(2027, 6, 2), "en", "31 May – 2 June 2027"),
        (date(2027, 12, 31), date(2028, 1, 1), "en", "31 December 2027 – 1 January 2028"),
        (date(2027, 5, 1), date(2027, 5, 5), "fr", "du 1er au 5 mai 2027"),
        (date(2027, 5, 31), date(2027, 6, 1), "fr", "du 31 mai au 1er juin 2027"),
        (date(2027, 5, 3), date(2027, 5, 5), "ru", "3–5 мая 2027 года"),
        (date(2027, 12, 31), date(2028, 1, 1), "ru", "31 декабря 2027 года – 1 января 2028 года"),
    ],
)
def test_a_range_names_month_and_year_once_where_they_are_the_same(
    first: date, last: date, language: str, words: str
) -> None:
    assert format_range(first, last, language=language) == words


def test_offsets_count_from_the_day_of_the_story() -> None:
    text = fill("{event}; until {deadline}", {"event": (-2, 0), "deadline": 30}, day=date(2027, 5, 4), language="en")

    assert text == "2–4 May 2027; until 3 June 2027"


def test_a_name_without_an_offset_is_an_error() -> None:
    with pytest.raises(KeyError, match="deadline"):
        fill("until {deadline}", {}, day=date(2027, 5, 4), language="en")
