"""C: the disk is full, broken, read-only, loses its power, or the database is locked."""

import sqlite3
import time

from tests.faults.program import PowerSocket
from tests.faults.registry import row
from tests.faults.trial import Trial

BUSY_S = 30.0
"""How long the program waits for a locked database."""


@row("C1", "Disk full before an intent: nothing sent, said, goes on when there is room")
def full_before(trial: Trial) -> None:
    trial.serve()
    trial.open()
    disk = _disk(trial, "enospc")
    _break(trial)

    ended = trial.send(**disk)

    trial.expect(ended.code != 0, "it ended as if all were well")
    trial.expect("full" in ended.err.lower() or "disk" in ended.err.lower(), f"it says {ended.last_words}")
    trial.expect(not trial.events("mail"), "MAIL was said")
    trial.expect_in_doubt(most=0)
    trial.finish()
    trial.expect_all_sent()


@row("C2", "Disk full when outcomes are committed: the sender stops, only what was in flight is in doubt")
def full_at_outcome(trial: Trial) -> None:
    _break_in_mid_run(trial, "enospc")


@row("C3", "The database is locked for longer than the time-out: nothing lost, nothing twice")
def locked(trial: Trial) -> None:
    trial.serve(delay_s=0.03)
    trial.open(people=60)
    running = trial.start_send()
    trial.until(lambda: trial.count_accepted() >= 10)

    with sqlite3.connect(trial.database, isolation_level=None, timeout=60) as connection:
        connection.execute("BEGIN IMMEDIATE")
        locked_at = trial.count_accepted()
        trial.pause(BUSY_S + 3)
        went_on = trial.count_accepted() - locked_at
        connection.execute("ROLLBACK")
    connection.close()
    running.wait()

    trial.expect(went_on <= trial.connections * 2, f"{went_on} messages went out while no outcome could be written")
    trial.expect_in_doubt()
    trial.expect(not trial.count("failed"), f"held against people: {trial.states}")
    trial.finish()
    trial.expect_all_sent()


@row("C4", "fsync fails: the sender stops and does not try again, the next start recovers")
def broken_sync(trial: Trial) -> None:
    _break_in_mid_run(trial, "eio")

    tried = (trial.folder / "trigger").stat().st_size
    trial.expect(tried == 1, f"fsync was tried {tried} times on a disk that had failed")


@row("C5", "Power lost again and again, synchronous=FULL: no outcome that was committed is missing, nobody twice")
def power_lost(trial: Trial) -> None:
    trial.serve(delay_s=0.005)
    trial.open(people=120)
    _cut_power(trial, times=3)

    trial.finish()
    trial.expect_all_sent()


@row("C6", "The same with synchronous=NORMAL shows messages sent twice: the harness bites")
def power_lost_unsynced(trial: Trial) -> None:
    trial.serve(delay_s=0.005)
    trial.open(people=120)
    trial.wants_duplicates = True
    _cut_power(trial, times=1, fault="synchronous")

    trial.finish()
    trial.expect_all_sent()


@row("C8", "The disk becomes read-only: the sender stops before MAIL")
def read_only(trial: Trial) -> None:
    if trial.seed % 2 == 0:
        _break_in_mid_run(trial, "erofs")
        return
    trial.serve()
    trial.open()
    disk = _disk(trial, "erofs")
    _break(trial)

    ended = trial.send(**disk)

    trial.expect(ended.code != 0, "it ended as if all were well")
    trial.expect(not trial.events("mail"), "MAIL was said")
    trial.expect_in_doubt(most=0)
    trial.finish()
    trial.expect_all_sent()


@row("C9", "A second sender: refused, told who sends; takes over at once when the first dies")
def second_sender(trial: Trial) -> None:
    trial.serve(delay_s=0.03)
    trial.open(people=60)
    first = trial.start_send()
    trial.until(lambda: trial.count_accepted() >= 5)

    refused = trial.send()
    trial.expect(refused.code == 2, f"the second ended with {refused.code}")
    trial.expect(str(first.pid) in refused.err, f"it does not say who: {refused.last_words}")
    trial.expect(not first.is_over(), "the first was over already")
    first.kill()
    trial.expect_in_doubt()

    second = trial.send()
    trial.expect("nother sender" not in second.err, f"it did not take over: {second.last_words}")
    trial.finish()
    trial.expect_all_sent()


@row("C10", "An SQLite with the WAL-reset bug is told of; the database is not mapped into memory")
def old_sqlite(trial: Trial) -> None:
    trial.serve(delay_s=0.02)
    trial.open()
    doctor = trial.run("doctor")
    is_old = sqlite3.sqlite_version_info < (3, 51, 3)
    says = "3.51.3" in doctor.out + doctor.err
    trial.expect(says == is_old, f"of SQLite {sqlite3.sqlite_version} doctor says the wrong thing, or nothing")

    running = trial.start_send()
    trial.until(lambda: trial.count_accepted() >= 3)
    with open(f"/proc/{running.pid}/maps", encoding="ascii") as maps:  # noqa: PTH123  (no file of ours)
        mapped = [line.split()[-1] for line in maps if ".db" in line and "-shm" not in line]
    running.wait()

    trial.expect(not mapped, f"{mapped} is mapped")
    trial.finish()
    trial.expect_all_sent()


def _disk(trial: Trial, failure: str) -> dict[str, str]:
    """A disk that fails so once ``_break`` was called."""
    return {
        "SHIM_FOLDER": str(trial.newsroom.folder),
        "SHIM_ERROR": failure,
        "SHIM_TRIGGER": str(trial.folder / "trigger"),
    }


def _break(trial: Trial) -> None:
    (trial.folder / "trigger").touch()


def _break_in_mid_run(trial: Trial, failure: str) -> None:
    trial.serve(delay_s=0.02)
    trial.open(people=60)
    running = trial.start_send(**_disk(trial, failure))
    trial.until(lambda: trial.count_accepted() >= 10)
    begun = len(trial.events("mail"))
    _break(trial)
    ended = running.wait()

    trial.expect(ended.code not in (0, -9), f"it ended with {ended.code}")
    more = len(trial.events("mail")) - begun
    trial.expect(more <= trial.connections * 2, f"{more} messages were begun on a broken disk")
    trial.expect_in_doubt()
    trial.finish()
    trial.expect_all_sent()


def _cut_power(trial: Trial, *, times: int, fault: str = "") -> None:
    socket = PowerSocket(trial.database, trial.folder / "synced")
    for _ in range(times):
        running = trial.start_send(fault=fault, **socket.plug_in())
        target = trial.count_accepted() + trial.chance.randint(10, 30)
        trial.until(lambda running=running, target=target: trial.count_accepted() >= target or running.is_over())
        time.sleep(trial.chance.random() * 0.02)
        trial.expect(not running.is_over(), "it was over before the power was cut")
        socket.cut(running)
        if not fault:
            trial.expect(trial.count("sending") <= trial.connections * 2, f"too much in flight: {trial.states}")
