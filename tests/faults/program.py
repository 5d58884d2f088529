"""The program under trial: its real command line in a process of its own, with the shim of ``shim.c`` before it.

A child is forked from a process that has imported the program already, which saves a second each time; with
``is_fresh`` it is a new interpreter.
"""

import ctypes
import importlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.guards import take_out

SHIM_SOURCE = Path(__file__).with_name("shim.c")

DIED = 137
"""Exit status of a process that came to its failpoint."""


class NoCompilerError(Exception):
    """Nothing here can build the shim."""


def build_shim(folder: Path) -> Path:
    """The shim as a shared object in that folder."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompilerError("no C compiler here. Install gcc and libc6-dev")
    made = folder / "shim.so"
    options = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", str(made)]
    subprocess.run([compiler, *options, str(SHIM_SOURCE), "-ldl", "-pthread"], check=True)
    return made


@dataclass(frozen=True)
class Ended:
    """How a command ended; ``code`` is negative where a signal ended it."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def last_words(self) -> str:
        """The last line of what it complained of."""
        return next((line for line in reversed(self.err.splitlines()) if line.strip()), "(nothing)")[-300:]


@dataclass
class Running:
    """A command that runs."""

    pid: int
    folder: Path
    began_at: float
    _code: int | None = None

    def signal(self, number: int) -> None:
        if not self.is_over():
            os.kill(self.pid, number)

    def kill(self) -> Ended:
        """End it without warning."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def is_over(self) -> bool:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code is not None

    def wait(self, timeout_s: float = 60) -> Ended:
        """How it ended; TimeoutError, and it is killed, where it does not."""
        deadline = time.monotonic() + timeout_s
        while not self.is_over():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                self._code = -signal.SIGKILL
                raise TimeoutError(f"a command did not end within {timeout_s:g} s: {self._read('err')[-300:]}")
            time.sleep(0.003)
        seconds = time.monotonic() - self.began_at
        return Ended(self._code or 0, self._read("out"), self._read("err"), seconds)

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text(errors="replace")


@dataclass(frozen=True)
class Program:
    """The command line over one configuration."""

    config: Path
    clock: Path
    is_fresh: bool = False
    without: tuple[str, ...] = ()
    """Guards that are taken out: the trial is a negative control."""

    def start(self, *arguments: str, failpoint: str = "", fault: str = "", **environment: str) -> Running:
        """Begin a command; ``fault`` breaks something inside the process (see ``guards``)."""
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.config.parent))
        variables = {"SHIM_CLOCK": str(self.clock), **environment}
        if failpoint:
            variables["PUBLISHER_FAILPOINT"] = failpoint
        broken = [*self.without, *([fault] if fault else [])]
        command = _Command([f"--config={self.config}", *arguments], variables, broken, folder)
        began_at = time.monotonic()
        pid = command.start_fresh() if self.is_fresh else command.fork()
        return Running(pid, folder, began_at)


@dataclass(frozen=True)
class _Command:
    arguments: Sequence[str]
    environment: dict[str, str]
    broken: Sequence[str]
    folder: Path

    def fork(self) -> int:
        pid = os.fork()
        if pid == 0:
            self.become()
        return pid

    def start_fresh(self) -> int:
        given = json.dumps([list(self.arguments), self.environment, list(self.broken), str(self.folder)])
        command = [sys.executable, "-m", "tests.faults.program", given]
        return os.posix_spawn(sys.executable, command, {**os.environ, **self.environment})

    def become(self) -> None:
        """Turn this process into the command; never returns."""
        code = 1
        try:
            self._settle_in()
            code = _run_main(self.arguments)
        except BaseException:  # noqa: BLE001  (as the interpreter does at the end of a program)
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _settle_in(self) -> None:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(self.folder / name, os.O_WRONLY | os.O_CREAT, 0o600), number)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        os.environ.update(self.environment)
        ctypes.CDLL(None).shim_configure()
        random.seed()
        importlib.reload(importlib.import_module("publisher.failpoints"))  # it reads the environment when imported
        for name in self.broken:
            take_out(name)


def _run_main(arguments: Sequence[str]) -> int:
    from publisher.cli.main import main  # noqa: PLC0415  (a guard may have to be taken out before)

    sys.argv = ["publisher", *arguments]
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


@dataclass(frozen=True)
class PowerSocket:
    """What a database folder holds after a power cut: each file as it was when it was last synced."""

    database: Path
    shadow: Path

    def plug_in(self) -> dict[str, str]:
        """Everything there now counts as synced; what the environment of the program must say."""
        self.shadow.mkdir(exist_ok=True)
        for file in self._files():
            shutil.copy(file, self.shadow / file.name)
        return {"SHIM_FOLDER": str(self.database.parent), "SHIM_SHADOW": str(self.shadow)}

    def cut(self, running: Running) -> None:
        """Kill the program, and let go of every write that was not synced."""
        running.kill()
        self.restore()

    def restore(self) -> None:
        """Put every file back as it was when it was last synced."""
        for file in self._files():
            file.unlink()
        for file in self.shadow.glob(f"{self.database.name}*"):
            if not file.name.endswith((".part", "-shm")):
                shutil.copy(file, self.database.parent / file.name)

    def _files(self) -> list[Path]:
        files = self.database.parent.glob(f"{self.database.name}*")
        return [file for file in files if not file.name.endswith(".sender")]


def free_port() -> int:
    """A port that nobody has. Two trials at a time ask the kernel, which does not repeat itself soon."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    _arguments, _environment, _broken, _folder = json.loads(sys.argv[1])
    _Command(_arguments, _environment, _broken, Path(_folder)).become()
