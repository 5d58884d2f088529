"""Ending well: SIGTERM and Ctrl-C ask for an end, and what is under way comes to its own."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def run_until_signal(start: Callable[[asyncio.Event], Coroutine[Any, Any, _Result]]) -> _Result:
    """Run what ``start`` makes of an event that the first signal sets; a second Ctrl-C ends the process at once."""

    async def run() -> _Result:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def end() -> None:
            stop.set()
            loop.remove_signal_handler(signal.SIGINT)

        loop.add_signal_handler(signal.SIGINT, end)
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        return await start(stop)

    return asyncio.run(run())
