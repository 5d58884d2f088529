"""``publisher demo``: site, mailbox, web, scheduler and sender in one process and one temporary folder."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from publisher.app import Clock, utc_now
from publisher.demo.clock import DemoClock, choose_start
from publisher.demo.content import load_newsroom
from publisher.demo.mailbox import Mailbox, listen
from publisher.demo.pages import demo_web_app
from publisher.demo.past import live_through_past
from publisher.demo.setting import HOST, SITE_PATH, make_config, set_up
from publisher.demo.stage import Stage
from publisher.errors import ConfigError
from publisher.scheduler import keep_ticking
from publisher.web.server import bind, serve

TICK_S = 1.0

SET_UP_BEFORE = timedelta(days=60)
"""Everybody has subscribed before the first edition of the past."""

FASTEST_HOURS_PER_SECOND = 24.0

Tell = Callable[[str], None]


async def run_demo(*, port: int, hours_per_second: float, tell: Tell, today: Clock = utc_now) -> None:
    """Show everything until SIGTERM or Ctrl-C, and leave nothing behind. Port 0 picks a free one.

    ``tell`` gets a line for each step, then the addresses. ConfigError where the port is taken or the speed makes no
    sense.
    """
    _check_speed(hours_per_second)
    stop = _stop_on_signals()
    start = choose_start(today())
    clock, mailbox = DemoClock(start - SET_UP_BEFORE, time.monotonic), Mailbox()
    with _bind(port) as sock, TemporaryDirectory(prefix="publisher-demo-") as folder:
        async with listen(mailbox, clock, host=HOST) as smtp_port:
            ports = {"port": sock.getsockname()[1], "smtp_port": smtp_port}
            app = set_up(make_config(load_newsroom().organisation, Path(folder), **ports), clock)
            with closing(app.database):
                stage = Stage(app, clock, mailbox, start, hours_per_second, asyncio.Event())
                await _show(stage, sock, stop=stop, tell=tell)
    tell("Stopped cleanly; nothing of the demo is left.")


async def _show(stage: Stage, sock: socket.socket, *, stop: asyncio.Event, tell: Tell) -> None:
    serving = asyncio.create_task(serve(demo_web_app(stage), sock, stop))
    serving.add_done_callback(lambda _: stop.set())
    try:
        await live_through_past(stage.app, stage.clock, start=stage.start, stop=stop, tell=tell)
        if not stop.is_set():
            stage.clock.run(stage.hours_per_second)
            stage.is_ready.set()
            tell(_describe(stage))
            await keep_ticking(stage.app, stop, tick_s=TICK_S)
    finally:
        stop.set()
        await serving


def _describe(stage: Stage) -> str:
    url = stage.app.config.site.base_url
    return f"""
The demo is ready: {url}/

  web site   {url}{SITE_PATH}/
  feeds      {url}/feeds/
  staff      {url}/staff/
  mailbox    {url}/mailbox/

Its clock began on {stage.start:%d %B} and runs {stage.hours_per_second:g} h a second. Ctrl-C ends it."""


def _check_speed(hours_per_second: float) -> None:
    if not 0 < hours_per_second <= FASTEST_HOURS_PER_SECOND:
        raise ConfigError(
            f"--speed {hours_per_second:g} is not a speed. Use more than 0 and at most {FASTEST_HOURS_PER_SECOND:g}"
        )


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _bind(port: int) -> socket.socket:
    remedy = "Choose another: publisher demo --port 8001"
    if not 0 <= port <= 65_535:
        raise ConfigError(f"Port {port} does not exist. {remedy}")
    try:
        return bind(HOST, port)
    except ConfigError as error:
        raise ConfigError(f"Port {port} of {HOST} cannot be used. {remedy}") from error
