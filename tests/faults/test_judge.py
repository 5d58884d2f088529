"""The judge: what it says it took is on its disk, and it errs as it is told."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from judge import Options
from judge_rules import Rule, at, named
from judging import Court, start_judge, stop_judge

MESSAGE = (
    "From: news@example.org\r\nMessage-ID: <1@example.org>\r\nContent-Language: fr\r\n"
    "List-Unsubscribe:\r\n <https://example.org/u/abc>\r\n\r\ntext\r\n"
)


@contextmanager
def session(folder: Path, *rules: Rule, **options: object) -> Iterator[tuple[Court, smtplib.SMTP]]:
    chosen = Options(log=str(folder / "judge.log"), mail_log=str(folder / "mail.log"), rules=rules)
    court = start_judge(replace(chosen, **options))  # type: ignore[arg-type]
    try:
        with smtplib.SMTP("127.0.0.1", court.port, timeout=20) as client:
            yield court, client
    finally:
        stop_judge(court)


def send(client: smtplib.SMTP, recipient: str = "ana@example.org") -> None:
    client.sendmail("b@example.org", [recipient], MESSAGE)


def test_a_message_is_written_down_with_all_that_the_accounts_need(tmp_path: Path) -> None:
    with session(tmp_path) as (court, client):
        send(client)
        (one,) = court.accepted

    assert (one.recipient, one.message_id, one.sender) == ("ana@example.org", "<1@example.org>", "b@example.org")
    assert (one.token, one.language) == ("abc", "fr")
    assert one.mail_at <= one.at


def test_its_mail_log_reads_like_that_of_postfix(tmp_path: Path) -> None:
    with session(tmp_path) as (_, client):
        send(client)
        lines = (tmp_path / "mail.log").read_text().splitlines()

    (named_line,) = [line for line in lines if "message-id=<1@example.org>" in line]
    queue_id = named_line.split()[3].rstrip(":")
    assert " judge postfix/cleanup[1]: " in named_line
    assert any(f"postfix/smtp[1]: {queue_id}: to=<ana@example.org>" in line and "status=sent" in line for line in lines)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (named("mail-550"), 550),
        (at("rcpt", "452 4.2.2 full", who="ana@*"), 452),
        (at("rcpt", "greylist:600", "250 2.1.5 ok"), 450),
        (at("data", "451 4.3.0 not now"), 451),
        (at("dot", "554-5.6.0 this\n554 content"), 554),
    ],
)
def test_it_refuses_by_rules_and_keeps_nothing_then(tmp_path: Path, rule: Rule, code: int) -> None:
    with session(tmp_path, rule) as (court, client):
        with pytest.raises(smtplib.SMTPException) as caught:
            send(client)

        assert str(code) in str(caught.value)
        assert court.accepted == []


@pytest.mark.parametrize(("acts", "count"), [(("drop",), 0), (("keep", "drop"), 1)])
def test_it_cuts_the_connection_after_the_dot_with_or_without_the_message(
    tmp_path: Path, acts: tuple[str, ...], count: int
) -> None:
    with session(tmp_path, at("dot", *acts)) as (court, client):
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(client)

        assert len(court.accepted) == count


def test_a_rule_is_for_its_occurrence_alone(tmp_path: Path) -> None:
    with session(tmp_path, at("mail", "451 4.3.0 later", nth=2)) as (court, client):
        send(client)
        with pytest.raises(smtplib.SMTPSenderRefused):
            send(client)
        send(client)

        assert len(court.accepted) == 2


def test_a_step_that_does_not_exist_is_told() -> None:
    with pytest.raises(ValueError, match="no step"):
        at("vrfy", "drop")
