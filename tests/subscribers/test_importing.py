"""Each line of a file is a row or a problem that says what to do."""

import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.criteria import Criteria
from subscribers.importing import ImportRow, ImportRules, LineProblem, read_rows

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RULES = ImportRules(
    themes=("asylum", "labour", "general"),
    regions=("africa", "eu-west"),
    languages=("en", "fr"),
    timezones={"UTC", "Europe/Vienna"},
    now=NOW,
)
COLUMNS = ("email", "name", "language", "cadence", "themes", "regions", "timezone", "status", "consent_source")
HEADER = ",".join([*COLUMNS, "consent_at"]).encode() + b"\n"
GOOD = b"ana@example.org,Ana,en,weekly,asylum;labour,*,Europe/Vienna,confirmed,form,2026-01-10T09:00:00Z"


def read(*lines: bytes, header: bytes = HEADER) -> list[ImportRow | LineProblem]:
    return list(read_rows([header, *lines], RULES))


def read_one(line: bytes) -> ImportRow:
    [row] = read(line)
    assert isinstance(row, ImportRow)
    return row


def replace_cell(column: str, value: str) -> bytes:
    place = [*COLUMNS, "consent_at"].index(column)
    cells = GOOD.decode().split(",")
    return ",".join([*cells[:place], value, *cells[place + 1 :]]).encode()


def test_a_good_line_is_a_row() -> None:
    row = read_one(GOOD + b"\r\n")

    assert row.line == 2
    assert row.address.key == "ana@example.org"
    assert (row.name, row.language, row.timezone, row.cadence) == ("Ana", "en", "Europe/Vienna", "weekly")
    assert row.criteria == Criteria(themes=("asylum", "labour"))
    assert (row.status, row.consent_source) == ("confirmed", "form")
    assert row.consent_at == datetime(2026, 1, 10, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "header",
    [
        b"\xef\xbb\xbf" + HEADER,
        HEADER.replace(b"\n", b"\r\n"),
        HEADER.upper(),
        HEADER.replace(b",", b" , "),
        b'"email"' + HEADER.removeprefix(b"email"),
    ],
)
def test_a_header_may_have_a_byte_order_mark_capitals_blanks_and_quotes(header: bytes) -> None:
    [row] = read(GOOD, header=header)

    assert isinstance(row, ImportRow)


def test_columns_may_stand_in_any_order() -> None:
    header = b"consent_at,status,consent_source,timezone,regions,themes,cadence,language,name,email\n"
    line = b"2026-01-10T09:00:00Z,confirmed,form,UTC,*,*,daily,fr,Ana,ana@example.org"

    [row] = read(line, header=header)

    assert isinstance(row, ImportRow)
    assert (row.address.email, row.cadence, row.language) == ("ana@example.org", "daily", "fr")


def test_semicolons_separate_columns_where_the_header_says_so() -> None:
    line = GOOD.replace(b"asylum;labour", b'"asylum/labour"').replace(b",", b";").replace(b"/labour", b";labour")

    [row] = read(line, header=HEADER.replace(b",", b";"))

    assert isinstance(row, ImportRow)
    assert row.criteria.themes == ("asylum", "labour")


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (b"", "column email is missing"),
        (HEADER.replace(b"name", b"colour"), "unknown column 'colour'. Columns are: email,"),
        (HEADER.replace(b"name", b"email"), "column email stands twice"),
        (HEADER.replace(b",consent_at", b""), "column consent_at is missing"),
        (HEADER.replace(b",", b"\t"), "unknown column"),
        (HEADER.decode().encode("utf-16"), "UTF-16. Save it as CSV in UTF-8"),
        (b"\xff\n", "byte 1 is not UTF-8"),
        (b'"email,name\n', "not CSV"),
    ],
)
def test_a_header_that_cannot_be_used_is_one_problem_and_nothing_is_read(header: bytes, text: str) -> None:
    [problem] = read(GOOD, GOOD, header=header)

    assert isinstance(problem, LineProblem)
    assert problem.line == 1
    assert text in problem.text
    assert problem.text.endswith("Nothing was imported")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (GOOD + b",more", "11 cells instead of 10. Quote cells that hold ','"),
        (b"ana@example.org,Ana", "2 cells instead of 10"),
        (replace_cell("email", "ana@"), "'ana@' is not a mail address"),
        (replace_cell("email", ""), "'' is not a mail address"),
        (replace_cell("language", "de"), "language 'de' is unknown. Known: en, fr"),
        (replace_cell("cadence", "hourly"), "cadence 'hourly' is unknown. Known: immediate, daily, weekly, monthly"),
        (replace_cell("themes", "asylum;fishing"), "themes 'fishing' is unknown. Known: *, asylum"),
        (replace_cell("themes", ""), "themes is empty. Write * for all of them"),
        (replace_cell("regions", "mars"), "regions 'mars' is unknown"),
        (replace_cell("regions", ";"), "regions is empty"),
        (replace_cell("timezone", "Vienna"), "timezone 'Vienna' is unknown. Use a name like Europe/Vienna"),
        (replace_cell("timezone", "../../etc/passwd"), "timezone '../../etc/passwd' is unknown"),
        (replace_cell("status", "erased"), "status 'erased' is unknown. Known: confirmed, unconfirmed, unsubscribed"),
        (replace_cell("consent_at", ""), "confirmed without consent_source and consent_at"),
        (replace_cell("consent_source", ""), "confirmed without consent_source and consent_at"),
        (replace_cell("consent_at", "10.1.2026"), "Write it like 2026-01-10T09:00:00Z"),
        (replace_cell("consent_at", "2026-01-10T09:00:00"), "is not a moment with a zone"),
        (replace_cell("consent_at", "0001-01-01T00:00:00+14:00"), "is not a moment with a zone"),
        (replace_cell("consent_at", "2027-01-10T09:00:00Z"), "lies in the future"),
        (replace_cell("consent_at", "0206-01-10T09:00:00Z"), "lies in the distant past"),
        (replace_cell("name", "x" * 201), "name is longer than 200 characters"),
        (replace_cell("name", "x" * 20_000), "the line is longer than 16,384 bytes"),
        (GOOD.replace(b"Ana", b"An\xe4"), "byte 19 is not UTF-8"),
        (GOOD.replace(b"Ana", b'"Ana'), "not CSV"),
        (GOOD.replace(b"Ana", b'"Ana" K'), "not CSV"),
    ],
)
def test_a_bad_line_is_a_problem_between_good_ones(line: bytes, text: str) -> None:
    before, problem, after = read(GOOD, line, GOOD)

    assert isinstance(before, ImportRow)
    assert isinstance(after, ImportRow)
    assert isinstance(problem, LineProblem)
    assert problem.line == 3
    assert text in problem.text
    assert problem.text.isprintable()


def test_blank_lines_are_passed_over_but_counted() -> None:
    row, problem = read(b"\r\n", GOOD, b",,,,,,,,,\n", b"   \n", b"x\n")

    assert (row.line, problem.line) == (3, 6)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('"Dóra ""D."" Nagy"', 'Dóra "D." Nagy'),
        ('"Nagy, Dóra"', "Nagy, Dóra"),
        ("Чыңгыз", "Чыңгыз"),
        ("'=1+1", "=1+1"),
        ("''=1+1", "'=1+1"),
        ("'Ana'", "'Ana'"),
        ("A\u202ena\x07", "Ana"),
        ("A\0na\x1b[31m", "Ana[31m"),
        ("<b>Ana</b>", "<b>Ana</b>"),
    ],
)
def test_names_are_kept_without_quotes_guards_and_control_characters(written: str, name: str) -> None:
    assert read_one(replace_cell("name", written)).name == name


@pytest.mark.parametrize("status", ["unconfirmed", "unsubscribed"])
def test_who_is_not_confirmed_needs_no_consent(status: str) -> None:
    line = f"egon@example.org,,en,weekly,*,*,UTC,{status},,"

    assert read_one(line.encode()).consent_at is None


@given(st.lists(st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"") + b"\n"), max_size=8))
def test_any_bytes_give_one_value_per_line_that_is_not_blank(lines: list[bytes]) -> None:
    found = read(*lines)

    blank = {number for number, line in enumerate(lines, start=2) if not line.strip(b", \r\n'\"")}
    numbers = [one.line for one in found]
    assert numbers == sorted(set(numbers))
    assert set(range(2, len(lines) + 2)) - blank <= set(numbers)
    list(read_rows(lines, RULES))


mangled = st.builds(
    lambda place, junk: GOOD[:place] + junk + GOOD[place + len(junk) :],
    st.integers(min_value=0, max_value=len(GOOD)),
    st.binary(max_size=6).map(lambda raw: raw.replace(b"\n", b"")),
)


@given(mangled)
def test_a_mangled_line_is_a_row_or_a_problem(line: bytes) -> None:
    assert len(read(line)) == 1


def test_memory_stays_flat_over_a_long_file() -> None:
    lines = (HEADER if number == 0 else b"x%d@example.org\n" % number for number in range(20_000))

    tracemalloc.start()
    count = sum(1 for _ in read_rows(lines, RULES))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 19_999
    assert peak < 1_000_000
