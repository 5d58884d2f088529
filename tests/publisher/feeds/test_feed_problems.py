"""A feed that cannot go out keeps its last good version, and staff are told until it can."""

from collections.abc import Iterator

import httpx
import pytest
from feed_newsroom import NOON, Newsroom
from live_web import open_web
from structlog.testing import capture_logs

from feeds.criteria import Criteria
from feeds.paths import Address, PageAddress
from feeds.render import Feed
from publisher.errors import RenderError
from publisher.usecases import feed_documents, feed_pages, feeds
from publisher.usecases.doctor import examine
from publisher.usecases.feed_pages import compile_page
from publisher.usecases.feed_shelf import FeedShelf
from publisher.usecases.feeds import compile_formats, list_feed_problems, read_catalogue
from publisher.web.server import make_staff_app

FRENCH = Address(Criteria(language="fr"), "rss")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of feeds whose documents lose their last item."""
    names: set[str] = set()
    render = feed_documents.render

    def lose(feed: Feed, form: str) -> bytes:
        items = feed.items[:-1] if feed.info.name in names else feed.items
        return render(Feed(feed.info, items, feed.tombstones), form)

    monkeypatch.setattr(feed_documents, "render", lose)
    return names


@pytest.fixture
def staff(newsroom: Newsroom) -> Iterator[httpx.Client]:
    with open_web(newsroom.app, make_staff_app) as client:
        yield client


def test_a_document_that_lost_an_item_is_not_served_and_the_last_good_one_is(
    newsroom: Newsroom, broken: set[str]
) -> None:
    # given
    shelf = FeedShelf(newsroom.app, fresh_for_s=0)
    newsroom.put(1, language="fr")
    good = shelf.feed(FRENCH, shelf.catalogue())
    # when
    broken.add("feeds/fr/all")
    newsroom.put(2, language="fr", updated_at=NOON)
    with capture_logs() as logs:
        now = shelf.feed(FRENCH, shelf.catalogue())
    # then
    assert now == good
    assert {"event": "feed refused", "feed": "feeds/fr/all", "log_level": "error"}.items() <= logs[0].items()


def test_staff_see_the_problem_until_it_is_gone(newsroom: Newsroom, broken: set[str], staff: httpx.Client) -> None:
    # given
    newsroom.put(1, language="fr")
    broken.add("feeds/fr/all")
    # when
    with pytest.raises(RenderError, match="holds 0 items instead of 1"):
        compile_formats(newsroom.app, read_catalogue(newsroom.app), criteria=FRENCH.criteria)
    # then
    ((name, problem),) = list_feed_problems(newsroom.app)
    assert (name, "holds 0 items instead of 1" in problem) == ("feeds/fr/all", True)
    assert "holds 0 items instead of 1" in staff.get("/staff/").text
    assert not doctor(newsroom)[0]
    # when
    broken.clear()
    compile_formats(newsroom.app, read_catalogue(newsroom.app), criteria=FRENCH.criteria)
    # then
    assert list_feed_problems(newsroom.app) == []
    assert "holds 0 items" not in staff.get("/staff/").text
    assert doctor(newsroom)[0]


def test_an_item_that_a_feed_did_not_ask_for_is_refused(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    stranger = newsroom.put(1, language="ru")
    monkeypatch.setattr(feeds, "select_feed_items", lambda *_, **__: [stranger])
    # then
    with pytest.raises(RenderError, match="feeds/fr/all would show item 1, which it did not ask for"):
        compile_formats(newsroom.app, read_catalogue(newsroom.app), criteria=FRENCH.criteria)


def doctor(newsroom: Newsroom) -> tuple[bool, str]:
    return next((one.is_well, one.text) for one in examine(newsroom.config_file) if one.subject == "feeds")


@pytest.mark.parametrize("loss", ["Ferry line 2", 'href="https://harbour.example/news/1"', "<article"])
def test_a_page_that_lost_something_is_not_served_and_the_last_good_one_is(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    # given
    shelf, address = FeedShelf(newsroom.app, fresh_for_s=0), PageAddress(Criteria())
    newsroom.put(1, title="5 < 6 &amp; <b>  \u200f\u00a0Ⴀ")
    good = shelf.feed(address, shelf.catalogue())
    render = feed_pages._render
    monkeypatch.setattr(
        feed_pages, "_render", lambda *args, **named: render(*args, **named).replace(loss.encode(), b"")
    )
    # when
    newsroom.put(2, updated_at=NOON)
    # then
    assert shelf.feed(address, shelf.catalogue()) == good
    with pytest.raises(RenderError, match="The page of feeds/all/all"):
        compile_page(newsroom.app, read_catalogue(newsroom.app), criteria=Criteria())


@pytest.mark.parametrize("statement", ["select_dated_items", "select_withdrawn"])
def test_an_item_that_nobody_asked_for_is_refused_also_in_calendars_and_tombstones(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    # given
    stranger = newsroom.put(1)
    monkeypatch.setattr(feeds, statement, lambda *_, **__: [stranger])
    # then
    with pytest.raises(RenderError, match="did not ask for"):
        compile_formats(newsroom.app, read_catalogue(newsroom.app), criteria=FRENCH.criteria)
