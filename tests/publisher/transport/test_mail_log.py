"""The relay's log as a stream: whole lines, oldest first; one that is rotated meanwhile proves nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from publisher.errors import TransportError
from publisher.transport.mail_log import MAX_LINE_BYTES, read_lines


def reach_never(_line: bytes) -> bool:
    return False


def write(path: Path, *lines: str) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


def test_files_are_read_from_the_newest_that_reaches_back(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    write(log, "five", "six")
    write(tmp_path / "mail.log.1", "three", "four")
    write(tmp_path / "mail.log.2", "one", "two")

    assert list(read_lines(log, reaches_back=reach_never)) == [b"one", b"two", b"three", b"four", b"five", b"six"]
    assert list(read_lines(log, reaches_back=lambda line: line.startswith(b"three"))) == [
        b"three",
        b"four",
        b"five",
        b"six",
    ]


def rename(log: Path) -> None:
    log.rename(log.with_name("mail.log.1"))
    write(log, "new")


def copy_and_truncate(log: Path) -> None:
    log.with_name("mail.log.1").write_bytes(log.read_bytes())
    os.truncate(log, 0)


@pytest.mark.parametrize("rotate", [rename, copy_and_truncate])
def test_a_log_that_is_rotated_while_it_is_read_is_told(tmp_path: Path, rotate: Callable[[Path], None]) -> None:
    log = tmp_path / "mail.log"
    write(log, "one", "two")
    lines = read_lines(log, reaches_back=reach_never)
    first = next(lines)

    rotate(log)

    assert first == b"one"
    with pytest.raises(TransportError, match="was rotated while it was read"):
        list(lines)


def test_overlong_lines_are_cut_and_their_rest_is_no_line(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    write(log, "x" * (3 * MAX_LINE_BYTES), "two")

    lines = list(read_lines(log, reaches_back=reach_never))

    assert [len(line) for line in lines] == [MAX_LINE_BYTES, 3]


def test_a_log_that_is_a_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match=r"Mend its permissions, or smtp\.mail_log"):
        list(read_lines(tmp_path, reaches_back=reach_never))
