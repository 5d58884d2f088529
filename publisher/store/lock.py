"""The sender's lock: an OS lock on a file, so it dies with its process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from publisher.errors import SenderBusyError
from publisher.failpoints import is_armed
from publisher.store.database import Database


@contextmanager
def sender_lock(database: Database) -> Iterator[None]:
    """Hold the lock beside a SQLite file for the block; SenderBusyError names the process that has it."""
    if database.file is None:  # a server's row leases serve instead
        yield
        return
    path = database.file.with_name(database.file.name + ".sender")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(descriptor, path)
        if is_armed("send-release-lock"):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        raise SenderBusyError(
            f"Another sender is at work (process {holder}, lock {path}). Wait until it is done"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
