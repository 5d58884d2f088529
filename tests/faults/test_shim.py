"""The preloaded shim, under an SQLite of its own: a clock that moves, a disk that fails, a power cut."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from judge_records import move_clock

from tests.faults.program import NoCompilerError, PowerSocket, Running, build_shim

WRITER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute(f"PRAGMA synchronous={sys.argv[2]}")
for number in range(20):
    db.execute("INSERT INTO t VALUES (?)", (number,))
print("written", flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return build_shim(tmp_path_factory.mktemp("shim"))
    except NoCompilerError as error:
        pytest.skip(str(error))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "store" / "x.db"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (n)")
    connection.close()
    return path


def start(shim: Path, code: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "LD_PRELOAD": str(shim), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("synchronous", "left"), [("FULL", 20), ("NORMAL", 0)])
def test_a_power_cut_leaves_what_was_synced_and_nothing_else(
    shim: Path, database: Path, tmp_path: Path, synchronous: str, left: int
) -> None:
    socket = PowerSocket(database, tmp_path / "synced")
    with start(shim, WRITER, database, synchronous, **socket.plug_in()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"

        process.send_signal(signal.SIGKILL)
        process.wait()
        socket.restore()

    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (left,)
    connection.close()


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("enospc", "disk is full"),
        ("eio", "disk I/O error"),
        ("erofs", "unable to open database file|disk I/O|readonly"),
    ],
)
def test_the_disk_fails_once_the_trigger_is_there(
    shim: Path, database: Path, tmp_path: Path, failure: str, words: str
) -> None:
    trigger = tmp_path / "trigger"
    settings = {"SHIM_FOLDER": str(database.parent), "SHIM_ERROR": failure, "SHIM_TRIGGER": str(trigger)}
    with start(shim, WRITER.replace("time.sleep(60)", ""), database, "FULL", **settings) as before:
        assert before.wait() == 0
    trigger.touch()

    with start(shim, WRITER, database, "FULL", **settings) as after:
        _, said = after.communicate()

    assert after.returncode == 1
    assert any(word in said for word in words.split("|")), said


def test_the_wall_clock_moves_and_the_monotonic_one_does_not(shim: Path, tmp_path: Path) -> None:
    move_clock(tmp_path / "clock", 86_400.5)
    code = "import time; print(time.time(), time.monotonic())"

    outputs = []
    for settings in ({}, {"SHIM_CLOCK": str(tmp_path / "clock")}):
        with start(shim, code, **settings) as process:
            outputs.append([float(word) for word in process.communicate()[0].split()])

    (wall, steady), (moved_wall, moved_steady) = outputs
    assert 86_400 <= moved_wall - wall < 86_460
    assert 0 <= moved_steady - steady < 60


def test_a_command_that_does_not_end_is_killed_and_told(tmp_path: Path) -> None:
    for name in ("out", "err"):
        (tmp_path / name).touch()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

    with pytest.raises(TimeoutError, match="did not end"):
        Running(process.pid, tmp_path, 0).wait(0.2)

    process.returncode = -signal.SIGKILL  # it was waited for already
