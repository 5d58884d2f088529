"""Collecting: every due source is read, each entry decided upon, and each source written in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache

import structlog
from sqlalchemy import Connection

from feeds.entries import Document
from feeds.merge import Reading
from publisher.app import App
from publisher.errors import NotFoundError
from publisher.failpoints import passing
from publisher.fetch.fetcher import Fetcher
from publisher.fetch.identity import make_user_agent
from publisher.store.sightings import read_seen_keys
from publisher.store.sources import SourceState, find_source, read_sources
from publisher.usecases.classifying import Classify, load_classifier
from publisher.usecases.collect_report import CollectReport, SourceReport, join_remarks
from publisher.usecases.deciding import Decided, classify_decided, decide_document, write_decided
from publisher.usecases.feed_archives import close_archives
from publisher.usecases.hub_subscriptions import keep_hub
from publisher.usecases.reading import Read, Unread, read_source
from publisher.usecases.source_history import record_failure, record_success
from publisher.usecases.visit import SeenKeys, Visit

log = structlog.get_logger()

SOURCES_AT_ONCE = 10

Progress = Callable[[SourceReport, int], None]
"""Told of each source as it is done, with the number of all."""


def collect(
    app: App,
    source_ids: Sequence[str] | None = None,
    *,
    fetcher: Fetcher | None = None,
    classify: Classify | None = None,
    progress: Progress | None = None,
) -> CollectReport:
    """``collect_due`` for callers that are not async."""
    return asyncio.run(collect_due(app, source_ids, fetcher=fetcher, classify=classify, progress=progress))


async def collect_due(
    app: App,
    source_ids: Sequence[str] | None = None,
    *,
    fetcher: Fetcher | None = None,
    classify: Classify | None = None,
    progress: Progress | None = None,
) -> CollectReport:
    """Collect what is due, or the named sources now. May be repeated: what is known is not new.

    All are read side by side and written one by one in their order, so that the result does not hang on who answers
    first. NotFoundError for an unknown name. A given ``fetcher`` is not entered yet.
    """
    now = app.clock()
    states = await asyncio.to_thread(_choose_sources, app, source_ids, now=now)
    if not states:
        return CollectReport(())
    if classify is None:
        classify = await asyncio.to_thread(_load_classifier, app)
    async with fetcher or Fetcher(make_user_agent(app.config)) as opened:
        visits = [Visit(state, opened, _seen_keys(app), now) for state in states]
        report = await _collect(app, visits, classify=classify, progress=progress)
    await asyncio.to_thread(close_archives, app)
    return report


async def _collect(
    app: App, visits: Sequence[Visit], *, classify: Classify, progress: Progress | None
) -> CollectReport:
    gate = asyncio.Semaphore(SOURCES_AT_ONCE)
    tasks = [asyncio.create_task(_read(visit, gate)) for visit in visits]
    reports: list[SourceReport] = []
    try:
        for visit, task in zip(visits, tasks, strict=True):
            reports.append(await asyncio.to_thread(_keep, app, visit, outcome=await task, classify=classify))
            if progress:
                progress(reports[-1], len(visits))
    finally:
        for task in tasks:
            task.cancel()
    return CollectReport(tuple(reports))


async def _read(visit: Visit, gate: asyncio.Semaphore) -> Read | Unread:
    async with gate:
        return await read_source(visit)


def _choose_sources(app: App, source_ids: Sequence[str] | None, *, now: datetime) -> list[SourceState]:
    with app.database.read() as tx:
        states = read_sources(tx)
    if source_ids is None:
        return [state for state in states if state.is_due(now)]
    known = {state.source.id for state in states}
    unknown = sorted(set(source_ids) - known)
    if unknown:
        raise NotFoundError(
            f"There is no active source {', '.join(unknown)}. There are: {', '.join(sorted(known)) or 'none'}"
        )
    return [state for state in states if state.source.id in source_ids]


def _load_classifier(app: App) -> Classify:
    with app.database.read() as tx:
        return load_classifier(tx)


def _seen_keys(app: App) -> SeenKeys:
    def find(source_id: str, keys: Sequence[str]) -> set[str]:
        with app.database.read() as tx:
            return read_seen_keys(tx, source_id, keys)

    return find


def _keep(app: App, visit: Visit, *, outcome: Read | Unread, classify: Classify) -> SourceReport:
    """Write one source; where that fails nothing of it is written but the attempt, and the other sources go on."""
    try:
        return _write(app, visit, outcome=outcome, classify=classify)
    except Exception as error:
        log.exception("source could not be written", source=visit.source.id)
        problem = f"could not be written ({type(error).__name__}); the log says more. It is tried again later"
    try:
        return _write(app, visit, outcome=Unread(problem), classify=classify)
    except Exception:
        log.exception("attempt could not be written", source=visit.source.id)
        return SourceReport(visit.source.id, "failed", error=problem)


def _write(app: App, visit: Visit, *, outcome: Read | Unread, classify: Classify) -> SourceReport:
    """Write one source in one transaction; what it shows is classified before, outside of it."""
    remembered = cache(classify)
    document = outcome.document if isinstance(outcome, Read) else None
    if document:
        with app.database.read() as tx:
            classify_decided(decide_document(tx, document, _reading(app, visit.state, visit.now)), remembered)
    passing("collect-before-write")
    with app.database.write() as tx:
        state = find_source(tx, visit.source.id)
        if state is None or state.source != visit.source:
            return SourceReport(
                visit.source.id, "failed", error="its settings changed while it was read. Collect again"
            )
        if isinstance(outcome, Unread):
            return record_failure(tx, state, outcome, now=visit.now)
        if outcome.document is None:
            return record_success(
                tx, state, outcome, report=SourceReport(state.source.id, "not-modified"), now=visit.now
            )
        keep_hub(tx, app, state.source, read=outcome, now=visit.now)
        report = _write_document(tx, outcome.document, _reading(app, state, visit.now), classify=remembered)
        return record_success(tx, state, outcome, report=report, now=visit.now)


def _reading(app: App, state: SourceState, now: datetime) -> Reading:
    is_first = state.first_collected_at is None
    return Reading(state.source, state.position, is_first=is_first, now=now, zone=app.config.site.zone)


def _write_document(tx: Connection, document: Document, reading: Reading, *, classify: Classify) -> SourceReport:
    decided = decide_document(tx, document, reading)
    titled = [one for one in decided if one.decision.content.title]
    write_decided(tx, titled, classify_decided(titled, classify), now=reading.now)
    count = Counter(one.decision.status for one in titled)
    remarks = [*document.omissions, *document.remarks, *_remark(decided)]
    return SourceReport(
        reading.source.id,
        "partial" if document.omissions else "ok",
        entries=len(document.entries),
        new=count["new"],
        changed=count["changed"],
        unchanged=count["unchanged"],
        error=join_remarks(remarks),
    )


def _remark(decided: Sequence[Decided]) -> Iterator[str]:
    """What people should know: of entries without a title (no items) or date, and of items that may be one."""
    untitled = [one.group.entry.link for one in decided if not one.decision.content.title]
    if untitled:
        yield f"{len(untitled)} entries without a title were left out, first {untitled[0]}"
    entries = [one.decision.sighting.entry for one in decided]
    undated = [entry for entry in entries if entry.date_text and not entry.given]
    if undated:
        yield f"{len(undated)} dates were not understood or not believed, first {undated[0].date_text!r}"
    doubled = [one.group.entry.link for one in decided if one.group.also]
    if doubled:
        yield f"{len(doubled)} entries lead to several items by their addresses, first {doubled[0]}"
