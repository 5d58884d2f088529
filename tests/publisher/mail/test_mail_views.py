"""How much a message shows, and which days its window has."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from feeds.model import Item
from publisher.i18n import translator
from publisher.mail.content import DigestContent
from publisher.mail.extent import Extent, extents, trim
from publisher.mail.views import view_digest, window_days

VIENNA = ZoneInfo("Europe/Vienna")


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        pytest.param((16, 8), (23, 8), 16, 22, id="a week from Monday morning"),
        pytest.param((16, 18), (23, 18), 17, 23, id="a week from Monday evening"),
        pytest.param((16, 12), (23, 12), 16, 22, id="a week from noon"),
        pytest.param((22, 8), (23, 8), 22, 22, id="a day from the morning"),
        pytest.param((22, 18), (23, 18), 23, 23, id="a day from the evening"),
        pytest.param((22, 8), (22, 9), 22, 22, id="an hour without a noon"),
        pytest.param((22, 23), (23, 0), 22, 22, id="the last hour of a day"),
    ],
)
def test_a_window_is_named_by_the_days_whose_noon_it_has(
    start: tuple[int, int], end: tuple[int, int], first: int, last: int
) -> None:
    # given
    window = [datetime(2026, 11, *moment, tzinfo=VIENNA).astimezone(UTC) for moment in (start, end)]

    # when
    days = window_days(*window, zone=VIENNA)

    # then
    assert days == (date(2026, 11, first), date(2026, 11, last))


def test_extents_shrink_to_nothing() -> None:
    for count in (0, 1, 7, 5_000):
        # when
        steps = list(extents(count))

        # then
        assert steps[0].summary_words is None
        assert (steps[-1].listed, steps[-1].detailed) == (0, 0)
        assert steps == sorted(steps, key=lambda step: (-step.listed, -step.detailed))
        assert len(steps) < 60


def test_a_trimmed_view_has_summaries_then_titles_then_nothing(
    make_item: Callable[..., Item], make_content: Callable[..., DigestContent]
) -> None:
    # given
    items = [make_item(n, theme="harbours" if n < 3 else "bridges", summary="one two three four") for n in range(6)]
    view = view_digest(make_content(*items), translator("en"))

    # when
    trimmed = trim(view, Extent(listed=4, detailed=2, summary_words=2))

    # then
    summaries = [[item.summary for item in group.items] for group in trimmed.groups]
    assert summaries == [["one two…", "one two…", ""], [""]]
    assert trimmed.item_count == 6
    assert trim(view, Extent(0, 0)).groups == ()
