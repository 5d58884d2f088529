"""The service as it runs: collects, opens, sends; is stopped, killed and doubled."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
from judging import Court, judge, open_court
from newsroom_app import MONDAY, Newsroom, open_newsroom

from publisher.scheduler import keep_ticking
from publisher.store.schema import editions, items
from publisher.store.schema_dispatch import deliveries
from publisher.usecases.newsroom import apply
from publisher.usecases.sending import read_result
from publisher.usecases.service import collect_tick, edition_tick, send_tick

CONNECTIONS = 3
RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour</title>
<item><title>Refugees land at the harbour</title><link>/1</link><pubDate>Sat, 21 Nov 2026 09:00:00 GMT</pubDate></item>
</channel></rss>"""
SOURCE = """
[[sources]]
id = "harbour"
kind = "feed"
url = "{url}/rss"
language = "en"
every = "30m"
internal = true
backlog = "digest"
"""


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = RSS.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve_site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def wait_until(condition: Callable[[], bool], timeout_s: float = 40) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


class Stage:
    """A newsroom whose automatic edition is due now, the judge, and service processes."""

    def __init__(self, newsroom: Newsroom, court: Court, stack: ExitStack) -> None:
        self.newsroom, self.court, self._stack = newsroom, court, stack

    def start(self, command: str = "run", **environment: str) -> subprocess.Popen[str]:
        arguments = [sys.executable, "-m", "publisher", f"--config={self.newsroom.config_file}", command]
        process = subprocess.Popen(arguments, env=os.environ | environment, stderr=subprocess.PIPE, text=True)
        self._stack.callback(process.communicate)
        self._stack.callback(process.kill)
        return process

    @property
    def edition(self) -> str:
        return next(str(row["id"]) for row in self.newsroom.rows(editions) if row["digest_id"] == "daily")

    @property
    def states(self) -> dict[str, int]:
        return read_result(self.newsroom.app, self.edition).states

    def is_done(self) -> bool:
        return any(row["state"] == "done" for row in self.newsroom.rows(editions))


@contextmanager
def set_stage(folder: Path, *, people: int, delay_s: float = 0) -> Iterator[Stage]:
    now = datetime.now(UTC)
    at = (now - timedelta(minutes=1)).astimezone(ZoneInfo("Europe/Vienna"))
    with ExitStack() as stack:
        court = stack.enter_context(open_court(folder, delay_s=delay_s))
        options = {"port": court.port, "connections": CONNECTIONS, "web_port": free_port()}
        newsroom = stack.enter_context(open_newsroom(folder, now=now, **options))  # type: ignore[arg-type]
        entry = {"id": "daily", "title": {"en": "The Day"}, "cadence": "daily", "approval": "automatic"}
        newsroom.put_digest(entry | {"at": at.strftime("%H:%M")}, 1)
        newsroom.add_item(released_at=now - timedelta(hours=2))
        newsroom.add_people([f"p{number:03}" for number in range(people)], cadence="daily")
        yield Stage(newsroom, court, stack)


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=40)
    return process.returncode, said


@pytest.mark.slow
def test_the_service_opens_and_sends_what_is_due_serves_pages_and_ends_cleanly(tmp_path: Path) -> None:
    with set_stage(tmp_path, people=20) as stage:
        service = stage.start()
        wait_until(stage.is_done)
        url = f"http://127.0.0.1:{stage.newsroom.app.config.web.port}"
        with urlopen(f"{url}/healthz") as answer:
            health = answer.read()

        code, said = end(service)

        assert health == b"ok\n"
        assert code == 0
        assert said.rstrip().endswith("Stopped cleanly.")
        assert stage.states == {"sent": 20}
        assert "@example.org" not in said


@pytest.mark.slow
def test_sigterm_in_the_middle_of_sending_leaves_nothing_in_doubt(tmp_path: Path) -> None:
    with set_stage(tmp_path, people=150, delay_s=0.02) as stage:
        service = stage.start("work")
        wait_until(lambda: len(stage.court.accepted) >= 10)

        code, _ = end(service)

        assert code == 0
        assert set(stage.states) == {"planned", "sent"}
        assert stage.states["sent"] == len(stage.court.accepted)


@pytest.mark.slow
def test_killed_in_the_middle_the_service_goes_on_where_it_was(tmp_path: Path) -> None:
    with set_stage(tmp_path, people=100, delay_s=0.01) as stage:
        for goal in (15, 50):
            service = stage.start("work")
            wait_until(lambda goal=goal: len(stage.court.accepted) >= goal)  # type: ignore[misc]
            service.kill()
            service.wait()
        stage.start("work")
        wait_until(stage.is_done)

        judgement = judge(stage.newsroom.app, stage.edition, stage.court)
        assert set(stage.states) <= {"sent", "uncertain"}
        assert sum(stage.states.values()) == 100
        assert judgement.lost == judgement.duplicated == []
        assert judgement.uncertain <= 2 * CONNECTIONS * 2


@pytest.mark.slow
def test_two_services_side_by_side_make_one_edition_and_no_duplicate(tmp_path: Path) -> None:
    with set_stage(tmp_path, people=60, delay_s=0.01) as stage:
        services = [stage.start("work"), stage.start("work")]
        wait_until(stage.is_done)

        codes = [end(service)[0] for service in services]

        assert codes == [0, 0]
        assert [row["digest_id"] for row in stage.newsroom.rows(editions)].count("daily") == 1
        assert stage.states == {"sent": 60}
        assert judge(stage.newsroom.app, stage.edition, stage.court).duplicated == []


def test_a_tick_command_does_what_is_due_and_ends(tmp_path: Path) -> None:
    with set_stage(tmp_path, people=5) as stage:
        assert stage.start("tick").wait(timeout=40) == 0

        assert stage.states == {"sent": 5}


def test_an_item_comes_from_its_source_to_the_reader_by_the_clock_alone(tmp_path: Path) -> None:
    before = MONDAY - timedelta(days=1)
    with (
        serve_site() as url,
        open_court(tmp_path) as court,
        open_newsroom(tmp_path, port=court.port, now=before) as newsroom,
    ):
        newsroom.add_person("ana", cadence="daily")
        apply(newsroom.app, SOURCE.format(url=url), name="newsroom.toml")

        async def live() -> None:
            stop = asyncio.Event()
            ticking = asyncio.create_task(keep_ticking(newsroom.app, stop, tick_s=0.05))
            await until(lambda: len(newsroom.rows(items)) == 1)
            newsroom.clock.now = MONDAY - timedelta(seconds=1)
            await until(lambda: len(newsroom.rows(editions)) >= 2)
            early = len(court.accepted)
            newsroom.clock.now = MONDAY
            await until(lambda: bool(court.accepted))
            stop.set()
            await ticking
            assert early == 0

        asyncio.run(asyncio.wait_for(live(), 60))

        assert court.recipients == ["ana@example.org"]
        names = {str(row["id"]): str(row["state"]) for row in newsroom.rows(editions)}
        assert names["daily-2026-11-23"] == "done"
        assert names["weekly-2026-11-23"] == "open"  # waits for approval


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.02)


def test_a_server_that_keeps_the_sender_waiting_does_not_hold_up_the_next_edition(tmp_path: Path) -> None:
    async def live() -> None:
        asked, released, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await released.wait()
            writer.close()

        async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with open_newsroom(tmp_path, port=port, connections=1) as newsroom:
                newsroom.add_person("ana", cadence="daily")
                newsroom.add_item(released_at=MONDAY - timedelta(hours=1))
                ticking = asyncio.create_task(keep_ticking(newsroom.app, stop, tick_s=0.05))
                await asked.wait()
                newsroom.add_item(released_at=MONDAY + timedelta(hours=1))
                newsroom.clock.forward(days=1)
                await until(lambda: state_of(newsroom, "daily-2026-11-24") == "planned")
                stop.set()
                released.set()
                await ticking

    asyncio.run(asyncio.wait_for(live(), 60))


def state_of(newsroom: Newsroom, edition: str) -> str | None:
    return next((str(row["state"]) for row in newsroom.rows(editions) if row["id"] == edition), None)


async def tick(newsroom: Newsroom) -> None:
    await collect_tick(newsroom.app)
    await edition_tick(newsroom.app)
    await send_tick(newsroom.app, asyncio.Event())


def test_an_edition_that_cannot_be_planned_does_not_keep_others_from_going(tmp_path: Path) -> None:
    with open_court(tmp_path) as court, open_newsroom(tmp_path, port=court.port) as newsroom:
        newsroom.add_person("ana", cadence="daily")
        newsroom.add_item(released_at=MONDAY - timedelta(hours=1))
        asyncio.run(edition_tick(newsroom.app))
        with newsroom.app.database.write() as tx:
            broken = editions.c.digest_id == "weekly"
            tx.execute(editions.update().where(broken).values(state="approved", approved_hash="something else"))

        asyncio.run(tick(newsroom))

        assert court.recipients == ["ana@example.org"]


def test_ticks_change_nothing_when_nothing_is_due(tmp_path: Path) -> None:
    with open_court(tmp_path) as court, open_newsroom(tmp_path, port=court.port) as newsroom:
        newsroom.add_person("ana", cadence="daily")
        newsroom.add_item(released_at=MONDAY - timedelta(hours=1))

        asyncio.run(tick(newsroom))
        before = newsroom.rows(editions), newsroom.rows(deliveries)
        asyncio.run(tick(newsroom))

        assert (newsroom.rows(editions), newsroom.rows(deliveries)) == before
        assert len(court.accepted) == 1
