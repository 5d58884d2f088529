"""The migrated schema is the one the code knows, and its keys carry their promises."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from newsroom_app import MONDAY, Newsroom, open_newsroom
from sqlalchemy import Table
from sqlalchemy.exc import IntegrityError

from publisher.app import open_app, upgrade_database
from publisher.errors import ConfigError
from publisher.store import schema, schema_dispatch
from publisher.store.columns import metadata
from publisher.store.migrate import SCHEMA_REVISION, make_alembic_config
from publisher.store.subscribers import suppress_address


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        newsroom.add_item(released_at=MONDAY)
        newsroom.add_person("ana")
        newsroom.clock.forward(days=1)
        newsroom.plan_edition()
        with newsroom.app.database.write() as tx:
            suppress_address(tx, "f" * 64, subscriber_id=None, reason="staff", now=MONDAY)
            event = {"id": "1:1", "delivery_id": 1, "at": MONDAY, "state": "failed", "reply": "550"}
            tx.execute(schema_dispatch.delivery_events.insert().values(event))
        yield newsroom


def test_the_migrated_schema_is_the_schema_of_the_code(newsroom: Newsroom) -> None:
    with newsroom.app.database.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_there_is_one_newest_revision_and_the_code_names_it() -> None:
    script = ScriptDirectory.from_config(make_alembic_config())

    assert script.get_heads() == [SCHEMA_REVISION]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        (schema.items, "identity"),
        (schema.editions, "digest_id, editions.window_start"),
        (schema_dispatch.deliveries, "edition_id, deliveries.subscriber_id"),
        (schema.subscriptions, "subscriber_id, subscriptions.criteria_id, subscriptions.cadence"),
        (schema.suppressions, "address_hash"),
        (schema_dispatch.delivery_events, "id"),
    ],
)
def test_each_promised_key_refuses_a_second_row(newsroom: Newsroom, table: Table, key: str) -> None:
    row: dict[str, Any] = newsroom.rows(table)[0]
    others = {schema.items: {"id": 99, "uid": "another"}, schema.editions: {"id": "another"}}
    again = {name: value for name, value in row.items() if name != "id" or table is schema_dispatch.delivery_events}

    refused = pytest.raises(IntegrityError, match=rf"UNIQUE constraint failed: {table.name}\.{key}")
    with refused, newsroom.app.database.write() as tx:
        tx.execute(table.insert().values(again | others.get(table, {})))


def test_an_ended_subscription_leaves_room_for_a_new_one(newsroom: Newsroom) -> None:
    row = {name: value for name, value in newsroom.rows(schema.subscriptions)[0].items() if name != "id"}

    with newsroom.app.database.write() as tx:
        tx.execute(schema.subscriptions.update().values(ended_at=MONDAY, end_reason="unsubscribed"))
        tx.execute(schema.subscriptions.insert().values(row))

    assert len(newsroom.rows(schema.subscriptions)) == 2


def set_revision(newsroom: Newsroom, revision: str) -> None:
    with newsroom.app.database.write() as tx:
        tx.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


def test_an_old_schema_is_not_used_and_the_remedy_is_named(newsroom: Newsroom) -> None:
    set_revision(newsroom, "0000")

    with pytest.raises(ConfigError, match=f"0000, this release needs {SCHEMA_REVISION}. Run: publisher db upgrade"):
        open_app(newsroom.config_file)


def test_a_newer_schema_is_left_alone(newsroom: Newsroom) -> None:
    set_revision(newsroom, "9999")

    with pytest.raises(ConfigError, match="Install the release that made this database"):
        upgrade_database(newsroom.config_file)


def test_upgrading_again_changes_nothing(newsroom: Newsroom) -> None:
    before = newsroom.rows(schema_dispatch.deliveries)

    assert upgrade_database(newsroom.config_file) == SCHEMA_REVISION
    assert newsroom.rows(schema_dispatch.deliveries) == before


def test_a_file_of_another_program_is_not_written_to(newsroom: Newsroom, tmp_path: Path) -> None:
    newsroom.app.database.close()
    file = newsroom.folder / "other.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    before = file.read_bytes()
    use(newsroom, "sqlite:///other.db")

    with pytest.raises(ConfigError, match="holds other tables"):
        open_app(newsroom.config_file)
    assert file.read_bytes()[100:] == before[100:]


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("sqlite:///nowhere/at/all.db", "cannot be opened"),
        ("sqlite:///publisher.toml", "cannot be opened"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://host/name", "mysql is not supported yet"),
        ("publisher.db", "is not a URL"),
    ],
)
def test_a_database_that_cannot_be_is_refused_with_its_key(newsroom: Newsroom, url: str, complaint: str) -> None:
    use(newsroom, url)

    with pytest.raises(ConfigError, match=rf"database\.url.*{complaint}"):
        open_app(newsroom.config_file)


def use(newsroom: Newsroom, url: str) -> None:
    text = newsroom.config_file.read_text()
    newsroom.config_file.write_text(f'{text}\n[database]\nurl = "{url}"\n')
