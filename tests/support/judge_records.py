"""What a judge writes down: messages it accepted, events of the dialogue, and a mail log as Postfix writes it."""

import hashlib
import json
import mmap
import os
import re
import struct
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO


@dataclass(frozen=True)
class JudgeClock:
    """The wall clock, moved by the microseconds (int64) that stand in a file; without a file as it is."""

    file: Path | None = None

    def now(self) -> float:
        """Seconds since 1970."""
        if self.file is None:
            return time.time()
        return time.time() + struct.unpack("q", self.file.read_bytes())[0] / 1_000_000


def move_clock(file: Path, offset_s: float) -> None:
    """Set what ``JudgeClock`` and the preloaded shim add to the wall clock; in place, since it is mapped."""
    if not file.exists():
        file.write_bytes(bytes(8))
    with file.open("r+b") as handle, mmap.mmap(handle.fileno(), 8) as page:
        page[:] = struct.pack("q", int(offset_s * 1_000_000))


@dataclass
class Mail:
    """One message on its way in."""

    sender: str
    recipient: str
    mail_at: float
    body: bytes = b""
    queue_id: str = ""
    is_kept: bool = False

    def header(self, pattern: bytes) -> str | None:
        head = re.sub(rb"\r\n[ \t]+", b" ", self.body.partition(b"\r\n\r\n")[0])
        found = re.search(rb"(?mi)^" + pattern, head)
        return found[1].decode("ascii", "replace") if found else None

    @property
    def message_id(self) -> str | None:
        return self.header(rb"Message-ID:\s*(\S+)")


@dataclass
class Records:
    """The files of a judge. All are only ever appended to, so that the next judge goes on in them."""

    log: Path
    clock: JudgeClock
    mail_log: Path | None = None
    _files: dict[Path, BinaryIO] = field(default_factory=dict)
    _queue_number: int = 0

    def accept(self, mail: Mail) -> None:
        """Write the message down, on disk before this returns."""
        row = {
            "recipient": mail.recipient,
            "message_id": mail.message_id,
            "sha256": hashlib.sha256(mail.body).hexdigest(),
            "at": self.clock.now(),
            "mail_at": mail.mail_at,
            "sender": mail.sender,
            "token": mail.header(rb"List-Unsubscribe:\s*<[^>]*/u/([^>/?]+)"),
            "language": mail.header(rb"Content-Language:\s*(\S+)"),
        }
        self._append(self.log, json.dumps(row), is_synced=True)
        mail.is_kept = True
        self.tell(
            f"qmgr[1]: {mail.queue_id}: from=<{mail.sender}>, size={len(mail.body)}, nrcpt=1 (queue active)",
            f"smtp[1]: {mail.queue_id}: to=<{mail.recipient}>, relay=mx.example[127.0.0.1]:25, delay=0.1, "
            "delays=0.05/0.01/0.02/0.02, dsn=2.0.0, status=sent (250 2.0.0 ok)",
            f"qmgr[1]: {mail.queue_id}: removed",
        )

    def event(self, step: str, *, connection: int, **details: Any) -> None:  # Any: JSON values
        """Write down a step of the dialogue."""
        row = {"step": step, "connection": connection, "at": self.clock.now(), **details}
        self._append(self.log.with_suffix(".events"), json.dumps(row))

    # The mail log follows Postfix: a session is a process of its own; a queue id is there once a recipient was taken;
    # cleanup names the message when it has read its header, whatever becomes of it; qmgr sees complete ones only.

    def name(self, mail: Mail, session: int) -> None:
        """Give it a queue id."""
        self._queue_number += 1
        mail.queue_id = f"{os.getpid() % 0xFFFF:04X}{self._queue_number:06X}"
        self.tell(f"smtpd[{session}]: {mail.queue_id}: client=localhost[127.0.0.1]")

    def receive(self, mail: Mail) -> None:
        """The header of the message is read."""
        self.tell(f"cleanup[1]: {mail.queue_id}: message-id={mail.message_id or '<>'}")

    def refuse(self, mail: Mail) -> None:
        """The message is whole, and thrown away."""
        self.tell(
            f"cleanup[1]: {mail.queue_id}: milter-reject: END-OF-MESSAGE from localhost[127.0.0.1]: 4.7.1 refused; "
            f"from=<{mail.sender}> to=<{mail.recipient}> proto=ESMTP helo=<localhost>"
        )

    def tell(self, *lines: str) -> None:
        """Append lines to the mail log."""
        if self.mail_log is not None:
            stamp = datetime.fromtimestamp(self.clock.now(), UTC).isoformat(timespec="microseconds")
            self._append(self.mail_log, "\n".join(f"{stamp} judge postfix/{line}" for line in lines))

    def _append(self, path: Path, text: str, *, is_synced: bool = False) -> None:
        if path not in self._files:
            self._files[path] = path.open("ab", buffering=0)
        file = self._files[path]
        file.write(text.encode() + b"\n")
        if is_synced:
            os.fsync(file.fileno())
