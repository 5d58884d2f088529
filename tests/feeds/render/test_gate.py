"""The gate lets out what can be read back and holds every item, and nothing else."""

from collections.abc import Callable
from datetime import date

import pytest

from feeds.model import Classification, Item
from feeds.paths import ARCHIVED_FORMATS, Format
from feeds.render import FeedInfo, GateError, check_document, make_feed, render

each_format = pytest.mark.parametrize("form", ARCHIVED_FORMATS)


@each_format
def test_a_document_as_it_was_rendered_goes_out(info: FeedInfo, make_item: Callable[..., Item], form: Format) -> None:
    # given
    feed = make_feed(
        info, [make_item(1, title="5 < 6 & <b>"), make_item(2, language="ru", title="Паром"), make_item(3)]
    )
    # then
    check_document(render(feed, form), feed, form)
    check_document(render(make_feed(info, []), form), make_feed(info, []), form)


@each_format
def test_a_document_that_lost_an_item_stays(info: FeedInfo, make_item: Callable[..., Item], form: Format) -> None:
    # given
    items = [make_item(1), make_item(2)]
    # when
    document = render(make_feed(info, items[:1]), form)
    # then
    with pytest.raises(GateError, match=f"the {form} document holds 1 items instead of 2"):
        check_document(document, make_feed(info, items), form)


@each_format
@pytest.mark.parametrize(
    ("old", "new"), [(b"line 1 opens", b"line 1 closes"), (b"/news/1", b"/news/9"), (b"uid01", b"uid09")]
)
def test_a_document_that_says_something_else_stays(
    info: FeedInfo, make_item: Callable[..., Item], form: Format, old: bytes, new: bytes
) -> None:
    # given
    feed = make_feed(info, [make_item(1)])
    # when
    document = render(feed, form).replace(old, new)
    # then
    with pytest.raises(GateError, match=r"says .* instead of"):
        check_document(document, feed, form)


@pytest.mark.parametrize(
    ("form", "change", "problem"),
    [
        ("atom", (b"</feed>", b""), "not well-formed"),
        ("atom", (b"<updated>2026-11-20T12:00:00+00:00</updated>", b""), "no updated"),
        ("atom", (b"<id>tag:harbour.example,2026:feeds/en/all</id>", b""), "no id"),
        ("atom", (b"http://www.w3.org/2005/Atom", b"http://example.org/"), "root is"),
        ("rss", (b"<description>All the news of the harbour</description>", b""), "no description"),
        ("rss", (b"\xd0", b"\xff"), "not well-formed"),
        ("json", (b'"version":"https://jsonfeed.org/version/1.1",', b""), "version"),
        ("json", (b"}]}", b"}]"), "cannot be read back"),
        ("json", (b'"date_published":"2026', b'"date_published":"26'), "date_published"),
    ],
)
def test_a_document_that_is_none_of_its_format_stays(
    info: FeedInfo, make_item: Callable[..., Item], form: Format, change: tuple[bytes, bytes], problem: str
) -> None:
    # given
    feed = make_feed(info, [make_item(1, title="Паром")])
    document = render(feed, form)
    assert change[0] in document
    # then
    with pytest.raises(GateError, match=problem):
        check_document(document.replace(*change), feed, form)


@pytest.mark.parametrize("line", [b"DTSTART;VALUE=DATE:20261224\r\n", b"DTSTAMP:20261120T110000Z\r\n"])
def test_an_event_without_what_it_must_have_stays(info: FeedInfo, make_item: Callable[..., Item], line: bytes) -> None:
    # given
    feed = make_feed(info, [make_item(1, classification=Classification(deadline=date(2026, 12, 24)))])
    document = render(feed, "ics")
    check_document(document, feed, "ics")
    assert line in document
    # then
    with pytest.raises(GateError, match="an event has no DTST"):
        check_document(document.replace(line, b""), feed, "ics")
