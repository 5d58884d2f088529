"""Imports on a real database: good lines go in, bad ones are told, rights only shrink."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people import (
    ANA,
    ANA_DAILY,
    CONSENT_AT,
    HEADER,
    NOON,
    active_wishes,
    counts,
    dump,
    link_of,
    make_config,
    run_import,
)

from feeds.criteria import Criteria
from publisher.app import App, build_app
from publisher.store.subscribers import suppress_address
from publisher.usecases.subscribers import (
    export_subscribers,
    import_subscribers,
    read_lines,
    show_subscriber,
)
from publisher.usecases.unsubscribe import unsubscribe
from subscribers.tokens import address_hash

EXAMPLES = Path(__file__).parents[3] / "../shared/examples"


def test_an_import_adds_people_with_their_subscription_and_consent(app: App) -> None:
    report = run_import(app, ANA)

    record = show_subscriber(app, "ANA@Example.org")
    [subscription], [consent] = record.subscriptions, record.consents
    assert counts(report) == (1, 0, 0, 0)
    assert (record.subscriber.name, record.subscriber.status) == ("Ana Kovač", "confirmed")
    assert (subscription.cadence, subscription.criteria) == ("weekly", Criteria.of(["asylum"]))
    assert (subscription.covered_from, subscription.created_at) == (CONSENT_AT, NOON)
    assert (consent.what, consent.how, consent.at, consent.actor) == ("imported", "form", CONSENT_AT, "import")


def test_good_lines_go_in_and_bad_ones_are_reported_with_their_number(app: App) -> None:
    report = run_import(app, ANA, "broken", ANA.replace("ana@", "ben@").replace("asylum", "fishing"), ANA_DAILY)

    assert counts(report) == (1, 1, 0, 2)
    assert [problem.line for problem in report.problems] == [3, 4]
    assert active_wishes(app, "ana@example.org") == {
        ("weekly", "theme=asylum&region=*&kind=*&language=*"),
        ("daily", "theme=asylum&region=*&kind=*&language=*"),
    }


def test_importing_a_file_again_changes_nothing(app: App) -> None:
    lines = (ANA, ANA_DAILY, ANA.replace("ana@", "egon@").replace("confirmed", "unconfirmed"), ANA)
    run_import(app, *lines)
    before = dump(app)

    report = run_import(app, *lines)

    assert counts(report) == (0, 0, 4, 0)
    assert dump(app) == before


def test_spellings_of_one_address_are_one_subscriber(app: App) -> None:
    lines = [
        ANA.replace("ana@example.org", spelling) for spelling in ("ana@bücher.example", "Ana@XN--BCHER-KVA.example")
    ]

    report = run_import(app, *lines)

    assert counts(report) == (1, 0, 1, 0)


def test_a_line_that_says_unsubscribed_unsubscribes_whatever_its_place(app: App) -> None:
    gone = ANA.replace("confirmed", "unsubscribed")

    run_import(app, ANA, ANA_DAILY, gone, ANA, ANA.replace("asylum", "*"))
    run_import(app, gone.replace("ana@", "ben@"), ANA.replace("ana@", "ben@"))

    for address in ("ana@example.org", "ben@example.org"):
        record = show_subscriber(app, address)
        assert record.subscriber.status == "unsubscribed"
        assert not active_wishes(app, address)
        assert [event.what for event in record.consents].count("unsubscribed") == 1


def test_suppressed_people_stay_suppressed_and_out(app: App) -> None:
    run_import(app, ANA)
    with app.database.write() as tx:
        for key, subscriber_id in (("ana@example.org", 1), ("ben@example.org", None)):
            hashed = address_hash(app.secret, key)
            suppress_address(tx, hashed, subscriber_id=subscriber_id, reason="bounce", now=NOON)
    before = dump(app)

    report = run_import(app, ANA_DAILY, ANA.replace("ana@", "Ben@"), ANA.replace("Kovač", "K."))

    assert counts(report) == (0, 0, 3, 0)
    assert report.held_back == 3
    assert dump(app) == before


def test_unsubscribed_and_unconfirmed_people_are_not_confirmed_by_an_import(app: App) -> None:
    run_import(app, ANA, ANA.replace("ana@", "egon@").replace("confirmed", "unconfirmed"))
    unsubscribe(app, link_of(app, "ana@example.org"), scope="all")

    report = run_import(app, ANA, ANA_DAILY, ANA.replace("ana@", "egon@"))

    assert counts(report) == (0, 0, 3, 0)
    assert report.held_back == 3
    assert show_subscriber(app, "ana@example.org").subscriber.status == "unsubscribed"
    assert show_subscriber(app, "egon@example.org").subscriber.status == "unconfirmed"


def test_a_digest_that_somebody_left_does_not_come_back_by_an_import(app: App) -> None:
    run_import(app, ANA, ANA_DAILY)
    unsubscribe(app, link_of(app, "ana@example.org"), scope="digest")

    report = run_import(app, ANA, ANA_DAILY, ANA.replace("asylum", "*"))

    assert (counts(report), report.held_back) == ((0, 0, 3, 0), 2)
    assert {cadence for cadence, _ in active_wishes(app, "ana@example.org")} == {"daily"}


def test_a_corrected_name_language_or_zone_is_taken_over(app: App) -> None:
    run_import(app, ANA)

    report = run_import(app, ANA.replace("Kovač,en", "Kovačić,fr").replace("Vienna", "Paris"))

    person = show_subscriber(app, "ana@example.org").subscriber
    assert counts(report) == (0, 1, 0, 0)
    assert (person.name, person.language, person.timezone) == ("Ana Kovačić", "fr", "Europe/Paris")


def test_more_lines_than_one_transaction_takes_are_all_there_and_told_as_they_go(app: App) -> None:
    lines = [f"{HEADER}\n".encode()]
    lines += [ANA.replace("ana@", f"a{number // 2}@").encode() + b"\n" for number in range(1200)]
    told: list[int] = []

    report = import_subscribers(app, lines, actor="import", progress=told.append)

    assert counts(report) == (600, 0, 600, 0)
    assert told == [501, 1001, 1201]


def test_an_unusable_header_is_reported_and_nothing_goes_in(app: App) -> None:
    report = import_subscribers(app, [b"mail,name\n", ANA.encode()], actor="import")

    assert counts(report) == (0, 0, 0, 1)
    assert "unknown column 'mail'" in report.problems[0].text


def test_an_endless_line_is_cut_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"a" * 1_000_000 + b"\nshort\n" + b"b" * 16_385)

    with path.open("rb") as file:
        lengths = [len(line) for line in read_lines(file)]

    assert lengths == [16_385, 6, 16_385]


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the shared examples are not here")
def test_the_example_file_goes_in_whole_and_comes_out_as_it_was(app: App) -> None:
    original = (EXAMPLES / "subscribers.csv").read_bytes()

    report = import_subscribers(app, original.splitlines(keepends=True), actor="import")

    exported = "".join(export_subscribers(app)).replace("\r\n", "\n")
    assert counts(report) == (7, 0, 0, 0)
    assert exported == original.decode().replace("\r\n", "\n")


addresses = st.sampled_from(["ana@example.org", "ANA@example.org", "ben@example.org"])
good_lines = st.builds(
    lambda address, cadence, theme, status: (
        ANA.replace("ana@example.org", address)
        .replace("weekly", cadence)
        .replace("asylum", theme)
        .replace("confirmed", status)
    ),
    addresses,
    st.sampled_from(["weekly", "daily"]),
    st.sampled_from(["asylum", "*"]),
    st.sampled_from(["confirmed", "unconfirmed", "unsubscribed"]),
)
any_lines = st.lists(
    good_lines.map(str.encode) | st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")), max_size=8
)


@settings(max_examples=40, deadline=None)
@given(any_lines)
def test_no_line_is_lost_and_a_second_import_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    app = build_app(make_config(tmp_path_factory.mktemp("import")), clock=lambda: NOON)
    file = [f"{HEADER}\n".encode(), *(line + b"\n" for line in lines)]

    first = import_subscribers(app, file, actor="import")
    before = dump(app)
    second = import_subscribers(app, file, actor="import")

    blank = sum(1 for line in lines if not line.strip(b", \r'\""))
    assert len(lines) - blank <= sum(counts(first)) <= len(lines)
    assert (second.added, second.updated) == (0, 0)
    assert dump(app) == before
    app.database.close()
