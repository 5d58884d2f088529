"""Subscribers from CSV: each line is a row or a problem, and one bad line does not stop the others.

A record stands on one line. The first line names the columns, in any order, separated by commas or, as spreadsheets of
many countries write it, by semicolons.
"""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from feeds.criteria import Criteria
from feeds.text import clean_text
from subscribers.addresses import Address, parse_address
from subscribers.exporting import COLUMNS, restore
from subscribers.model import CADENCES

MAX_LINE_BYTES = 16_384
MAX_TEXT = 200
"""Characters of a name or a consent source."""

_STATUSES = ("confirmed", "unconfirmed", "unsubscribed")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ImportRules:
    """What the cells of a file may say."""

    themes: Collection[str]
    regions: Collection[str]
    languages: Collection[str]
    timezones: Collection[str]
    now: datetime
    """No consent can be younger."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One line that is understood: a person, what they want, and what they agreed to."""

    line: int
    address: Address
    name: str
    language: str
    timezone: str
    status: str
    """confirmed, unconfirmed or unsubscribed."""
    cadence: str
    criteria: Criteria
    consent_source: str
    consent_at: datetime | None


@dataclass(frozen=True, slots=True)
class LineProblem:
    """What is wrong with one line, and the remedy."""

    line: int
    text: str


def read_rows(lines: Iterable[bytes], rules: ImportRules) -> Iterator[ImportRow | LineProblem]:
    """One value for each line after the header that is not blank, as it is read; nothing is kept.

    A header that cannot be used is one problem, and nothing after it is read.
    """
    numbered = enumerate(lines, start=1)
    try:
        columns = _read_header(next(numbered, (1, b""))[1])
    except ValueError as error:
        yield LineProblem(1, f"{error}. Nothing was imported")
        return
    for number, line in numbered:
        try:
            row = _read_line(line, number, columns=columns, rules=rules)
        except ValueError as error:
            yield LineProblem(number, str(error))
        else:
            if row:
                yield row


@dataclass(frozen=True, slots=True)
class _Columns:
    names: tuple[str, ...]
    delimiter: str


def _read_header(line: bytes) -> _Columns:
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("the file is UTF-16. Save it as CSV in UTF-8")
    text = _decode(line.removeprefix(b"\xef\xbb\xbf"))
    # A semicolon separates columns only where that makes known columns of the whole line.
    delimiter = ";" if "," not in text and ";" in text else ","
    names = tuple(cell.strip().lower() for cell in _split(text, delimiter))
    _check_names(names)
    return _Columns(names, delimiter)


def _check_names(names: tuple[str, ...]) -> None:
    for name in names:
        if name not in COLUMNS:
            raise ValueError(f"unknown column {_shown(name)}. Columns are: {','.join(COLUMNS)}")
        if names.count(name) > 1:
            raise ValueError(f"column {name} stands twice. Remove one")
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise ValueError(f"column {missing[0]} is missing. Columns are: {','.join(COLUMNS)}")


def _read_line(line: bytes, number: int, *, columns: _Columns, rules: ImportRules) -> ImportRow | None:
    cells = [restore(cell.strip(" ")) for cell in _split(_decode(line), columns.delimiter)]
    if not any(cells):
        return None
    if len(cells) != len(columns.names):
        raise ValueError(
            f"{len(cells)} cells instead of {len(columns.names)}. Quote cells that hold {_shown(columns.delimiter)}"
        )
    return _read_cells(dict(zip(columns.names, cells, strict=True)), number, rules)


def _read_cells(cells: Mapping[str, str], number: int, rules: ImportRules) -> ImportRow:
    status = _one_of(cells, "status", _STATUSES)
    consent_source, consent_at = _text(cells, "consent_source"), _consent_at(cells["consent_at"], rules.now)
    if status == "confirmed" and not (consent_source and consent_at):
        raise ValueError("confirmed without consent_source and consent_at. Say how and when the person agreed")
    return ImportRow(
        line=number,
        address=parse_address(cells["email"]),
        name=_text(cells, "name"),
        language=_one_of(cells, "language", rules.languages),
        timezone=_timezone(cells["timezone"], rules.timezones),
        status=status,
        cadence=_one_of(cells, "cadence", CADENCES),
        criteria=Criteria.of(_codes(cells, "themes", rules.themes), _codes(cells, "regions", rules.regions)),
        consent_source=consent_source,
        consent_at=consent_at,
    )


def _decode(line: bytes) -> str:
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"the line is longer than {MAX_LINE_BYTES:,} bytes. Is a quote not closed?")
    try:
        return line.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is not UTF-8. Save the file in UTF-8") from error


def _split(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise ValueError(
            f"not CSV ({error}). A record stands on one line, and quotes inside a cell are doubled"
        ) from error


def _one_of(cells: Mapping[str, str], column: str, known: Collection[str]) -> str:
    value = cells[column].strip()
    if value not in known:
        raise ValueError(f"{column} {_shown(value)} is unknown. Known: {', '.join(known)}")
    return value


def _codes(cells: Mapping[str, str], column: str, known: Collection[str]) -> list[str]:
    codes = [code.strip() for code in cells[column].split(";") if code.strip()]
    if not codes:
        raise ValueError(f"{column} is empty. Write * for all of them")
    for code in codes:
        if code != "*" and code not in known:
            raise ValueError(f"{column} {_shown(code)} is unknown. Known: *, {', '.join(known)}")
    return codes


def _timezone(value: str, known: Collection[str]) -> str:
    if value not in known:
        raise ValueError(f"timezone {_shown(value)} is unknown. Use a name like Europe/Vienna")
    return value


def _text(cells: Mapping[str, str], column: str) -> str:
    if len(cells[column]) > MAX_TEXT:
        raise ValueError(f"{column} is longer than {MAX_TEXT} characters. Shorten it")
    return clean_text(cells[column], MAX_TEXT)


def _consent_at(value: str, now: datetime) -> datetime | None:
    if not value:
        return None
    moment = _moment(value)
    if not _EARLIEST <= moment <= now:
        raise ValueError(
            f"consent_at {_shown(value)} lies in the {'future' if moment > now else 'distant past'}. Correct it"
        )
    return moment


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"consent_at {_shown(value)} is not a moment with a zone. Write it like 2026-01-10T09:00:00Z")


def _shown(value: str) -> str:
    """The cell in ASCII, escaped and not too long: it goes to terminals and reports."""
    return ascii(value) if len(value) <= 40 else f"{value[:40]!a}…"
