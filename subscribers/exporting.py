"""Subscribers as CSV, in the columns that the import reads."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from subscribers.model import Consent, Subscriber, Subscription

COLUMNS = (
    "email",
    "name",
    "language",
    "cadence",
    "themes",
    "regions",
    "timezone",
    "status",
    "consent_source",
    "consent_at",
)

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One line: a subscription with the consent it rests on."""

    subscriber: Subscriber
    subscription: Subscription
    consent_source: str
    consent_at: datetime | None
    is_suppressed: bool = False
    """Whether the person is never to be mailed, whatever the status says."""


def write_csv(rows: Iterable[ExportRow]) -> Iterator[str]:
    """The lines of the file, header first, each with its line end (CRLF, RFC 4180)."""
    yield _line(COLUMNS)
    for row in rows:
        yield _line(neutralise(cell) for cell in _cells(row))


def export_row(
    person: Subscriber, subscription: Subscription, events: Sequence[Consent], *, is_suppressed: bool = False
) -> ExportRow:
    """The line of a subscription, with the consent it began with, else the latest one."""
    given = [event for event in events if event.what in ("imported", "confirmed")]
    event = next((event for event in given if event.at == subscription.covered_from), given[-1] if given else None)
    if event is None:
        return ExportRow(person, subscription, "", None, is_suppressed)
    # What was imported without a moment of consent has that of the import, which is none.
    is_dated = event.what == "confirmed" or event.at != subscription.created_at
    return ExportRow(person, subscription, event.how, event.at if is_dated else None, is_suppressed)


def neutralise(cell: str) -> str:
    """The cell such that a spreadsheet takes it for text: an apostrophe before ``= + - @ TAB CR``.

    A cell that already looks neutralised gets one more, so that ``restore`` always gives back what was there.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def restore(cell: str) -> str:
    """The cell before ``neutralise``."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _cells(row: ExportRow) -> tuple[str, ...]:
    person, wanted = row.subscriber, row.subscription.criteria
    return (
        person.email,
        person.name,
        person.language,
        row.subscription.cadence,
        ";".join(wanted.themes) or "*",
        ";".join(wanted.regions) or "*",
        person.timezone,
        "unsubscribed" if row.is_suppressed else person.status,
        row.consent_source,
        _moment(row.consent_at),
    )


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()
