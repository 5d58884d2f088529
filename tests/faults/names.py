"""A name server with one TXT record, in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUPPORT = Path(__file__).parents[1] / "support"

CODE = """
import sys, time
from name_server import in_strings, open_name_server
with open_name_server({(sys.argv[1], "TXT"): [in_strings(sys.argv[2])]}) as names:
    print(names.address, flush=True)
    time.sleep(600)
"""


@contextmanager
def name_server(name: str, text: str) -> Iterator[str]:
    """``127.0.0.1:PORT``; every other name does not exist."""
    command = [sys.executable, "-c", CODE, name, text]
    with subprocess.Popen(command, cwd=SUPPORT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()
