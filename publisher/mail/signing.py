"""Signing in threads: the operation with the private key lets go of the interpreter, so two of them use two cores."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self

from publisher.config import Config
from publisher.mail.dkim import Signer, load_signer

SLICE = 32
"""Messages signed in one go by one thread: handing a slice over costs some fifty microseconds."""


class SigningPool:
    """An async context manager; ConfigError where messages are to be signed and a key cannot be used.

    Leaving it waits for the slice in hand, some milliseconds, also where the leaving task is cancelled.
    """

    def __init__(self, config: Config, *, workers: int | None = None) -> None:
        self._signer = load_signer(config.dkim) if config.dkim else None
        self._workers = workers or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="signing")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def sign(self, messages: Sequence[bytes], *, are_relaxed: bool = False) -> list[bytes]:
        """The messages in their order, each with its signatures in front; as they are where none is configured.

        ``are_relaxed``: the bodies of all of them are known to be in ``relaxed`` form (``dkim.has_relaxed_body``).
        """
        if self._signer is None:
            return list(messages)
        loop = asyncio.get_running_loop()
        sign = partial(_sign_all, self._signer, is_relaxed=are_relaxed)
        size = max(1, min(SLICE, -(-len(messages) // self._workers)))
        slices = [messages[at : at + size] for at in range(0, len(messages), size)]
        signed = await asyncio.gather(*(loop.run_in_executor(self._threads, sign, part) for part in slices))
        return [message for part in signed for message in part]


def _sign_all(signer: Signer, messages: Sequence[bytes], *, is_relaxed: bool) -> list[bytes]:
    return [signer.sign(message, is_relaxed=is_relaxed) for message in messages]
