"""What is exported is harmless in a spreadsheet and reads back as it was."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.criteria import Criteria
from feeds.text import clean_text
from subscribers.exporting import export_row, neutralise, restore, write_csv
from subscribers.importing import ImportRow, ImportRules, read_rows
from subscribers.model import Consent, Subscriber, Subscription

CONSENT_AT = datetime(2026, 1, 10, 9, tzinfo=UTC)
IMPORTED_AT = datetime(2026, 2, 1, tzinfo=UTC)
ANA = Subscriber(1, "ana@example.org", "Ana Kovač", "en", "Europe/Vienna", "confirmed", IMPORTED_AT)
WEEKLY = Subscription(
    1, 1, Criteria.of(["labour", "asylum"]), "weekly", created_at=IMPORTED_AT, covered_from=CONSENT_AT
)
IMPORTED = Consent(CONSENT_AT, "imported", "form", "", "en", "import")
RULES = ImportRules(["asylum", "labour"], ["africa"], ["en"], ["Europe/Vienna"], IMPORTED_AT)


def test_a_line_holds_the_person_the_wish_and_the_consent() -> None:
    header, line = write_csv([export_row(ANA, WEEKLY, [IMPORTED])])

    assert header == "email,name,language,cadence,themes,regions,timezone,status,consent_source,consent_at\r\n"
    assert line == (
        "ana@example.org,Ana Kovač,en,weekly,asylum;labour,*,Europe/Vienna,confirmed,form,2026-01-10T09:00:00Z\r\n"
    )


def test_who_is_suppressed_stands_there_as_unsubscribed() -> None:
    _, line = write_csv([export_row(ANA, WEEKLY, [IMPORTED], is_suppressed=True)])

    assert ",unsubscribed,form," in line


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+43 1", "'+43 1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("'=1", "''=1"),
        ("Ana", "Ana"),
        ("'Ana'", "'Ana'"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_cells_that_a_spreadsheet_would_run_are_neutralised(cell: str, safe: str) -> None:
    assert neutralise(cell) == safe
    assert restore(safe) == cell


@given(st.text())
def test_every_cell_is_restored_as_it_was(cell: str) -> None:
    assert restore(neutralise(cell)) == cell
    assert not neutralise(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(max_size=60).map(lambda text: clean_text(text, 200)), st.sampled_from(["*", "asylum", "labour"]))
def test_a_line_reads_back_as_what_was_exported(name: str, theme: str) -> None:
    person = Subscriber(1, "+ana@example.org", name, "en", "Europe/Vienna", "confirmed", IMPORTED_AT)
    wanted = Subscription(1, 1, Criteria.of([theme]), "weekly", created_at=IMPORTED_AT, covered_from=CONSENT_AT)

    lines = [line.encode() for line in write_csv([export_row(person, wanted, [IMPORTED])])]
    [row] = read_rows(lines, RULES)

    assert isinstance(row, ImportRow)
    assert (row.address.email, row.name, row.criteria) == (person.email, person.name, wanted.criteria)
    assert (row.consent_source, row.consent_at) == ("form", CONSENT_AT)


def test_a_subscription_is_written_with_the_consent_it_began_with_else_the_latest() -> None:
    later = Consent(CONSENT_AT + timedelta(days=9), "confirmed", "link", "", "en", "subscriber")
    ended = Consent(CONSENT_AT + timedelta(days=10), "unsubscribed", "link: all", "", "en", "subscriber")
    moved = Subscription(2, 1, Criteria(), "daily", created_at=IMPORTED_AT, covered_from=IMPORTED_AT)

    assert export_row(ANA, WEEKLY, [IMPORTED, later, ended]).consent_source == "form"
    assert export_row(ANA, moved, [IMPORTED, later, ended]).consent_source == "link"
    assert export_row(ANA, WEEKLY, []).consent_at is None


def test_an_import_without_a_moment_of_consent_does_not_claim_one() -> None:
    undated = Subscription(1, 1, Criteria(), "weekly", created_at=IMPORTED_AT, covered_from=IMPORTED_AT)
    event = Consent(IMPORTED_AT, "imported", "form", "", "en", "import")

    row = export_row(ANA, undated, [event])

    assert (row.consent_source, row.consent_at) == ("form", None)
