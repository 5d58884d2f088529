"""APScheduler as a clock, nothing more: it rings. What is due lives in rows, so a missed ring changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from publisher.app import App
from publisher.usecases.service import collect_tick, digest_tick

TICK_S = 5.0

log = structlog.get_logger()


async def keep_ticking(app: App, stop: asyncio.Event, *, tick_s: float = TICK_S) -> None:
    """Collect and send whatever is due, again and again, until ``stop`` is set; what is under way then ends."""
    bells = {"collect": asyncio.Event(), "digests": asyncio.Event()}
    scheduler = _start_ringing(bells.values(), tick_s)
    loops = [
        asyncio.create_task(_answer(bells["collect"], stop, lambda: collect_tick(app))),
        asyncio.create_task(_answer(bells["digests"], stop, lambda: digest_tick(app, stop))),
    ]
    await stop.wait()
    scheduler.shutdown(wait=False)
    for bell in bells.values():
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


async def _answer(bell: asyncio.Event, stop: asyncio.Event, tick: Callable[[], Awaitable[None]]) -> None:
    while True:
        await bell.wait()
        bell.clear()
        if stop.is_set():
            return
        try:
            await tick()
        except Exception:
            log.exception("tick failed")
