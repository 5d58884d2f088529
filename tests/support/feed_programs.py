"""Programs that follow feeds, driven as their users do: newsboat and rss2email of Debian, the package reader."""

import mailbox
import os
import sqlite3
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path
from typing import Protocol

import feedparser_sgmllib
from reader import Entry, make_reader


class Reader(Protocol):
    """A program that follows one feed."""

    full_polls: int
    """How often it fetches the whole feed before it knows how to ask whether it changed."""

    def poll(self) -> list[str]:
        """The titles of what is new to it, sorted."""

    def shown(self) -> dict[str, str]:
        """What it shows now: titles and texts."""


class Newsboat:
    """Debian's newsboat; what it knows is read from its cache."""

    full_polls = 2  # of the very first poll it keeps no validators

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        (folder / "urls").write_text(f"{url}\n")
        (folder / "config").write_text("")

    def poll(self) -> list[str]:
        self._run("UPDATE rss_item SET unread = 0")
        paths = ["-u", "urls", "-c", "cache.db", "-C", "config"]
        run(self._folder, "newsboat", *paths, "-x", "reload", "print-unread")
        return sorted(title for (title,) in self._run("SELECT title FROM rss_item WHERE unread = 1"))

    def shown(self) -> dict[str, str]:
        return dict(self._run("SELECT title, content FROM rss_item WHERE deleted = 0"))

    def _run(self, statement: str) -> list[tuple[str, ...]]:
        if not (self._folder / "cache.db").exists():
            return []
        with sqlite3.connect(self._folder / "cache.db") as cache:
            rows: list[tuple[str, ...]] = cache.execute(statement).fetchall()
        cache.close()
        return rows


class Rss2Email:
    """Debian's rss2email, which delivers to a maildir; what it once delivered stays there."""

    full_polls = 1

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        (folder / "Maildir").mkdir()
        self._inbox = mailbox.Maildir(folder / "Maildir" / "INBOX", factory=None)
        self._run("new", "ana@example.org")
        settings = (folder / "r2e.cfg").read_text()
        for key, value in {"email-protocol": "maildir", "maildir-path": str(folder / "Maildir")}.items():
            line = next(line for line in settings.splitlines() if line.startswith(f"{key} = "))
            settings = settings.replace(line, f"{key} = {value}")
        (folder / "r2e.cfg").write_text(settings)
        self._run("add", "harbour", url)

    def poll(self) -> list[str]:
        before = set(self._inbox.keys())
        self._run("run")
        return sorted(self._read(key)[0] for key in set(self._inbox.keys()) - before)

    def shown(self) -> dict[str, str]:
        return dict(self._read(key) for key in self._inbox.keys())  # noqa: SIM118  # a Maildir iterates over messages

    def _read(self, key: str) -> tuple[str, str]:
        message = message_from_bytes(self._inbox.get_bytes(key), policy=policy.default)
        return str(message["Subject"]), message.get_content()

    def _run(self, *arguments: str) -> None:
        run(self._folder, "r2e", "-c", "r2e.cfg", "-d", "r2e.json", *arguments)


class ReaderLibrary:
    """The Python package ``reader``."""

    full_polls = 1

    def __init__(self, folder: Path, url: str) -> None:
        sys.modules.setdefault("sgmllib", feedparser_sgmllib)  # reader 3.26 knows it by its old name
        self._reader = make_reader(str(folder / "reader.db"))
        self._url = url
        self._reader.add_feed(url)

    def poll(self) -> list[str]:
        for entry in self._reader.get_entries():
            self._reader.mark_entry_as_read(entry)
        self._reader.update_feed(self._url)
        return sorted(str(entry.title) for entry in self._reader.get_entries(read=False))

    def shown(self) -> dict[str, str]:
        return {str(entry.title): self._text(entry) for entry in self._reader.get_entries()}

    def _text(self, entry: Entry) -> str:
        return f"{entry.summary or ''} {' '.join(content.value for content in entry.content)}"


def run(folder: Path, *command: str) -> None:
    """A program that must succeed, with a home of its own."""
    home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=folder, env=home | {"PATH": os.environ["PATH"]}, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, b"ERROR" in done.stderr) == (0, False), done.stdout + done.stderr
