"""A real Apache httpd over a directory that brings its own .htaccess."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_APACHE = """
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/error.log
{modules}
TypesConfig /dev/null
DocumentRoot {root}
<Directory {root}>
  AllowOverride All
  Require all granted
</Directory>
"""


@contextmanager
def open_apache(folder: Path, root: Path) -> Iterator[str]:
    """Its URL; skips where there is none."""
    program, modules = shutil.which("apache2", path="/usr/sbin:/usr/bin"), Path("/usr/lib/apache2/modules")
    if program is None:
        pytest.skip("apache2 is not here: install the Debian package apache2-bin")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    names = ("mpm_event", "authz_core", "mime", "dir", "headers", "rewrite", "env")
    loaded = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in names)
    text = _APACHE.format(port=port, folder=folder, root=root, modules=loaded)
    (folder / "httpd.conf").write_text(text)
    with subprocess.Popen([program, "-f", folder / "httpd.conf", "-DFOREGROUND"]) as process:
        try:
            deadline = time.monotonic() + 10
            while process.poll() is None and time.monotonic() < deadline:
                with socket.socket() as sock:
                    if sock.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
