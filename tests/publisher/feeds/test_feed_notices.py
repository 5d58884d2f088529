"""What the publisher itself writes into feeds: withdrawn items, and feeds that have ended."""

import json
from dataclasses import replace
from datetime import date, timedelta

import feedparser
import icalendar
import pytest
from feed_newsroom import ABOUT, NOON, Newsroom
from lxml import etree

from feeds.content import content_of
from feeds.criteria import Criteria
from feeds.model import Image
from publisher.errors import ConfigError, NotFoundError
from publisher.store.editions import find_item_releases
from publisher.store.item_changes import change_item
from publisher.store.items import read_item
from publisher.usecases.feeds import compile_formats, list_feeds, read_catalogue
from publisher.usecases.items import reinstate_item, show_item, withdraw_item
from publisher.usecases.newsroom import apply, export

NS = {"a": "http://www.w3.org/2005/Atom", "at": "http://purl.org/atompub/tombstones/1.0"}
ID = "tag:harbour.example,2026:uid01"
FERRIES = """
[[themes]]
id = "ferries"
title = { en = "Ferries", fr = "Bacs" }
"""
SHIPS = """
[[themes]]
id = "ships"
title = { en = "Ships", fr = "Navires" }
"""


def compile_all(newsroom: Newsroom, criteria: Criteria | None = None) -> dict[str, bytes]:
    documents = compile_formats(newsroom.app, read_catalogue(newsroom.app), criteria=criteria or Criteria())
    return {form: document.plain.body for form, document in documents.items()}


def put_pictured(newsroom: Newsroom, number: int = 1, *, language: str = "en") -> None:
    newsroom.put(number, language=language)
    image = {"url": "https://harbour.example/a.jpg", "media_type": "image/jpeg", "size_bytes": 9}
    newsroom.change(number, images=[image], authors=["Ada Marin"], content_html="<p>All of it.</p>")


def test_images_and_authors_of_an_item_are_in_every_format(newsroom: Newsroom) -> None:
    # given
    put_pictured(newsroom)
    # when
    found = compile_all(newsroom)
    # then
    assert feedparser.parse(found["atom"]).entries[0].enclosures[0].length == "9"
    assert feedparser.parse(found["rss"]).entries[0].enclosures[0].type == "image/jpeg"
    (item,) = json.loads(found["json"])["items"]
    assert (item["authors"], item["image"]) == ([{"name": "Ada Marin"}], "https://harbour.example/a.jpg")
    assert show_item(newsroom.app, 1)["images"][0]["url"] == Image("https://harbour.example/a.jpg", "image/jpeg").url


def test_a_withdrawn_item_leaves_a_tombstone_and_says_so_in_its_language(newsroom: Newsroom) -> None:
    # given
    put_pictured(newsroom, language="fr")
    # when
    withdraw_item(newsroom.app, 1, reason="C’était un autre <b>bac</b>.")
    # then
    atom = etree.fromstring(compile_all(newsroom)["atom"])
    tombstone, entry = atom.find("at:deleted-entry", NS), atom.find("a:entry", NS)
    assert tombstone is not None
    assert entry is not None
    assert (tombstone.get("ref"), tombstone.get("when")) == (ID, "2026-11-20T12:00:00+00:00")
    assert tombstone.findtext("at:comment", namespaces=NS) == "C’était un autre <b>bac</b>."
    assert entry.findtext("a:id", namespaces=NS) == ID
    assert entry.findtext("a:title", namespaces=NS) == "Retiré : Ferry line 1 opens"
    assert entry.findtext("a:updated", namespaces=NS) == tombstone.get("when")
    assert entry.findtext("a:summary", namespaces=NS) == "Cette information a été retirée. C’était un autre <b>bac</b>."


def test_a_withdrawn_item_that_is_corrected_has_changed_since(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1, classification=replace(ABOUT, deadline=date(2026, 12, 24)))
    withdraw_item(newsroom.app, 1)
    # when
    with newsroom.app.database.write() as tx:
        item = read_item(tx, 1)
        content = replace(content_of(item), title="A ferry line")
        classification = replace(item.classification, deadline=date(2026, 12, 24))
        change_item(tx, 1, content=content, classification=classification, now=NOON + timedelta(hours=5))
    # then
    found = compile_all(newsroom)
    atom, corrected_at = etree.fromstring(found["atom"]), "2026-11-20T17:00:00+00:00"
    assert [one.text for one in atom.iter("{http://www.w3.org/2005/Atom}updated")] == [corrected_at] * 2
    assert [one.get("when") for one in atom.findall("at:deleted-entry", NS)] == [corrected_at]
    assert json.loads(found["json"])["items"][0]["date_modified"] == corrected_at
    (event,) = icalendar.Calendar.from_ical(found["ics"]).events
    assert (event["dtstamp"].dt, event["last-modified"].dt) == (NOON + timedelta(hours=5),) * 2


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
def test_nothing_but_its_title_stays_of_a_withdrawn_item(newsroom: Newsroom, form: str) -> None:
    # given
    put_pictured(newsroom)
    # when
    withdraw_item(newsroom.app, 1)
    # then
    document = compile_all(newsroom)[form].decode()
    assert "Withdrawn: Ferry line 1 opens" in document
    assert not any(text in document for text in ("All of it", "open line 1", "a.jpg", "Ada Marin"))


def test_a_reinstated_item_is_as_it_was(newsroom: Newsroom) -> None:
    # given
    put_pictured(newsroom)
    before = json.loads(compile_all(newsroom)["json"])["items"]
    # when
    withdraw_item(newsroom.app, 1, reason="A mistake")
    withdraw_item(newsroom.app, 1, reason="A mistake")
    reinstate_item(newsroom.app, 1)
    reinstate_item(newsroom.app, 1)
    # then
    after = json.loads(compile_all(newsroom)["json"])["items"]
    assert [one | {"date_modified": ""} for one in after] == [one | {"date_modified": ""} for one in before]
    assert b"deleted-entry" not in compile_all(newsroom)["atom"]


def test_a_tombstone_stands_also_where_the_item_is_too_old_for_the_feed(newsroom: Newsroom) -> None:
    # given
    for number in range(1, 60):
        newsroom.put(number)
    # when
    withdraw_item(newsroom.app, 59)
    # then
    atom = etree.fromstring(compile_all(newsroom)["atom"])
    assert [one.get("ref") for one in atom.findall("at:deleted-entry", NS)] == ["tag:harbour.example,2026:uid59"]
    assert "tag:harbour.example,2026:uid59" not in [e.findtext("a:id", "", NS) for e in atom.findall("a:entry", NS)]


def test_a_withdrawn_item_is_not_mailed(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    newsroom.change(1, released_at=NOON)
    newsroom.put(2)
    newsroom.change(2, released_at=NOON)
    # when
    withdraw_item(newsroom.app, 1)
    # then
    window = {"reach_start": NOON - timedelta(hours=1), "before": NOON + timedelta(hours=1)}
    with newsroom.app.database.read() as tx:
        assert [found[0] for found in find_item_releases(tx, [], **window)] == [2]


def test_an_unknown_item_cannot_be_withdrawn(newsroom: Newsroom) -> None:
    with pytest.raises(NotFoundError, match="no item 7"):
        withdraw_item(newsroom.app, 7)


def test_a_feed_whose_theme_has_ended_ends_with_an_item_that_names_its_successor(newsroom: Newsroom) -> None:
    # given
    apply(newsroom.app, FERRIES + SHIPS, name="newsroom.toml")
    # when
    apply(newsroom.app, FERRIES + 'ended = true\nsuccessor = "ships"' + SHIPS, name="newsroom.toml")
    # then
    found = compile_all(newsroom, Criteria.of(["ferries"], language="fr"))
    (last,) = json.loads(found["json"])["items"]
    successor = "https://harbour.example/feeds/fr/theme/ships.atom"
    assert last["title"] == "Ce flux a pris fin : Bacs"
    assert last["content_html"].count(f'href="{successor}"') == 1
    assert last["id"] == "tag:harbour.example,2026:retired/feeds/fr/theme/ferries"
    assert json.loads(found["json"])["title"] == "Harbour News: Bacs"
    assert successor in feedparser.parse(found["rss"]).entries[0].summary


def test_a_theme_that_was_taken_out_ends_its_feeds_and_one_that_comes_back_goes_on(newsroom: Newsroom) -> None:
    # given
    ferries = Criteria.of(["ferries"])
    apply(newsroom.app, FERRIES, name="newsroom.toml")
    # when
    apply(newsroom.app, "", name="newsroom.toml", prunes=True)
    # then
    catalogue = read_catalogue(newsroom.app)
    assert "It has no successor." in compile_all(newsroom, ferries)["rss"].decode()
    assert ferries in list_feeds(catalogue)
    assert "ferries" in catalogue.known.themes
    assert "ferries" not in [theme.id for theme in catalogue.themes]
    # when
    apply(newsroom.app, FERRIES, name="newsroom.toml")
    # then
    assert json.loads(compile_all(newsroom, ferries)["json"])["items"] == []


def test_an_ended_theme_stays_in_the_file_and_is_no_rule_any_more(newsroom: Newsroom) -> None:
    # given
    ended = FERRIES.replace('"Bacs" }', '"Bacs" }\nterms = { en = ["ferry"] }\nended = true')
    # when
    apply(newsroom.app, ended, name="newsroom.toml")
    # then
    assert "ended = true" in export(newsroom.app)
    assert apply(newsroom.app, export(newsroom.app), name="newsroom.toml") == []
    assert "ferries" not in [theme.id for theme in read_catalogue(newsroom.app).themes]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('ended = "yes"', "ended must be true or false"),
        ('successor = "ships"', "successor must be the id of another row, of one that has ended = true"),
        ('ended = true\nsuccessor = "ferries"', "successor must be the id of another row"),
    ],
)
def test_an_ending_that_makes_no_sense_is_refused(newsroom: Newsroom, line: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        apply(newsroom.app, FERRIES + line, name="newsroom.toml")


def test_a_shipped_theme_cannot_end(newsroom: Newsroom) -> None:
    text = '[[themes]]\nid = "asylum"\ntitle = { en = "Asylum" }\nended = true'

    with pytest.raises(ConfigError, match="is shipped and cannot end"):
        apply(newsroom.app, text, name="newsroom.toml")
