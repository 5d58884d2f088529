"""APScheduler as a clock, nothing more: it rings. What is due lives in rows, so a missed ring changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from publisher.app import App
from publisher.usecases.service import collect_tick, edition_tick, hub_tick, send_tick

TICK_S = 5.0

Tick = Callable[[], Awaitable[None]]

log = structlog.get_logger()


async def keep_ticking(app: App, stop: asyncio.Event, *, tick_s: float = TICK_S) -> None:
    """Collect and send whatever is due, again and again, until ``stop`` is set; what is under way then ends."""
    ticks: list[Tick] = [
        lambda: collect_tick(app),
        lambda: hub_tick(app),
        lambda: edition_tick(app),
        lambda: send_tick(app, stop),
    ]
    bells = [asyncio.Event() for _ in ticks]
    scheduler = _start_ringing(bells, tick_s)
    loops = [asyncio.create_task(_answer(bell, stop, tick)) for bell, tick in zip(bells, ticks, strict=True)]
    await stop.wait()
    scheduler.shutdown(wait=False)
    for bell in bells:
        bell.set()
    await asyncio.gather(*loops)


def _start_ringing(bells: Iterable[asyncio.Event], tick_s: float) -> AsyncIOScheduler:
    async def ring() -> None:
        for bell in bells:
            bell.set()

    scheduler = AsyncIOScheduler(timezone=UTC)
    # A ring that comes late still rings: by default the library drops what is over a second late.
    scheduler.add_job(
        ring, "interval", seconds=tick_s, next_run_time=datetime.now(UTC), coalesce=True, misfire_grace_time=None
    )
    scheduler.start()
    return scheduler


async def _answer(bell: asyncio.Event, stop: asyncio.Event, tick: Tick) -> None:
    while True:
        await bell.wait()
        bell.clear()
        if stop.is_set():
            return
        try:
            await tick()
        except Exception:
            log.exception("tick failed")
