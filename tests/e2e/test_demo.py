"""``publisher demo`` as a newcomer sees it: a process, its start page and every link on it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from lxml import html

READY = "The demo is ready: "
READY_WITHIN_S = 60.0
MAILED_WITHIN_S = 20.0
ENDS_WITHIN_S = 5.0

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Process:
    """A running demo, the lines that it prints and where its temporary folder is."""

    popen: subprocess.Popen[str]
    lines: Queue[str]
    folder: Path

    def wait_for(self, start: str) -> str:
        """The rest of the next line that begins so."""
        deadline = time.monotonic() + READY_WITHIN_S
        while not (line := self.lines.get(timeout=deadline - time.monotonic())).startswith(start):
            assert line, f"the demo ended with {self.popen.wait()}"
        return line.removeprefix(start).strip()

    def end(self, number: signal.Signals) -> int:
        """The exit code after that signal."""
        self.popen.send_signal(number)
        return self.popen.wait(timeout=ENDS_WITHIN_S)


@contextmanager
def _start(folder: Path) -> Iterator[Process]:
    popen = subprocess.Popen(
        [sys.executable, "-m", "publisher", "demo", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(folder)},
    )
    lines: Queue[str] = Queue()
    reader = threading.Thread(target=_read, args=(popen, lines))
    reader.start()
    try:
        yield Process(popen, lines, folder)
    finally:
        popen.kill()
        popen.wait()
        reader.join()


def _read(popen: subprocess.Popen[str], lines: Queue[str]) -> None:
    assert popen.stderr
    with popen.stderr as stderr:
        for line in stderr:
            lines.put(line)
    lines.put("")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A browser at the start page of a demo, which must end cleanly when told to."""
    with _start(tmp_path_factory.mktemp("demo")) as process:
        with httpx.Client(
            base_url=process.wait_for(READY), follow_redirects=True, trust_env=False, timeout=10
        ) as client:
            yield client
        assert process.end(signal.SIGTERM) == 0
        assert not list(process.folder.iterdir())


def _links(client: httpx.Client, url: str) -> set[str]:
    """Where the links of a page lead; empty for what is no page. The page must be there."""
    response = client.get(url)
    assert response.status_code == 200, url
    if not response.headers["Content-Type"].startswith("text/html"):
        return set()
    targets = html.fromstring(response.content).xpath("//a/@href | //iframe/@src | //link/@href")
    return {urljoin(str(response.url), target).partition("#")[0] for target in targets}


def _find(client: httpx.Client, path: str, selector: str) -> list[html.HtmlElement]:
    return html.fromstring(client.get(path).content).cssselect(selector)


def _wait_until(is_so: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_every_link_of_the_start_page_and_of_the_pages_behind_it_answers(client: httpx.Client) -> None:
    first = _links(client, "/")
    second = {link for page in first for link in _links(client, page)}

    assert len(first) >= 20
    assert {urlsplit(link).netloc for link in first | second} == {urlsplit(str(client.base_url)).netloc}
    for link in second - first:
        _links(client, link)


def test_the_start_page_leads_to_everything_that_a_newcomer_should_see(client: httpx.Client) -> None:
    paths = {urlsplit(link).path for link in _links(client, "/")}

    assert {"/site/", "/feeds/", "/editions/", "/mailbox/", "/staff/", "/demo/why"} <= paths
    for ending in (".atom", ".rss", ".json", "/en.html", "/en.txt"):
        assert any(path.endswith(ending) for path in paths), ending
    assert any(path.startswith("/u/") for path in paths)


def test_browsers_ask_again_for_what_changes_with_the_fast_clock(client: httpx.Client) -> None:
    for path in ("/feeds/all/all.atom", "/feeds/", "/editions/"):
        assert client.get(path).headers["Cache-Control"] == "no-cache"


def test_the_mailbox_holds_digests_in_all_three_languages(client: httpx.Client) -> None:
    subjects = " ".join(line.text_content() for line in _find(client, "/mailbox/", ".messages .subject"))

    for title in ("Vellamar weekly", "Vellamar, la semaine", "Велламар за неделю"):
        assert title in subjects


def test_who_got_what_and_why_is_said_of_everybody(client: httpx.Client) -> None:
    people = [link.get("href") for link in _find(client, "/demo/why", ".people tbody th a")]
    reasons = {reason.text_content() for path in people for reason in _find(client, path, ".reasons .quiet")}

    assert len(people) == 30
    assert any(reason.startswith("theme chosen: ") for reason in reasons)
    assert any(reason.startswith("region not chosen: ") for reason in reasons)


def test_an_edition_that_staff_approve_arrives_in_the_mailbox(client: httpx.Client) -> None:
    (waiting,) = _find(client, "/staff/", ".notice a")
    (form,) = _find(client, waiting.get("href"), "form")
    assert not _received(client, "Vellamar monthly")

    elsewhere = client.post(form.get("action"), headers={"Origin": "http://elsewhere.example"})
    approved = client.post(form.get("action"), headers={"Origin": str(client.base_url).rstrip("/")})

    assert elsewhere.status_code == 403
    assert approved.status_code == 200
    _wait_until(lambda: _received(client, "Vellamar monthly"), MAILED_WITHIN_S)


def _received(client: httpx.Client, title: str) -> bool:
    lines = _find(client, "/mailbox/?to=library@example.org", ".messages .subject")
    return any(line.text_content().startswith(title) for line in lines)


def test_a_demo_that_is_stopped_while_it_gets_ready_leaves_nothing_behind(tmp_path: Path) -> None:
    with _start(tmp_path) as process:
        process.wait_for("Sending ")
        code = process.end(signal.SIGINT)

    assert code == 0
    assert not list(tmp_path.iterdir())
