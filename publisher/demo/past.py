"""The month before the demo begins, lived through quickly: collections, editions, a correction."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from publisher.app import App
from publisher.demo.clock import DemoClock
from publisher.errors import CollectError
from publisher.store.newsroom import list_digests
from publisher.usecases.collect import collect_due
from publisher.usecases.items import correct_item, list_items
from publisher.usecases.opening import open_edition
from publisher.usecases.planning import plan
from publisher.usecases.sending import send
from subscribers.schedule import Digest, previous_slot, slot_before

PAST_EDITIONS = {"daily": 4, "weekly": 3, "monthly": 1}

CORRECTED_STORY = "voluntary-return-tunis-abidjan"
"""The rules read it as development; staff know better."""

COLLECT = "collect"
CORRECT = "correct"

_COLLECTED_BEFORE = timedelta(hours=2)
_CORRECTED_BEFORE = timedelta(days=13)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """Something that happened: a collection, the correction, or the edition of a digest."""

    at: datetime
    what: str
    """COLLECT, CORRECT or the id of a digest."""


def plan_past(digests: Sequence[Digest], start: datetime, *, zone: ZoneInfo) -> list[Step]:
    """What happened before ``start``, in its order.

    News is collected each day before editions are cut. The first collection lies before the first window: what the
    site shows then is in no edition.
    """
    windows = [(digest.id, *window) for digest in digests for window in _windows(digest, start, zone)]
    first = min(opens for _, opens, _ in windows) - _COLLECTED_BEFORE
    return sorted(
        [
            *(Step(first + timedelta(days=day), COLLECT) for day in range((start - first).days + 1)),
            *(Step(closes, digest_id) for digest_id, _, closes in windows),
            Step(start - _CORRECTED_BEFORE, CORRECT),
        ]
    )


async def live_through_past(app: App, clock: DemoClock, *, start: datetime, stop: asyncio.Event, tell: Tell) -> None:
    """Put the clock to each step and do it, until ``stop`` is set; the clock stands at ``start`` then."""
    with app.database.read() as tx:
        digests = [one.digest for one in list_digests(tx)]
    steps = plan_past(digests, start, zone=app.config.site.zone)
    tell(f"Collecting the news of {(start - steps[0].at).days} days …")
    for step in steps:
        if stop.is_set():
            return
        clock.put(step.at)
        await _do(app, step.what, stop=stop, tell=tell)
    clock.put(start)


def _windows(digest: Digest, start: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    closes = slot_before(digest, start, zone)
    for _ in range(PAST_EDITIONS[digest.cadence]):
        opens = previous_slot(digest, closes, zone)
        yield opens, closes
        closes = opens


async def _do(app: App, what: str, *, stop: asyncio.Event, tell: Tell) -> None:
    match what:
        case "collect":
            await _collect(app)
        case "correct":
            await asyncio.to_thread(_correct, app)
        case digest_id:
            await _publish(app, digest_id, stop=stop, tell=tell)


async def _collect(app: App) -> None:
    report = await collect_due(app)
    failures = [f"{source.id}: {source.error}" for source in report.sources if source.has_failed]
    if failures:
        raise CollectError(f"The demo's own site could not be collected: {'; '.join(failures)}")


def _correct(app: App) -> None:
    item = next(item for item in list_items(app) if item["url"].endswith(CORRECTED_STORY))
    correct_item(app, item["id"], "themes", value="irregular-return", actor="demo staff")


async def _publish(app: App, digest_id: str, *, stop: asyncio.Event, tell: Tell) -> None:
    edition = await asyncio.to_thread(open_edition, app, digest_id)
    if edition.state != "approved":
        tell(f"Opened {edition.id}: {edition.outcome}")
        return
    planned = await asyncio.to_thread(plan, app, edition.id)
    tell(f"Sending {edition.id}, messages: {planned} …")
    await send(app, edition.id, stop=stop)
