"""Signing in threads: the operation with a private key lets go of the interpreter, so that other cores do it.

Only digests go to the threads: the octets of a message are hashed where they were just written and are near.
"""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from publisher.config import Config
from publisher.mail.dkim import Prepared, Signer, finish, load_signer

SLICE = 32
"""Messages signed in one go by one thread: handing a slice over costs some fifty microseconds."""

Signatures = tuple[bytes, ...]


class SigningPool:
    """An async context manager; ConfigError where messages are to be signed and a key cannot be used.

    Leaving it waits for the slice in hand, some milliseconds, also where the leaving task is cancelled.
    """

    def __init__(self, config: Config, *, workers: int | None = None) -> None:
        self._signer = load_signer(config.dkim) if config.dkim else None
        # One core is left to the loop, which makes and carries the messages: a further thread gets in its way.
        self._workers = workers or max(1, (os.cpu_count() or 1) - 1)
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="signing")

    @property
    def is_signing(self) -> bool:
        """Whether messages are to be signed at all."""
        return self._signer is not None

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
        size = max(1, min(SLICE, -(-len(messages) // self._workers)))
        prepared: list[Prepared] = []
        jobs: list[asyncio.Future[list[Signatures]]] = []
        for at in range(0, len(messages), size):
            part = [self._signer.prepare(message, is_relaxed=are_relaxed) for message in messages[at : at + size]]
            jobs.append(asyncio.get_running_loop().run_in_executor(self._threads, _sign_all, self._signer, part))
            prepared += part
        signatures = [one for part in await asyncio.gather(*jobs) for one in part]
        return list(map(finish, prepared, signatures))


def _sign_all(signer: Signer, prepared: Sequence[Prepared]) -> list[Signatures]:
    return [signer.sign_digests(one.digests) for one in prepared]
