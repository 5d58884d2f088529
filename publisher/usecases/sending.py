"""Sending an edition, and what happens to it before and after."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from publisher.app import App
from publisher.errors import StoreError
from publisher.store import deliveries as ledger
from publisher.store.editions import count_variants, read_edition
from publisher.store.lock import sender_lock
from publisher.usecases.endings import close_when_done
from publisher.usecases.pump import Progress
from publisher.usecases.sender import FindMore, Sender, begin_sending, end_sending


@dataclass(frozen=True, slots=True)
class SendResult:
    """What an edition's deliveries are after a run of the sender."""

    edition: str
    planned: int
    states: dict[str, int]
    variants: int
    trouble: str | None = None
    """Why the run ended early; what was not begun waits for the next one."""
    next_due_at: datetime | None = None
    """When the first deferred delivery may be tried again."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing failed, nothing is in doubt and the run came to its end."""
        return self.trouble is None and not self.states.keys() & {"failed", "uncertain"}


def send_edition(app: App, edition_id: str, *, start: Callable[[int], Progress] | None = None) -> SendResult:
    """As ``send``, from synchronous code."""
    return asyncio.run(send(app, edition_id, stop=asyncio.Event(), start=start))


async def send(
    app: App, edition_id: str, *, stop: asyncio.Event, start: Callable[[int], Progress] | None = None
) -> SendResult:
    """Send what is due of a planned edition until nothing is left to try now, ``stop`` is set, or the relays fail.

    May be repeated at any time, also after a kill: intents that were left open become ``uncertain`` and are not
    repeated. ``start`` is told how many deliveries are pending and returns what to call with progress.
    SenderBusyError where another process sends.
    """
    (result,) = await send_all(app, [edition_id], stop=stop, start=start)
    return result


async def send_all(
    app: App,
    edition_ids: Sequence[str],
    *,
    stop: asyncio.Event,
    start: Callable[[int], Progress] | None = None,
    find_more: FindMore | None = None,
) -> list[SendResult]:
    """As ``send``, several editions side by side. ``find_more`` is asked at once, and now and then, for others.

    What is wrong with one of these editions is logged and keeps none of the others.
    """
    with sender_lock(app.database):
        run = await asyncio.to_thread(begin_sending, app)
        sender = Sender(run, stop, find_more)
        try:
            await sender.send(edition_ids, start=start or (lambda _pending: _ignore))
        except StoreError:  # a disk that failed is not written to again; the next run takes over
            raise
        except BaseException:
            await asyncio.to_thread(end_sending, run)
            raise
        await asyncio.to_thread(end_sending, run)
        return [await asyncio.to_thread(_end_edition, app, name, sender.troubles.get(name)) for name in sender.seen]


def _end_edition(app: App, edition_id: str, trouble: str | None) -> SendResult:
    close_when_done(app, edition_id, trouble)
    return read_result(app, edition_id, trouble)


def read_result(app: App, edition_id: str, trouble: str | None = None) -> SendResult:
    """The figures of an edition, counted from its rows."""
    with app.database.read() as tx:
        read_edition(tx, edition_id)
        states = ledger.count_states(tx, edition_id)
        return SendResult(
            edition=edition_id,
            planned=sum(states.values()),
            states=states,
            variants=count_variants(tx, edition_id),
            trouble=trouble,
            next_due_at=ledger.next_due_at(tx, edition_id),
        )


def _ignore(settled: int) -> None:
    """No progress is wanted."""
