"""What an attempt to collect a source means for the next: when it is due, where it is, what it validates by."""

import zlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from publisher.fetch.freshness import DAY_S
from publisher.store.sources import Collection, SourceState, change_source, record_collection
from publisher.usecases.collect_report import SourceReport
from publisher.usecases.reading import Read, Unread

FIRST_RETRY_S = 300
"""After a failure; doubled with each further one, up to a day."""


def record_success(
    tx: Connection, state: SourceState, read: Read, *, report: SourceReport, now: datetime
) -> SourceReport:
    """Keep the attempt and what was learned; the report as it was given."""
    learned: dict[str, Any] = {
        "url": read.response.permanent_url or state.url,
        "failures": 0,
        "first_collected_at": state.first_collected_at or now,
        "next_due_at": now + timedelta(seconds=max(state.source.every_s, read.fresh_s)),
    }
    if report.status != "not-modified":
        learned |= _validators(read, is_complete=report.status == "ok")
    change_source(tx, state.source.id, **learned)
    _record(tx, report, now=now)
    return report


def record_failure(tx: Connection, state: SourceState, unread: Unread, *, now: datetime) -> SourceReport:
    """Keep the attempt, and wait longer before the next; a source that is gone for good is ended."""
    failures = state.failures + 1
    wait_s = max(_back_off_s(state.source.id, failures), unread.retry_after_s)
    change_source(
        tx,
        state.source.id,
        failures=failures,
        next_due_at=now + timedelta(seconds=wait_s),
        ended_at=now if unread.is_gone else None,
    )
    report = SourceReport(state.source.id, "failed", error=unread.error)
    _record(tx, report, now=now)
    return report


def _validators(read: Read, *, is_complete: bool) -> dict[str, str | None]:
    """As the source gave them; none where something was left out, so that all of it is read again."""
    headers = read.response.headers if is_complete else {}
    return {"etag": headers.get("etag"), "last_modified": headers.get("last-modified")}


def _back_off_s(source_id: str, failures: int) -> int:
    """Longer with each failure; up to a tenth more by source, so that not all come back at once."""
    base_s = FIRST_RETRY_S << min(failures - 1, 20)
    jitter_s = base_s * (zlib.crc32(f"{source_id}:{failures}".encode()) % 100) // 1_000
    return min(base_s + jitter_s, DAY_S)


def _record(tx: Connection, report: SourceReport, *, now: datetime) -> None:
    collection = Collection(report.status, report.entries, report.new, report.error)
    record_collection(tx, report.id, collection, now=now)
