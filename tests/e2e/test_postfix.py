"""A real Postfix as relay: STARTTLS, AUTH, 2,000 messages all there once; and what its log settles after a kill."""

import email
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from newsroom_app import Newsroom, open_newsroom
from postfix import USERNAME, Relay, missing_program, open_postfix

from publisher.usecases.reports import list_deliveries

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing_program() is not None, reason=str(missing_program()))]

PEOPLE = 2_000
ONCE = (
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "MIME-Version",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "DKIM-Signature",
    "Feedback-ID",
    "Precedence",
)
KEY = rsa.generate_private_key(65537, 2048)
SMTP = """
username = "{username}"
password_file = "{relay.password_file}"
ca_file = "{relay.ca_file}"
mail_log = "{relay.log}"
timeout_scale = 0.02

[dkim]
domain = "harbour.example"
selector = "s1"
key_file = "{key_file}"
"""


@dataclass
class Run:
    """A planned edition before a real relay."""

    newsroom: Newsroom
    relay: Relay
    edition: str

    def start(self, *command: str, failpoint: str = "") -> subprocess.Popen[str]:
        """``publisher digest COMMAND EDITION`` in a process of its own."""
        words = [sys.executable, "-m", "publisher", f"--config={self.newsroom.config_file}", "digest", *command]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PUBLISHER_")}
        environment["PUBLISHER_FAILPOINT"] = failpoint
        return subprocess.Popen([*words, self.edition, "--json"], env=environment, stdout=subprocess.PIPE, text=True)

    def tell(self, *command: str) -> dict[str, dict[str, int]]:
        """What that command prints."""
        with self.start(*command) as process:
            assert process.stdout is not None
            figures: dict[str, dict[str, int]] = json.loads(process.stdout.read())
        return figures


@pytest.fixture
def relay() -> Iterator[Relay]:
    with open_postfix() as relay:
        yield relay


@contextmanager
def begin_run(folder: Path, relay: Relay, people: int) -> Iterator[Run]:
    key_file = folder / "dkim.pem"
    key_file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    smtp = SMTP.format(username=USERNAME, relay=relay, key_file=key_file)
    # A log tells whole seconds: it covers the edition from its planning on only where it began a second before.
    wait_until(lambda: time.time() > (relay.folder / "queue" / "pid" / "master.pid").stat().st_mtime + 2)
    now = datetime.now(UTC)
    with open_newsroom(folder, port=relay.port, connections=10, security="starttls", smtp=smtp, now=now) as newsroom:
        newsroom.add_item(released_at=now - timedelta(days=1))
        newsroom.add_people([f"p{number:04}" for number in range(people)])
        yield Run(newsroom, relay, newsroom.plan_edition())


def wait_until(condition: Callable[[], bool], *, timeout_s: float = 40) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def has_delivered(relay: Relay, people: int) -> bool:
    """Whether so many arrived and nothing is left in the queue: what came twice is there too."""
    log = relay.log.read_bytes()
    return len(relay.mails) >= people and log.count(b"(queue active)") == log.count(b": removed\n")


def read_mails(relay: Relay, people: int) -> list[bytes]:
    """All messages as they arrived, with the line ends of the wire."""
    wait_until(lambda: has_delivered(relay, people))
    return [path.read_bytes().replace(b"\n", b"\r\n") for path in relay.mails]


def recipients(mails: list[bytes]) -> Counter[str]:
    return Counter(str(email.message_from_bytes(mail)["X-Original-To"]) for mail in mails)


def dns(_name: bytes, timeout: int = 5) -> bytes:
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return ("v=DKIM1; k=rsa; p=" + "".join(public.split("\n")[1:-2])).encode()


def assert_standard(message: Message) -> None:
    counts = Counter(name.lower() for name in message.keys())  # noqa: SIM118  (a message has a name more than once)
    assert {name: counts[name.lower()] for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert counts["reply-to"] <= 1
    assert counts["bcc"] == 0
    assert re.fullmatch(r"\s*<https://harbour\.example/u/[\w-]{27}>", message["List-Unsubscribe"])
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["X-Original-To"] in message["To"]
    assert re.fullmatch(r"<b-[a-z2-7]{32}@bounces\.harbour\.example>", message["Return-Path"])


def test_two_thousand_messages_arrive_once_each_signed_and_by_the_standards(tmp_path: Path, relay: Relay) -> None:
    with begin_run(tmp_path, relay, PEOPLE) as run:
        told = run.tell("send")
        mails = read_mails(relay, PEOPLE)
        rows = list(list_deliveries(run.newsroom.app, run.edition))

    messages = [email.message_from_bytes(mail) for mail in mails]
    assert told["states"] == {"sent": PEOPLE}
    assert recipients(mails) == Counter(row["email"] for row in rows)
    assert sorted(message["Message-ID"] for message in messages) == sorted(row["message_id"] for row in rows)
    assert len({message["List-Unsubscribe"] for message in messages}) == PEOPLE
    for message in messages:
        assert_standard(message)
    assert all(dkim.verify(mail, dnsfunc=dns) for mail in mails)
    assert relay.log.read_bytes().count(b"sasl_username=publisher@") >= PEOPLE


def test_after_kills_the_relays_log_settles_what_was_in_flight_and_everyone_gets_one(
    tmp_path: Path, relay: Relay
) -> None:
    people = 400
    with begin_run(tmp_path, relay, people) as run:
        sender = run.start("send")
        wait_until(lambda: len(relay.mails) >= 100)
        sender.send_signal(signal.SIGKILL)
        sender.communicate()
        run.start("send", failpoint="send-after-reply:100").communicate()  # the relay has at least this one
        deadline = time.monotonic() + 40
        while run.tell("send")["states"] != {"sent": people}:
            settled = run.tell("resolve")
            assert time.monotonic() < deadline, settled
        replies = [row["reply"] for row in list_deliveries(run.newsroom.app, run.edition)]
        mails = read_mails(relay, people)

    by_log = sum(reply.startswith("resolved: relay has it as ") for reply in replies)
    assert 1 <= by_log <= 2 * 20  # of each kill, connections × 2 at most
    assert len(mails) == people
    assert set(recipients(mails).values()) == {1}
