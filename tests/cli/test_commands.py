"""The command line: help, exit codes, and JSON that is one document on standard output."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer.main
from click import Command, Group
from judging import Court, open_court
from newsroom_app import Newsroom, open_newsroom

from publisher.cli.main import cli, main
from publisher.failpoints import NAMES


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    returncode: int
    stdout: str
    stderr: str


class Shell:
    """Runs commands on a newsroom, as the console script does but for the start of a process."""

    def __init__(self, newsroom: Newsroom, court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
        self.newsroom, self.court, self._monkeypatch = newsroom, court, monkeypatch

    def run(self, *arguments: str, config: Path | None = None) -> Done:
        file = config or self.newsroom.config_file
        self._monkeypatch.setattr(sys, "argv", ["publisher", f"--config={file}", *arguments])
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as ended:
                return Done(int(ended.code or 0), out.getvalue(), err.getvalue())
        raise AssertionError("a command ends with an exit code")

    def json(self, *arguments: str, code: int = 0) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def open_weekly(self) -> str:
        return str(self.json("digest", "open", "weekly", "--since", "2020-01-01")["edition"])


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    now = datetime.now(UTC)
    with (
        open_court(tmp_path, "rcpt-511:nobody") as court,
        open_newsroom(tmp_path, port=court.port, now=now) as newsroom,
    ):
        newsroom.add_item(released_at=now - timedelta(days=2), title="Ferry \x1b[31mline\x07 opens")
        newsroom.add_people(["ana", "ben"])
        yield Shell(newsroom, court, monkeypatch)


def all_commands(command: Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, Group):
        for name, child in command.commands.items():
            yield from all_commands(child, (*path, name))


COMMANDS = list(all_commands(typer.main.get_command(cli)))


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for path in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            cli([*path, "--help"])
        assert ended.value.code == 0
        assert "Usage: " in capsys.readouterr().out


def test_help_and_failpoints_need_no_configuration(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "publisher", *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path)

    assert run("--help").returncode == 0
    assert json.loads(run("doctor", "--failpoints", "--json").stdout) == NAMES
    assert run("dijest").returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_an_edition_goes_step_by_step_with_one_json_document_each(shell: Shell) -> None:
    opened = shell.json("digest", "open", "weekly", "--since", "2020-01-01T00:00:00+00:00")
    name = opened["edition"]

    assert opened["items"] == 1
    assert opened["window"][0] == "2020-01-01T00:00:00+00:00"
    assert shell.run("digest", "approve", name).returncode == 0
    planned = shell.json("digest", "plan", name)
    assert planned == {"edition": name, "planned": 2, "states": {"planned": 2}, "variants": planned["variants"]}
    assert shell.json("digest", "send", name) == planned | {"states": {"sent": 2}}
    reported = shell.json("digest", "report", name)
    assert reported == reported | planned | {"states": {"sent": 2}}
    assert reported["domains"] == {"example.org": {"sent": 2}}
    assert reported["replies"] == {"250 2.0.0": {"sent": 2}}
    rows = [json.loads(line) for line in shell.run("digest", "report", name, "--deliveries").stdout.splitlines()]
    assert {row["email"] for row in rows} == {"ana@example.org", "ben@example.org"}
    assert {row["message_id"] for row in rows} == {one.message_id for one in shell.court.accepted}
    assert all(set(row) == {"email", "state", "message_id", "reply", "attempts"} for row in rows)
    why = shell.json("why", "ANA@example.org", name)
    assert (why["delivery"], [item["is_in"] for item in why["items"]]) == ("sent", [True])
    assert [row["edition"] for row in shell.json("digest", "list")] == [name]


def test_the_same_steps_are_told_in_words(shell: Shell) -> None:
    name = shell.open_weekly()
    shell.run("digest", "approve", name, "--as", "ada")
    shell.run("digest", "plan", name)

    assert f"{name}: 2 planned in" in shell.run("digest", "report", name).stdout
    assert shell.run("digest", "pause", name).stdout == f"{name}: paused\n"
    held = shell.run("digest", "send", name)
    assert (held.returncode, shell.court.accepted) == (1, [])
    assert "paused by cli" in held.stderr
    assert shell.run("digest", "resume", name).stdout == f"{name}: resumed\n"
    assert "sent       2" in shell.run("digest", "send", name).stdout
    assert "theme" in shell.run("why", "ana@example.org", name).stdout


def test_previews_are_written_in_each_language(shell: Shell) -> None:
    name = shell.open_weekly()

    written = shell.run("digest", "preview", name, "--to", "out").stdout.split()

    assert written == [f"out/{name}.{language}.{kind}" for language in ("en", "fr", "ru") for kind in ("html", "txt")]
    assert all((shell.newsroom.folder / file).stat().st_size > 200 for file in written)


def test_a_delivery_that_fails_is_exit_1_for_send_and_report(shell: Shell) -> None:
    shell.newsroom.add_person("nobody")
    name = shell.open_weekly()
    shell.run("digest", "approve", name)
    shell.run("digest", "plan", name)

    assert shell.json("digest", "send", name, code=1)["states"] == {"sent": 2, "failed": 1}
    assert shell.json("digest", "report", name, code=1)["states"] == {"sent": 2, "failed": 1}


def test_a_mail_server_that_is_down_is_exit_1_and_said_on_standard_error(shell: Shell) -> None:
    name = shell.open_weekly()
    shell.run("digest", "approve", name)
    shell.run("digest", "plan", name)
    file = shell.newsroom.config_file
    file.write_text(file.read_text().replace(f"port = {shell.court.port}", "port = 1"))

    done = shell.run("digest", "send", name, "--json")

    assert done.returncode == 1
    assert sum(json.loads(done.stdout)["states"].values()) == 2
    assert "127.0.0.1:1" in done.stderr
    assert "run the command again" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_item_is_withdrawn_and_reinstated(shell: Shell) -> None:
    number = str(shell.newsroom.add_item(released_at=None))

    withdrawn = json.loads(shell.run("items", "withdraw", number, "--reason", "A mistake", "--json").stdout)
    reinstated = json.loads(shell.run("items", "reinstate", number, "--json").stdout)

    assert withdrawn["withdrawn_at"].endswith("+00:00")
    assert withdrawn["withdrawn_reason"] == "A mistake"
    assert reinstated["withdrawn_at"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["digest", "approve", "weekly-1999-01-01"], "publisher digest list"),
        (["digest", "report", "weekly-1999-01-01", "--json"], "publisher digest list"),
        (["digest", "open", "wekly"], "There are: daily, weekly"),
        (["digest", "open", "weekly", "--now", "yesterday"], "Use 2026-11-23"),
        (["digest", "open", "weekly", "--now", "2020-01-01", "--since", "2021-01-01"], "earlier --since"),
        (["why", "stranger@example.org", "weekly-1999-01-01"], "digest list"),
        (["apply", "nothing.toml"], "nothing.toml cannot be read"),
        (["subscribers", "import", "nothing.csv"], "nothing.csv cannot be read"),
        (["items", "show", "4711"], "4711"),
        (["items", "withdraw", "4711"], "There is no item 4711"),
        (["items", "--theme", "asylm"], "There is no theme 'asylm'"),
        (["feeds", "build", "publisher.toml"], "publisher.toml: File exists"),
        (["digest"], ""),
        (["dijest"], "dijest"),
    ],
)
def test_wrong_usage_is_exit_2_with_a_remedy_and_an_empty_standard_output(
    shell: Shell, arguments: list[str], words: str
) -> None:
    done = shell.run(*arguments)

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == "" or arguments == ["digest"]


def test_configuration_errors_are_exit_2_with_file_and_key(shell: Shell) -> None:
    wrong = shell.newsroom.folder / "wrong.toml"
    wrong.write_text(shell.newsroom.config_file.read_text().replace("[smtp]", "[smtp]\nhots = 1"))

    for config, words in ((wrong, "wrong.toml: smtp.hots: unknown key"), (Path("none.toml"), "Run: publisher init")):
        done = shell.run("digest", "list", config=config)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr


def test_apply_and_export_go_round(shell: Shell) -> None:
    exported = shell.run("export")
    (shell.newsroom.folder / "out.toml").write_text(exported.stdout)

    assert shell.json("apply", "out.toml", "--prune") == []
    assert "Nothing differs." in shell.run("apply", "out.toml").stderr
    (shell.newsroom.folder / "none.toml").write_text("")
    dry = shell.json("apply", "none.toml", "--prune", "--dry-run")
    assert [(one["action"], one["kind"], one["id"]) for one in dry] == [
        ("end", "digests", "weekly"),
        ("end", "digests", "daily"),
    ]
    assert shell.run("export").stdout == exported.stdout


def test_what_is_no_address_is_wrong_usage(shell: Shell) -> None:
    name = shell.open_weekly()

    for command in (("why", "nonsense", name), ("subscribers", "show", "nonsense")):
        done = shell.run(*command)

        assert done.returncode == 2
        assert done.stderr.startswith("'nonsense' is not a mail address")


def test_a_personal_feed_is_issued_shown_once_and_taken_away(shell: Shell) -> None:
    urls = shell.json("subscribers", "feed", "ana@example.org")
    plain = shell.run("subscribers", "feed", "ana@example.org")
    gone, twice = (shell.run("subscribers", "feed", "ana@example.org", "--revoke") for _ in range(2))

    assert set(urls) == {"atom", "rss", "json", "ics"}
    assert len(plain.stdout.splitlines()) == 4
    assert not set(urls.values()) & set(plain.stdout.splitlines())
    assert (gone.returncode, twice.returncode) == (0, 2)
    assert "personal feed, until" in shell.run("subscribers", "show", "ana@example.org").stdout


def test_a_locked_database_is_work_that_failed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.store.database.BUSY_TIMEOUT_S", 0)

    with shell.newsroom.app.database.write():
        done = shell.run("subscribers", "erase", "ana@example.org", "--yes")

    assert done.returncode == 1
    assert "publisher.db: database is locked. Nothing of this step was kept" in done.stderr
    assert "ana@example.org" not in done.stderr


def test_init_upgrade_and_doctor(shell: Shell) -> None:
    folder = shell.newsroom.folder / "new"

    first, second = (shell.run("init", str(folder)) for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.count("wrote") == 3
    assert second.stdout.count("kept") == 3
    assert shell.run("db", "upgrade", config=folder / "publisher.toml").returncode == 0
    assert all(one["is_well"] for one in shell.json("doctor"))


def test_nothing_that_steers_a_terminal_is_printed(shell: Shell) -> None:
    done = shell.run("items")

    assert "Ferry" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_withdrawing_again_keeps_the_reason_unless_another_is_given(shell: Shell) -> None:
    # given
    shell.run("items", "withdraw", "1", "--reason", "Wrong date")
    # when
    again = shell.json("items", "withdraw", "1")
    other = shell.json("items", "withdraw", "1", "--reason", "Wrong place")
    # then
    assert (again["withdrawn_reason"], other["withdrawn_reason"]) == ("Wrong date", "Wrong place")
    assert again["withdrawn_at"] == other["withdrawn_at"]


def test_a_listing_marks_what_is_withdrawn(shell: Shell) -> None:
    # when
    before = shell.run("items").stdout
    shell.run("items", "withdraw", "1")
    after = shell.run("items").stdout
    # then
    assert "withdrawn)" not in before
    assert "withdrawn)" in after


def test_an_item_is_shown_in_words_and_not_as_a_program_writes_it(shell: Shell) -> None:
    # when
    shown = shell.run("items", "show", "1").stdout
    # then
    assert "themes           asylum\n" in shown
    assert "corrections      -\n" in shown
    assert not any(sign in shown for sign in ("None", "['", "[]", "{"))


def test_the_list_of_commands_says_whole_sentences(shell: Shell) -> None:
    groups = [path for path in COMMANDS if path in {(), ("items",), ("digest",), ("subscribers",), ("db",), ("feeds",)}]
    for path in groups:
        assert "..." not in shell.run(*path, "--help").stdout.partition("Commands:")[2], path


def test_why_says_how_much_somebody_got(shell: Shell) -> None:
    # given
    edition = shell.open_weekly()
    shell.run("digest", "approve", edition)
    planned = shell.run("digest", "plan", edition)
    # then
    assert f"Next: publisher digest send {edition}" in planned.stderr
    assert "planned, 1 of 1 items" in shell.run("why", "ana@example.org", edition).stdout
