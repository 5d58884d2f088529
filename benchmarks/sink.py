"""Postfix's ``smtp-sink`` and ``smtp-source`` (Debian package postfix), each a process of its own."""

import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HINT = "install the Debian package postfix (smtp-sink and smtp-source)"


def find_tool(name: str, hint: str = HINT) -> str:
    """The path of a tool, by default of Postfix; ends the benchmark with a hint where there is none."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path is None:
        sys.exit(f"{name} is not here: {hint}")
    return path


@contextmanager
def sink() -> Iterator[int]:
    """A server that accepts and forgets everything; its port."""
    port = free_port()
    # As root it wants to be told whom to run as; the port is above 1024, so anybody will do.
    command = [find_tool("smtp-sink"), "-u", "nobody", f"127.0.0.1:{port}", "200"]
    with subprocess.Popen(command) as process:
        wait_for(port)
        try:
            yield port
        finally:
            process.terminate()


def measure_source(port: int, *, messages: int, size: int, sessions: int) -> tuple[float, float]:
    """Messages a second that smtp-source sends, of ``size`` bytes each, and microseconds of its CPU a message."""
    command = [find_tool("smtp-source"), "-s", str(sessions), "-m", str(messages), "-l", str(size), "-d"]
    command += ["-f", "a@example.org", "-t", "b@example.org", f"127.0.0.1:{port}"]
    started, cpu = time.perf_counter(), _children_cpu_s()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=Path("/"))
    wall_s, cpu_s = time.perf_counter() - started, _children_cpu_s() - cpu
    return messages / wall_s, cpu_s / messages * 1e6


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait_for(port: int, *, timeout_s: float = 10) -> None:
    """Return when somebody listens there; ends the benchmark where nobody does in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit(f"no server came up at port {port}")
