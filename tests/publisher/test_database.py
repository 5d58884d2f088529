"""What a database tells, and to whom, when it cannot do its work."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from newsroom_app import Newsroom, open_newsroom
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from publisher.app import open_app
from publisher.errors import ConfigError, StoreError
from publisher.store import database as module
from publisher.store.database import Database, parse_database_url
from publisher.store.schema import subscribers

LOGS_AN_ERROR = """
import logging, sys
import structlog
from publisher.logs import set_up_logs

sys.stderr.isatty = lambda: {is_terminal}
set_up_logs()
address = "ana@" + "example.org"
try:
    raise RuntimeError("it broke")
except RuntimeError:
    structlog.get_logger().exception("ours")
    logging.getLogger("library").exception("theirs")
"""


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        yield newsroom


def test_the_text_of_an_sql_error_holds_no_address(newsroom: Newsroom) -> None:
    with pytest.raises(IntegrityError) as raised, newsroom.app.database.write() as tx:
        tx.execute(insert(subscribers), [{"email": "ana@example.org", "address_key": "ana@example.org"}])

    assert "ana@example.org" not in str(raised.value)
    assert "ana@example.org" not in repr(raised.value)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_logged_error_shows_no_local_values(*, is_terminal: bool) -> None:
    script = LOGS_AN_ERROR.format(is_terminal=is_terminal)

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stderr.count("it broke") == 2
    assert done.stderr.count("Traceback") == 2
    assert "ana@example.org" not in done.stderr


def test_the_files_of_a_new_database_are_nobody_elses(tmp_path: Path) -> None:
    database = Database(parse_database_url("sqlite:///new.db", tmp_path))

    with database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE one (id INTEGER)")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    database.close()

    assert modes == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}


def test_a_locked_database_is_told_as_one(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0)
    impatient = open_app(newsroom.config_file).database

    with (
        newsroom.app.database.write(),
        pytest.raises(StoreError, match=r"publisher\.db: database is locked"),
        impatient.write(),
    ):
        raise AssertionError("two write at once")

    with impatient.write() as tx:  # afterwards it works
        tx.exec_driver_sql("SELECT 1")
    impatient.close()


def test_what_is_no_database_is_refused(newsroom: Newsroom) -> None:
    newsroom.app.database.close()
    (newsroom.folder / "publisher.db").write_bytes(b"not a database" * 100)

    with pytest.raises(ConfigError, match=r"cannot be opened .*file is not a database"):
        open_app(newsroom.config_file)


def test_a_wrong_statement_stays_a_bug(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")

    with pytest.raises(IntegrityError), newsroom.app.database.write() as tx:
        tx.exec_driver_sql("INSERT INTO subscribers SELECT * FROM subscribers")


def test_another_program_that_holds_the_file_does_not_stop_readers(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")

    with closing(sqlite3.connect(newsroom.folder / "publisher.db")) as other:
        other.execute("BEGIN IMMEDIATE")

        assert len(newsroom.rows(subscribers)) == 1
