"""The main job on real input: example configuration, example site, a real SMTP server, every step by command."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import lxml.html
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

SHARED = Path(__file__).parents[2] / "../shared"
WRITTEN_FOR = "http://127.0.0.1:8900"
READERS = {"ana@example.org", "benoit@example.org", "chyngyz@example.org", "dora@example.org"}

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the shared example is not here")


class Inbox:
    """An aiosmtpd handler that keeps what it accepts."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return "250 2.0.0 kept"


@dataclass(frozen=True)
class Newsroom:
    """What came of the whole way, once for all tests of this file."""

    folder: Path
    edition: str
    items: list[dict[str, Any]]
    messages: dict[str, EmailMessage]
    envelopes: dict[str, Envelope]
    report: dict[str, Any]

    def run(self, *arguments: str) -> str:
        return run(self.folder, *arguments)

    def expected_titles(self, address: str) -> set[str]:
        """What that reader is to get by the rules of "who gets what", worked out from the plain CSV."""
        lines = (SHARED / "examples/subscribers.csv").read_text(encoding="utf-8").splitlines()
        fields = next(line for line in lines if line.startswith(address)).rsplit(",", 7)
        themes, regions = (set(fields[place].split(";")) for place in (2, 3))
        return {item["title"] for item in self.items if _reaches(item, themes, regions)}


def _reaches(item: dict[str, Any], themes: set[str], regions: set[str]) -> bool:
    is_theme = "*" in themes or bool(themes & set(item["themes"]))
    is_region = "*" in regions or "global" in item["regions"] or bool(regions & set(item["regions"]))
    return is_theme and is_region


def run(folder: Path, *arguments: str) -> str:
    """The standard output of a command that must succeed."""
    command = [sys.executable, "-m", "publisher", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def served_site(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        for file in (SHARED / "site").rglob("*"):
            if file.is_file():
                target = folder / file.relative_to(SHARED / "site")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(file.read_text(encoding="utf-8").replace(WRITTEN_FOR, url), encoding="utf-8")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield url
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def smtp_server(inbox: Inbox) -> Iterator[int]:
    port = free_port()  # the controller cannot say which port it was given, so it is told one
    controller = Controller(inbox, hostname="127.0.0.1", port=port, server_hostname="inbox.example.org")
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    folder, inbox = tmp_path_factory.mktemp("newsroom"), Inbox()
    with served_site(tmp_path_factory.mktemp("site")) as url, smtp_server(inbox) as port:
        for name in ("publisher.toml", "newsroom.toml", "subscribers.csv"):
            text = (SHARED / "examples" / name).read_text(encoding="utf-8")
            (folder / name).write_text(text.replace(WRITTEN_FOR, url).replace("2525", str(port)), encoding="utf-8")
        run(folder, "apply", "newsroom.toml")
        run(folder, "collect")
        run(folder, "subscribers", "import", "subscribers.csv")
        edition = json.loads(run(folder, "digest", "open", "weekly", "--since", "2020-01-01", "--json"))["edition"]
        for step in ("approve", "plan", "send"):
            run(folder, "digest", step, edition)
        messages = {
            one.rcpt_tos[0]: message_from_bytes(one.content or b"", policy=policy.default) for one in inbox.envelopes
        }
        yield Newsroom(
            folder=folder,
            edition=edition,
            items=json.loads(run(folder, "items", "--json")),
            messages=messages,  # type: ignore[arg-type]  # the default policy makes EmailMessages
            envelopes={one.rcpt_tos[0]: one for one in inbox.envelopes},
            report=json.loads(run(folder, "digest", "report", edition, "--json")),
        )


@pytest.fixture(scope="module")
def website(newsroom: Newsroom) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "publisher", "serve"]
    environment = os.environ | {"PUBLISHER_WEB__PORT": str(port)}
    with subprocess.Popen(command, cwd=newsroom.folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert str(port) in said
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_mail_goes_to_confirmed_weekly_readers_with_something_to_read_and_nobody_else(newsroom: Newsroom) -> None:
    # egon is unconfirmed, gone has unsubscribed, fadi reads the daily digest
    wanted = {address for address in READERS if newsroom.expected_titles(address)}

    assert set(newsroom.messages) == wanted
    assert len(newsroom.envelopes) == len(wanted)
    assert newsroom.report["states"] == {"sent": len(wanted)}
    assert newsroom.report["planned"] == len(wanted)


@pytest.mark.parametrize("address", sorted(READERS))
def test_a_reader_gets_exactly_the_items_of_the_themes_and_regions_chosen(newsroom: Newsroom, address: str) -> None:
    text, html = _parts(newsroom.messages[address])
    in_order = sorted((item["title"] for item in newsroom.items), key=len, reverse=True)

    assert {title for title in in_order if _flat(title) in _flat(text)} == newsroom.expected_titles(address)
    assert {title for title in in_order if _flat(title) in _flat(html)} == newsroom.expected_titles(address)


@pytest.mark.parametrize(
    ("address", "language", "unsubscribe", "mark"),
    [
        ("benoit@example.org", "fr", "désabonner", "en anglais"),
        ("chyngyz@example.org", "ru", "тписаться", "на английском"),
    ],
)
def test_the_interface_speaks_the_readers_language_and_items_say_theirs(
    newsroom: Newsroom, address: str, language: str, unsubscribe: str, mark: str
) -> None:
    message = newsroom.messages[address]
    text, html = _parts(message)
    document = lxml.html.fromstring(message.get_body(("html",)).get_content())  # type: ignore[union-attr]

    assert message["Content-Language"] == language
    assert document.get("lang") == language
    assert unsubscribe in text
    assert unsubscribe in html
    shown = len(newsroom.expected_titles(address))
    assert text.count(mark) >= shown
    assert len(document.xpath("//*[@lang='en']")) >= shown


@pytest.mark.parametrize("address", sorted(READERS))
def test_the_headers_are_those_of_the_standards(newsroom: Newsroom, address: str) -> None:
    raw = newsroom.envelopes[address].original_content or b""
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    names = [line.partition(":")[0].lower() for line in head.split("\r\n") if not line.startswith((" ", "\t"))]
    once = "date from to subject message-id mime-version list-id list-unsubscribe list-unsubscribe-post reply-to"
    message = newsroom.messages[address]

    assert [name for name in once.split() if names.count(name) != 1] == []
    assert "bcc" not in names
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    unsubscribe = re.search(r"^List-Unsubscribe:\s+<(https://news\.example\.org/u/[\w-]{27})>\r$", head, re.MULTILINE)
    assert unsubscribe
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Precedence"] == "bulk"
    assert message["Message-ID"].endswith("@example.org>")
    assert message["List-ID"].endswith("<weekly.news.example.org>")
    assert newsroom.envelopes[address].mail_from.endswith("@bounces.example.org")
    assert all(unsubscribe[1] in part for part in _raw_parts(message))
    others = {token for part in _raw_parts(message) for token in re.findall(r"/u/([\w-]{27})", part)}
    assert len(others) == 1


def test_every_link_to_our_pages_in_a_mail_answers_and_getting_them_changes_nothing(
    newsroom: Newsroom, website: str
) -> None:
    parts = [part for message in newsroom.messages.values() for part in _raw_parts(message)]
    ours = {path for part in parts for path in re.findall(r"https://news\.example\.org(/[^\s\"<>]*)", part)}

    answers = {path: httpx.get(website + path, follow_redirects=False).status_code for path in sorted(ours)}

    assert {path.split("/")[1] for path in ours} >= {"u", "editions"}
    assert {path: status for path, status in answers.items() if status != 200} == {}
    assert "unsubscribed" not in newsroom.run("subscribers", "show", "ana@example.org")


def test_the_page_of_a_mail_holds_its_items_and_nothing_personal(newsroom: Newsroom, website: str) -> None:
    text, _ = _parts(newsroom.messages["ana@example.org"])
    link = re.search(r"https://news\.example\.org(/editions/\S+)", text)
    assert link

    page = httpx.get(website + link[1]).text

    assert "/u/" not in page
    assert "ana@example.org" not in page
    shown = _flat(lxml.html.fromstring(page).text_content())
    assert all(_flat(title) in shown for title in newsroom.expected_titles("ana@example.org"))


def test_one_post_to_the_unsubscribe_link_ends_the_mails_of_that_reader(newsroom: Newsroom, website: str) -> None:
    path = (
        newsroom.messages["dora@example.org"]["List-Unsubscribe"].strip("<>").removeprefix("https://news.example.org")
    )

    answers = [httpx.post(website + path, data={"List-Unsubscribe": "One-Click"}).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert ": unsubscribed" in newsroom.run("subscribers", "show", "dora@example.org")


def test_no_two_messages_share_a_token_or_message_id(newsroom: Newsroom) -> None:
    tokens = {message["List-Unsubscribe"] for message in newsroom.messages.values()}
    message_ids = {message["Message-ID"] for message in newsroom.messages.values()}

    assert len(tokens) == len(message_ids) == len(newsroom.messages)


def test_why_names_a_rule_for_every_item_got_and_not_got(newsroom: Newsroom) -> None:
    found = json.loads(newsroom.run("why", "ana@example.org", newsroom.edition, "--json"))

    assert len(found["items"]) == 32
    assert all(item["reasons"] for item in found["items"])
    assert {item["title"] for item in found["items"] if item["is_in"]} == newsroom.expected_titles("ana@example.org")


def test_planning_and_sending_again_changes_nothing(newsroom: Newsroom) -> None:
    before = newsroom.report

    newsroom.run("digest", "plan", newsroom.edition)
    newsroom.run("digest", "send", newsroom.edition)

    assert json.loads(newsroom.run("digest", "report", newsroom.edition, "--json")) == before
    assert len(newsroom.envelopes) == before["planned"]


def _raw_parts(message: EmailMessage) -> tuple[str, str]:
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def _parts(message: EmailMessage) -> tuple[str, str]:
    text, html = _raw_parts(message)
    return text, lxml.html.fromstring(html).text_content()


def _flat(text: str) -> str:
    """Without the differences that line wrapping makes."""
    return re.sub(r"[\s\u200b-\u200f\u2066-\u2069]+", "", text)
