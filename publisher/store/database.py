"""Engines and transactions; everything in which SQLite and PostgreSQL differ."""

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Insert,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    literal_column,
    make_url,
    select,
    type_coerce,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from publisher.errors import ConfigError, StoreError
from publisher.store.columns import Moment

BUSY_TIMEOUT_S = 30


class Database:
    """One database: short synchronous transactions, ``write`` serialised by the database itself.

    Both raise StoreError where the database cannot be used.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.engine = _create_engine(url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state and changes nothing."""
        with self._telling_trouble(), self.engine.connect() as tx:
            if self.is_sqlite:
                tx.exec_driver_sql("BEGIN")
            try:
                yield tx
            finally:
                tx.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block and rolls back on any exception."""
        with self._telling_trouble(), self.engine.connect() as tx:
            if self.is_sqlite:
                tx.exec_driver_sql("BEGIN IMMEDIATE")
            with _committing(tx):
                yield tx

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for other databases and for one in memory."""
        name = self.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()

    @contextmanager
    def _telling_trouble(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            # The subclasses but one mean that a statement is wrong: those are bugs.
            if type(error) not in (DatabaseError, OperationalError):
                raise
            raise StoreError(
                f"{self.url.database}: {error.orig}. Nothing of this step was kept. Repeat it, or ask publisher doctor"
            ) from error


def parse_database_url(text: str, base: Path) -> URL:
    """The URL with a relative SQLite path resolved against ``base`` (the folder of the configuration file)."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ConfigError(f"database.url: {text!r} is not a URL. Use sqlite:///publisher.db") from error
    if url.get_backend_name() != "sqlite":
        raise ConfigError(f"database.url: {url.get_backend_name()} is not supported yet. Use sqlite:///publisher.db")
    if not url.database or url.database == ":memory:":
        raise ConfigError("database.url names no file. Use sqlite:///publisher.db")
    return url.set(database=str((base / url.database).resolve()))


@contextmanager
def _committing(tx: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        tx.rollback()
        raise
    tx.commit()


def insert_new(table: Table, names: Sequence[str] = (), rows: Select[Any] | None = None) -> Insert:
    """An INSERT that leaves rows whose key is there already as they are; with ``names``, of a select."""
    statement = sqlite_insert(table)
    if rows is not None:
        statement = statement.from_select(list(names), rows)
    return statement.on_conflict_do_nothing()


def read_list(name: str) -> Select[Any]:
    """The values of one parameter that ``write_list`` made, as rows: the statement stays the same for any number."""
    return select(func.json_each(bindparam(name, type_=Text)).table_valued("value").c.value)


def write_list(values: Sequence[int] | Sequence[str]) -> str:
    """The parameter that ``read_list`` reads."""
    return json.dumps(values)


def database_now(after: timedelta = timedelta(0)) -> ColumnElement[datetime]:
    """The moment by the clock of the database, or so much later.

    Leases are measured by it, so that no worker's own clock can shorten or lengthen one.
    """
    days = func.julianday("now") - literal_column("2440587.5") + literal_column(repr(after / timedelta(days=1)))
    return type_coerce(cast(days * literal_column("86400000000"), BigInteger), Moment)


def insert_or_replace(table: Table) -> Insert:
    """An INSERT that replaces the row of the same primary key."""
    statement = sqlite_insert(table)
    others = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)


def write_order(table: Table) -> ColumnElement[int]:
    """A number that grows from each row of the table to the next that is written, where none is ever deleted."""
    return literal_column(f"{table.name}.rowid", Integer)


class CommitWatch:
    """Tells whether anybody has committed anything: cheap enough to be asked at every request.

    SQLite's ``data_version`` counts the commits of all other connections, of this process and others.
    """

    def __init__(self, database: Database) -> None:
        if database.file is None:
            raise ConfigError("database.url names no file. Use sqlite:///publisher.db")
        # Without a timeout: whoever asks would rather be told "perhaps" than wait.
        self._connection = sqlite3.connect(database.file, timeout=0, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        weakref.finalize(self, self._connection.close)

    def version(self) -> int | None:
        """Another number after a commit; None where it cannot be told now."""
        with self._lock:
            try:
                (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            except sqlite3.OperationalError:
                return None
        return int(version)


def _create_engine(url: URL) -> Engine:
    is_sqlite = url.get_backend_name() == "sqlite"
    connect_args = {"timeout": BUSY_TIMEOUT_S} if is_sqlite else {}
    # Without hide_parameters the text of an error quotes addresses, which then stand in the logs. The connection used
    # last is used next: to SQLite what another one wrote makes all cached pages worthless.
    engine = create_engine(
        url, connect_args=connect_args, hide_parameters=True, pool_reset_on_return=None, pool_use_lifo=True
    )
    if is_sqlite:
        event.listen(engine, "do_connect", _create_private)
        event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _create_private(_dialect: Any, _record: Any, arguments: Sequence[str], _options: Any) -> None:  # Any: SQLAlchemy's
    """Make the file before SQLite does: nobody else may read it, nor what SQLite puts beside it in the same mode."""
    with suppress(OSError):  # it is there, or SQLite will say what is wrong
        os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Transactions are begun by hand (BEGIN IMMEDIATE for writes); the driver's own habit of beginning late is off.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")
    connection.create_aggregate("mask_or", 1, _MaskOr)  # type: ignore[arg-type]
    connection.create_function("mask_and", 2, _mask_and, deterministic=True)


class _MaskOr:
    """The bitwise OR of bit sets of one length."""

    def __init__(self) -> None:
        self.bits = 0
        self.size = 0

    def step(self, mask: bytes) -> None:
        self.bits |= int.from_bytes(mask)
        self.size = len(mask)

    def finalize(self) -> bytes:
        return self.bits.to_bytes(self.size)


def _mask_and(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) & int.from_bytes(right)).to_bytes(len(left))
