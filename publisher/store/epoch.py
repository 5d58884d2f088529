"""The number of the last sending run, kept in the database and beside it: an old copy knows a lower one."""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select, update

from publisher.errors import StoreError
from publisher.store.database import Database, insert_new
from publisher.store.schema import progress

_WORK = "sending-run"


@dataclass(frozen=True, slots=True)
class Run:
    """A sending run, as it is written down beside the database."""

    number: int
    at: datetime
    """When it was last seen at work, by the clock of the sender."""


def read_run_number(tx: Connection) -> int:
    """The number of the last sending run that this database knows; 0 before the first."""
    value = tx.execute(select(progress.c.value).where(progress.c.work == _WORK)).scalar_one_or_none()
    return 0 if value is None else int(value)


def put_run_number(tx: Connection, number: int) -> None:
    """Make that the number of the last sending run."""
    tx.execute(insert_new(progress).values(work=_WORK, value=str(number)))
    tx.execute(update(progress).where(progress.c.work == _WORK).values(value=str(number)))


def read_run(database: Database) -> Run | None:
    """The run written down beside the database; None where there is none. StoreError where it cannot be read."""
    path = run_file(database)
    try:
        values = json.loads(path.read_text(encoding="ascii")) if path else None
        return None if values is None else Run(int(values["run"]), datetime.fromisoformat(values["at"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"{path} cannot be read ({error}). It tells a restored database from the last one. "
            "Where the database is the last one, run: publisher db accept-restore"
        ) from error


def write_run(database: Database, run: Run) -> None:
    """Write the run down beside the database; it is on disk when this returns, and never half of it."""
    path = run_file(database)
    if path is None:
        return
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="ascii") as file:
        json.dump({"run": run.number, "at": run.at.isoformat()}, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def run_file(database: Database) -> Path | None:
    """Where the run is written down; None where the database is no file."""
    return None if database.file is None else database.file.with_name(database.file.name + ".run")
