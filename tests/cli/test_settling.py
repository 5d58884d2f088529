"""Commands before and after sending: check, resolve, accept-restore; and the bar that shows while sending."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path

import pytest
from doubts import Doubts, open_doubts
from trial import begin_trial

from publisher.cli.main import main


class Shell:
    """Runs commands on an edition in doubt, as the console script does but for the start of a process and the clock."""

    def __init__(self, doubts: Doubts, monkeypatch: pytest.MonkeyPatch) -> None:
        self.doubts, self._monkeypatch = doubts, monkeypatch
        monkeypatch.setattr("publisher.app.open_app", lambda _file: doubts.newsroom.app)

    def run(self, *arguments: str) -> tuple[int, str]:
        self._monkeypatch.setattr(sys, "argv", ["publisher", *arguments])
        out = StringIO()
        with redirect_stdout(out), redirect_stderr(StringIO()), pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), out.getvalue()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    with open_doubts(tmp_path) as doubts:
        yield Shell(doubts, monkeypatch)


def test_resolve_tells_what_it_settled_and_ends_with_1_while_something_is_left(shell: Shell) -> None:
    doubts = shell.doubts
    doubts.put_in_doubt("ana", "ben")
    doubts.write_session("ana", is_taken=True)
    doubts.write("smtpd[8]: connect from host[192.0.2.7]")

    code, text = shell.run("digest", "resolve", doubts.edition, "--json")
    told_code, told = shell.run("digest", "resolve", doubts.edition)

    assert (code, told_code) == (1, 1)
    figures = json.loads(text)
    reason = "the relay's log does not reach on until it can only have come or be lost"
    assert figures == {
        "edition": doubts.edition,
        "settled": {"sent": 1},
        "uncertain": 1,
        "reasons": {reason: 1},
    }
    assert told.startswith(f"{doubts.edition}: 0 settled, 1 uncertain\n  uncertain  1 (the relay's log")


def test_resolve_takes_the_word_of_staff(shell: Shell) -> None:
    doubts = shell.doubts
    doubts.put_in_doubt("ana", "ben")

    assert shell.run("digest", "resolve", doubts.edition, "--sent", "ana@example.org", "--as", "ada")[0] == 1
    assert shell.run("digest", "resolve", doubts.edition, "--planned", "ben@example.org")[0] == 0
    assert doubts.row("ana")["reply"] == "resolved by ada: sent"
    assert doubts.states == {"ana": "sent", "ben": "planned", "cleo": "sent"}
    assert shell.run("digest", "resolve", doubts.edition, "--sent", "ana@example.org")[0] == 2
    assert shell.run("digest", "resolve", doubts.edition, "--sent", "all", "--planned", "all")[0] == 2


def test_check_says_whether_the_edition_is_ready(shell: Shell) -> None:
    edition = shell.doubts.edition

    code, text = shell.run("digest", "check", edition, "--json")
    told = shell.run("digest", "check", edition)[1]
    shell.run("digest", "pause", edition)
    paused_code, paused = shell.run("digest", "check", edition)

    figures = json.loads(text)
    assert (code, figures["is_ready"], figures["readers"]) == (0, True, 3)
    assert figures["variants"] == [{"language": "en", "readers": 3}]
    assert told.endswith(f"{edition} is ready\n")
    assert paused_code == 1
    assert "BAD  state: held: paused by cli" in paused


def test_accept_restore_shows_what_would_go_before_it_holds_it(shell: Shell) -> None:
    edition = shell.doubts.edition

    shown = json.loads(shell.run("db", "accept-restore", "--dry-run", "--json")[1])
    before = shell.doubts.edition_row["outcome"]
    code, told = shell.run("db", "accept-restore")

    assert [(one["edition"], one["state"], one["undelivered"]) for one in shown] == [(edition, "planned", 3)]
    assert before is None
    assert code == 0
    assert f"{edition} " in told
    assert str(shell.doubts.edition_row["outcome"]).startswith("held: database restored")


def watch(command: list[str]) -> tuple[str, str]:
    """What a command writes to standard output, and to a terminal in the place of standard error."""
    terminal, end = pty.openpty()
    shown = bytearray()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=end, env=os.environ | {"TERM": "xterm", "COLUMNS": "120"}, text=True
    ) as process:
        os.close(end)
        with suppress(OSError):  # the terminal's way to say that nobody writes any more
            while part := os.read(terminal, 4096):
                shown += part
        os.close(terminal)
        assert process.stdout is not None
        return process.stdout.read(), re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", shown.decode())


@pytest.mark.slow
def test_sending_shows_a_bar_with_its_rate_on_a_terminal_and_none_in_a_pipe(tmp_path: Path) -> None:
    with begin_trial(tmp_path, 60, delay_s=0.1, connections=2) as trial:
        command = [sys.executable, "-m", "publisher", f"--config={trial.newsroom.config_file}", "digest", "send"]

        told, shown = watch([*command, trial.edition])
        piped = subprocess.run([*command, trial.edition], capture_output=True, text=True, check=True)

    assert "sent       60" in told
    assert re.search(r"\d+/60 \d+/s \d:\d\d:\d\d", shown)
    assert piped.stderr == ""
