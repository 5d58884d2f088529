"""The relay's own log as a stream of lines, the rotated files (``.1``, ``.2.gz`` …) before the current one."""

import gzip
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from publisher.errors import TransportError

MAX_LINE_BYTES = 16 * 1024
MAX_ROTATED = 400


def read_lines(path: Path, *, reaches_back: Callable[[bytes], bool]) -> Iterator[bytes]:
    """All finished lines from the newest file whose first line ``reaches_back`` on, as they were written.

    What follows a missing number among the rotated files is left out. TransportError where the log cannot be read, or
    was rotated meanwhile: what was yielded until then proves nothing about what is missing.
    """
    try:
        with ExitStack() as stack:
            files = _open_files(path, stack, reaches_back)
            for file in reversed(files):
                yield from _lines(file)
            if not _are_in_place(path, files):
                raise TransportError(f"{path} was rotated while it was read. Repeat it")
    except (OSError, EOFError, zlib.error) as error:
        raise TransportError(f"{path} cannot be read ({error}). Mend its permissions, or smtp.mail_log") from error


def _open_files(path: Path, stack: ExitStack, reaches_back: Callable[[bytes], bool]) -> list[BinaryIO]:
    """The files that are needed, newest first."""
    files: list[BinaryIO] = []
    for number in range(MAX_ROTATED):
        name = _find(path, number)
        if name is None:
            break
        files.append(stack.enter_context(_open(name)))
        first = files[-1].readline(MAX_LINE_BYTES)
        files[-1].seek(0)
        if reaches_back(first):
            break
    if not files:
        raise FileNotFoundError(2, "there is no such file")
    return files


def _find(path: Path, number: int) -> Path | None:
    if number == 0:
        return path if path.exists() else None
    names = (path.with_name(f"{path.name}.{number}{ending}") for ending in ("", ".gz"))
    return next((name for name in names if name.exists()), None)


def _open(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _are_in_place(path: Path, files: Sequence[BinaryIO]) -> bool:
    """Whether the opened files still have their names, and the current one was not cut short."""
    names = (_find(path, number) for number in range(len(files)))
    found = [None if name is None else name.stat().st_ino for name in names]
    is_cut = path.suffix != ".gz" and files[0].tell() > path.stat().st_size
    return found == [os.fstat(file.fileno()).st_ino for file in files] and not is_cut


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines; the rest of an overlong one and a last one that is still being written are left out."""
    is_whole = True
    while line := file.readline(MAX_LINE_BYTES):
        is_begin, is_whole = is_whole, line.endswith(b"\n")
        if is_begin and (is_whole or len(line) == MAX_LINE_BYTES):
            yield line.rstrip(b"\r\n")
