"""An older database keeps what it knows of items."""

import json
from pathlib import Path

import pytest
from alembic import command
from newsroom_app import MONDAY
from sqlalchemy import make_url

from feeds.entries import Entry, entry_to_json
from publisher.store.database import Database
from publisher.store.item_changes import withdraw_item
from publisher.store.items import read_item
from publisher.store.migrate import make_alembic_config, upgrade
from publisher.store.schema import item_versions
from publisher.store.sightings import read_known

ITEM = {
    "id": 1,
    "identity": "url:h.example/1",
    "uid": "uid01",
    "url": "https://h.example/1",
    "title": "T",
    "summary": "",
    "content_html": "",
    "author": "Ada Marin",
    "category": "",
    "language": "en",
    "day": "2026-03-01",
    "date_source": "source",
    "published_at": 0,
    "first_seen_at": 0,
    "updated_at": 0,
    "version": 2,
    "kind": "news",
    "matches": "[]",
}


@pytest.fixture
def old(tmp_path: Path) -> Database:
    """A database as the first release made it, with one item."""
    database = Database(make_url(f"sqlite:///{tmp_path / 'old.db'}"))
    entry = entry_to_json(Entry("https://h.example/1", title="T"))
    sighting = {name: value for name, value in entry.items() if name not in {"authors", "images", "alternates"}}
    with database.write() as tx:
        command.upgrade(make_alembic_config(tx), "0001")
        names = ", ".join(ITEM)
        tx.exec_driver_sql(f"INSERT INTO items ({names}) VALUES ({', '.join('?' * len(ITEM))})", tuple(ITEM.values()))
        tx.exec_driver_sql("INSERT INTO sources (id, position, settings, url, failures) VALUES ('s', 0, '{}', 'u', 0)")
        tx.exec_driver_sql(
            "INSERT INTO sightings VALUES ('s', 'k', 1, ?, 0, 0)", (json.dumps(sighting | {"author": "Ada Marin"}),)
        )
        tx.exec_driver_sql(
            "INSERT INTO item_versions VALUES (1, 1, 0, ?)", (json.dumps({"author": "", "title": "Old"}),)
        )
    return database


def test_the_author_of_an_item_becomes_its_authors(old: Database) -> None:
    # when
    upgrade(old)
    # then
    with old.read() as tx:
        assert read_item(tx, 1).authors == ("Ada Marin",)
        assert read_known(tx, [1])[1].sightings[0].entry.authors == ("Ada Marin",)
        assert tx.execute(item_versions.select()).one().content["authors"] == []


def test_a_migrated_item_can_be_withdrawn(old: Database) -> None:
    # given
    upgrade(old)
    # when
    with old.write() as tx:
        withdraw_item(tx, 1, reason="", now=MONDAY)
    # then
    with old.read() as tx:
        assert read_item(tx, 1).withdrawn_at == MONDAY
