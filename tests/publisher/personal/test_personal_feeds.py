"""Personal feeds: the reader's own mix, for nobody else, and for no longer than the reader may have it."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import feedparser
import httpx
import icalendar
import pytest
from live_web import open_web, with_base_url
from newsroom_app import MONDAY, Newsroom, open_newsroom, with_hubs
from sqlalchemy import update

from feeds.criteria import Criteria
from feeds.paths import FORMATS
from publisher.errors import NotFoundError, RenderError, StateError
from publisher.store.schema import items, personal_feeds, subscribers
from publisher.store.subscribers import end_subscriptions, suppress_address
from publisher.usecases.documents import Document
from publisher.usecases.feed_tree import build_static
from publisher.usecases.items import withdraw_item
from publisher.usecases.personal_feeds import PersonalShelf, issue_feed, revoke_feed
from publisher.usecases.subscribers import erase_subscriber, show_subscriber
from subscribers.tokens import address_hash

ANA = "ana@example.org"
Get = Callable[..., httpx.Response]


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        newsroom.app = with_hubs(newsroom.app, "https://hub.example/")
        newsroom.add_item(released_at=MONDAY, themes=["asylum"], regions=["africa"], title="Asylum in Africa")
        newsroom.add_item(released_at=MONDAY, themes=["development"], regions=["asia"], title="Development in Asia")
        newsroom.add_item(released_at=MONDAY, themes=["asylum"], regions=["asia"], title="Asylum in Asia")
        newsroom.add_person("ana", Criteria.of(["asylum"], ["africa"]), Criteria.of(["development"]))
        yield newsroom


@pytest.fixture
def get(newsroom: Newsroom) -> Iterator[Get]:
    with open_web(newsroom.app) as client:
        yield lambda url, **headers: client.get(
            urlsplit(url).path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


def titles(answer: httpx.Response) -> set[str]:
    return {entry.title for entry in feedparser.parse(answer.content).entries}


def test_it_holds_what_any_of_the_subscriptions_asks_for(newsroom: Newsroom, get: Get) -> None:
    # given
    urls = issue_feed(newsroom.app, " ANA@example.org ")
    # when
    answers = {form: get(url) for form, url in urls.items()}
    # then
    assert set(urls) == set(FORMATS)
    assert all(url.startswith("https://harbour.example/feeds/personal/") for url in urls.values())
    for form in ("atom", "rss"):
        assert titles(answers[form]) == {"Asylum in Africa", "Development in Asia"}
    assert {one["title"] for one in answers["json"].json()["items"]} == titles(answers["atom"])
    assert answers["atom"].headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert b'rel="self"' in answers["atom"].content
    assert urls["atom"].encode() in answers["atom"].content


def test_its_calendar_holds_the_days_of_the_mix(newsroom: Newsroom, get: Get) -> None:
    # given
    day = MONDAY.date()
    with newsroom.app.database.write() as tx:
        tx.execute(update(items).where(items.c.id.in_([1, 3])).values(deadline=day, last_day=day))
    # when
    answer = get(issue_feed(newsroom.app, ANA)["ics"])
    # then
    (event,) = icalendar.Calendar.from_ical(answer.content).events
    assert str(event["summary"]) == "Deadline · Asylum in Africa"


def test_a_piece_is_shown_once_in_the_readers_language_else_in_its_own(newsroom: Newsroom, get: Get) -> None:
    # given
    french = newsroom.add_item(released_at=MONDAY, themes=["development"], language="fr", title="En français")
    russian = newsroom.add_item(released_at=MONDAY, themes=["development"], language="ru", title="По-русски")
    with newsroom.app.database.write() as tx:
        tx.execute(update(items).where(items.c.id.in_([french, russian])).values(original_id=2))
    newsroom.add_person("fanny", Criteria.of(["development"]), language="fr")
    # then
    assert titles(get(issue_feed(newsroom.app, ANA)["atom"])) == {"Asylum in Africa", "Development in Asia"}
    assert titles(get(issue_feed(newsroom.app, "fanny@example.org")["atom"])) == {"En français"}


def translate(newsroom: Newsroom, original: int, *, theme: str) -> int:
    """A French translation of the item; its number."""
    french = newsroom.add_item(released_at=MONDAY, themes=[theme], language="fr", title="En français")
    with newsroom.app.database.write() as tx:
        tx.execute(update(items).where(items.c.id == french).values(original_id=original))
    return french


def test_a_translation_that_nobody_asked_for_hides_no_original(newsroom: Newsroom, get: Get) -> None:
    # given
    newsroom.add_person("fanny", Criteria.of(["development"]), language="fr")
    # when
    translate(newsroom, 2, theme="asylum")
    # then
    assert titles(get(issue_feed(newsroom.app, "fanny@example.org")["atom"])) == {"Development in Asia"}


def test_a_translation_that_was_withdrawn_hides_no_original(newsroom: Newsroom, get: Get) -> None:
    # given
    newsroom.add_person("fanny", Criteria.of(["development"]), language="fr")
    french = translate(newsroom, 2, theme="development")
    # when
    withdraw_item(newsroom.app, french)
    # then
    found = titles(get(issue_feed(newsroom.app, "fanny@example.org")["atom"]))
    assert found == {"Development in Asia", "Retiré : En français"}


def test_it_is_private(newsroom: Newsroom, get: Get) -> None:
    # given
    url = issue_feed(newsroom.app, ANA)["atom"]
    # when
    answer = get(url, Accept_Encoding="gzip")
    unchanged = get(url, Accept_Encoding="gzip", If_None_Match=answer.headers["etag"])
    # then
    assert answer.headers["content-encoding"] == "gzip"
    assert unchanged.status_code == 304
    for one in (answer, unchanged):
        assert one.headers["cache-control"] == "private, max-age=300"
        assert one.headers["x-robots-tag"] == "noindex"
        assert one.headers["referrer-policy"] == "no-referrer"
        assert one.headers["etag"] == answer.headers["etag"]
        assert "link" not in one.headers
    assert b"hub.example" not in answer.content
    assert "/feeds/personal/" in get("/robots.txt").text


def test_it_stands_in_no_directory_and_in_no_tree(newsroom: Newsroom, get: Get, tmp_path: Path) -> None:
    # given
    issue_feed(newsroom.app, ANA)
    # when
    build_static(newsroom.app, tmp_path / "www")
    # then
    assert "personal" not in get("/feeds/").text + get("/feeds/index.opml").text
    assert not list((tmp_path / "www").rglob("*personal*"))


def test_a_new_address_takes_the_old_one_away(newsroom: Newsroom, get: Get) -> None:
    # given
    old = issue_feed(newsroom.app, ANA)["atom"]
    assert get(old).status_code == 200
    # when
    new = issue_feed(newsroom.app, ANA)["atom"]
    # then
    assert get(old).status_code == 404
    assert get(new).status_code == 200


def end(newsroom: Newsroom, how: str) -> None:
    match how:
        case "revoked":
            revoke_feed(newsroom.app, ANA)
        case "erased":
            erase_subscriber(newsroom.app, ANA, actor="staff:ada")
        case "suppressed":
            with newsroom.app.database.write() as tx:
                hashed = address_hash(newsroom.app.secret, ANA)
                suppress_address(tx, hashed, subscriber_id=1, reason="complaint", now=MONDAY)
        case "unsubscribed":
            with newsroom.app.database.write() as tx:
                tx.execute(update(subscribers).values(status="unsubscribed"))
        case "nothing left":
            with newsroom.app.database.write() as tx:
                end_subscriptions(tx, [1], reason="unsubscribed", now=MONDAY)


@pytest.mark.parametrize("how", ["revoked", "erased", "suppressed", "unsubscribed", "nothing left"])
def test_who_may_have_nothing_more_has_an_address_that_never_was(newsroom: Newsroom, get: Get, how: str) -> None:
    # given
    url = issue_feed(newsroom.app, ANA)["atom"]
    etag = get(url).headers["etag"]
    # when
    end(newsroom, how)
    # then
    ended = get(url, If_None_Match=etag)
    unknown = get("/feeds/personal/" + "x" * 32 + ".atom", If_None_Match=etag)
    assert (ended.status_code, ended.content) == (404, unknown.content)
    assert {name: value for name, value in ended.headers.items() if name != "date"} == {
        name: value for name, value in unknown.headers.items() if name != "date"
    }


@pytest.mark.parametrize(
    "name", ["", "atom", ".atom", "x.pdf", "é.atom", "x" * 5_000 + ".atom", "a%00b.rss", "%ff.rss"]
)
def test_what_is_no_address_leads_nowhere(newsroom: Newsroom, get: Get, name: str) -> None:
    assert get(f"/feeds/personal/{name}").status_code == 404


def test_a_mix_that_changes_changes_the_feed_at_once(newsroom: Newsroom, get: Get) -> None:
    # given
    url = issue_feed(newsroom.app, ANA)["atom"]
    before = get(url)
    # when
    newsroom.clock.forward(minutes=1)
    with newsroom.app.database.write() as tx:
        end_subscriptions(tx, [1], reason="unsubscribed", now=newsroom.clock.now)
    assert get(url).status_code == 404
    with newsroom.app.database.write() as tx:
        tx.exec_driver_sql("UPDATE subscriptions SET ended_at = NULL WHERE id = 1")
    # then
    after = get(url, If_Modified_Since=before.headers["last-modified"])
    assert after.status_code == 200
    assert titles(after) == {"Asylum in Africa"}


def test_only_a_hash_of_the_address_is_kept(newsroom: Newsroom) -> None:
    # when
    url = issue_feed(newsroom.app, ANA)["atom"]
    # then
    token = urlsplit(url).path.rpartition("/")[2].removesuffix(".atom")
    (row,) = newsroom.rows(personal_feeds)
    assert len(token) == 32
    assert token not in repr(row)
    newsroom.app.database.close()
    kept = [path for path in newsroom.folder.iterdir() if token.encode() in path.read_bytes()]
    assert kept == []


def test_everything_that_is_kept_of_a_person_tells_of_it_and_erasure_leaves_nothing(newsroom: Newsroom) -> None:
    # given
    issue_feed(newsroom.app, ANA)
    newsroom.clock.forward(days=1)
    revoke_feed(newsroom.app, ANA)
    # then
    told = show_subscriber(newsroom.app, ANA).to_json()["personal_feeds"]
    assert told == [{"created_at": MONDAY.isoformat(), "revoked_at": (MONDAY + timedelta(days=1)).isoformat()}]
    # when
    erase_subscriber(newsroom.app, ANA, actor="staff:ada")
    # then
    assert newsroom.rows(personal_feeds) == []


def test_nobody_gets_one_who_gets_nothing(newsroom: Newsroom) -> None:
    newsroom.add_person("ben", status="unsubscribed")

    with pytest.raises(StateError, match="gets nothing"):
        issue_feed(newsroom.app, "ben@example.org")
    with pytest.raises(NotFoundError, match="no personal feed"):
        revoke_feed(newsroom.app, ANA)
    with pytest.raises(NotFoundError, match="Nobody has the address"):
        issue_feed(newsroom.app, "cem@example.org")


def test_its_address_is_never_logged(
    newsroom: Newsroom,
    get: Get,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # given
    caplog.set_level(logging.DEBUG)
    url = issue_feed(newsroom.app, ANA)["atom"]

    def fail(*_: object) -> None:
        raise RenderError("no feed today")

    # when
    assert get(url).status_code == 200
    newsroom.add_item(released_at=MONDAY)
    monkeypatch.setattr("publisher.usecases.personal_feeds.render_documents", fail)
    answer = get(url)
    # then
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "300")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    logged = "".join([*ours, *capsys.readouterr()])
    assert "no feed today" in logged
    assert urlsplit(url).path.rpartition("/")[2].removesuffix(".atom") not in logged


def take(shelf: PersonalShelf, url: str) -> Document:
    document = shelf.feed(urlsplit(url).path.rpartition("/")[2].removesuffix(".atom"), "atom")
    assert document is not None
    return document


def test_the_one_that_was_not_asked_for_longest_leaves_memory_first(newsroom: Newsroom) -> None:
    # given
    newsroom.add_person("ben", Criteria.of(["development"]))
    newsroom.add_person("cem", Criteria.of(["development"]))
    ana, ben, cem = (issue_feed(newsroom.app, f"{name}@example.org")["atom"] for name in ("ana", "ben", "cem"))
    sizes = [take(PersonalShelf(newsroom.app), url).size_bytes for url in (ana, ben, cem)]
    shelf = PersonalShelf(newsroom.app, capacity_bytes=sum(sizes) - 1)
    # when
    first, second = take(shelf, ana), take(shelf, ben)
    assert take(shelf, ana) is first
    take(shelf, cem)
    # then
    assert take(shelf, ana) is first
    assert take(shelf, ben) is not second


def test_one_that_many_wait_for_is_compiled_once(newsroom: Newsroom) -> None:
    # given
    url, shelf = issue_feed(newsroom.app, ANA)["atom"], PersonalShelf(newsroom.app)
    # when
    with ThreadPoolExecutor(8) as threads:
        documents = list(threads.map(lambda _: take(shelf, url), range(16)))
    # then
    assert len({id(document) for document in documents}) == 1


def test_it_works_below_a_path(newsroom: Newsroom) -> None:
    # given
    app = with_base_url(newsroom.app, "https://harbour.example/news")
    url = issue_feed(app, ANA)["atom"]
    # then
    with open_web(app) as client:
        assert client.get(urlsplit(url).path).status_code == 200
