"""A real nginx over a directory, by the configuration that docs/nginx.conf shows."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "nginx.conf"

_MAIN = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/octet-stream;
    include {folder}/site.conf;
}}
"""


@contextmanager
def open_nginx(
    folder: Path, root: Path, *, service: str = "http://127.0.0.1:9", hub: tuple[str, str] | None = None
) -> Iterator[str]:
    """The URL of an nginx that gives out ``root`` and asks ``service`` for the rest; skips where there is none.

    It names that hub (its address and the site's). Its logs are in ``folder``.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not here: install the Debian package nginx-light")
    port = _free_port()
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "site.conf").write_text(_adapt(root, port, service=service, hub=hub))
    (folder / "nginx.conf").write_text(("user root;\n" if _is_root() else "") + _MAIN.format(folder=folder))
    with subprocess.Popen([program, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]) as process:
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _adapt(root: Path, port: int, *, service: str, hub: tuple[str, str] | None) -> str:
    """The example with another root, port, service and hub, and nothing else."""
    text = EXAMPLE.read_text()
    for written, meant in (
        *(_name_hub(*hub) if hub else ()),
        ("listen 127.0.0.1:8080;", f"listen 127.0.0.1:{port};"),
        ("root /var/www/publisher;", f"root {root};"),
        ("server 127.0.0.1:8000;", f"server {service.removeprefix('http://').rstrip('/')};"),
    ):
        assert text.count(written) == 1, written
        text = text.replace(written, meant)
    return text


def _name_hub(hub: str, site: str) -> tuple[tuple[str, str], ...]:
    return ("# ~^/feeds/", "~^/feeds/"), ("https://hub.example.org/", hub), ("https://news.example.org", site)


def _is_root() -> bool:
    return Path("/proc/self").stat().st_uid == 0


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("nginx did not start with docs/nginx.conf")
