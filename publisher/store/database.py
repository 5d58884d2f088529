"""Engines and transactions; everything in which SQLite and PostgreSQL differ."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Insert, Select, Table, create_engine, event, make_url
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from publisher.errors import ConfigError

BUSY_TIMEOUT_S = 30


class Database:
    """One database: short synchronous transactions, ``write`` serialised by the database itself."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.engine = _create_engine(url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state and changes nothing."""
        with self.engine.connect() as tx:
            if self.is_sqlite:
                tx.exec_driver_sql("BEGIN")
            yield tx

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block and rolls back on any exception."""
        with self.engine.connect() as tx:
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


def _create_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S} if url.get_backend_name() == "sqlite" else {})
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    return engine


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
