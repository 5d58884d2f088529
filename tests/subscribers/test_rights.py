"""An import brings in strangers; of people who are known it only takes rights away."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.criteria import Criteria
from subscribers.addresses import Address
from subscribers.importing import ImportRow
from subscribers.rights import ImportChange, Profile, Rights, Wish, decide_import

MOMENT = datetime(2026, 1, 10, 9, tzinfo=UTC)
PROFILE = Profile("Ana", "en", "UTC")
ALL_WEEKLY = Wish(Criteria(), "weekly")
ALL_DAILY = Wish(Criteria(), "daily")
ASYLUM_WEEKLY = Wish(Criteria.of(["asylum"]), "weekly")
UNCHANGED = ImportChange("unchanged")
HELD_BACK = ImportChange("unchanged", was_held_back=True)


def line(status: str, wish: Wish = ALL_WEEKLY, *, name: str = "Ana", language: str = "en") -> ImportRow:
    address = Address("ana@example.org", "ana@example.org")
    return ImportRow(2, address, name, language, "UTC", status, wish.cadence, wish.criteria, "form", MOMENT)


def known(status: str, *active: Wish, ended: tuple[Wish, ...] = (), is_suppressed: bool = False) -> Rights:
    return Rights(status, PROFILE, is_suppressed, frozenset(active), frozenset(ended))


@pytest.mark.parametrize(
    ("rights", "row", "change"),
    [
        # strangers
        (Rights(), line("confirmed"), ImportChange("added", PROFILE, ALL_WEEKLY)),
        (Rights(), line("unconfirmed"), ImportChange("added", PROFILE, ALL_WEEKLY)),
        (Rights(), line("unsubscribed"), ImportChange("added", PROFILE, ALL_WEEKLY, unsubscribes=True)),
        (Rights(is_suppressed=True), line("confirmed"), HELD_BACK),
        (Rights(is_suppressed=True), line("unsubscribed"), UNCHANGED),
        # confirmed people
        (known("confirmed", ALL_WEEKLY), line("confirmed"), UNCHANGED),
        (known("confirmed", ALL_WEEKLY), line("confirmed", ALL_DAILY), ImportChange("updated", wish=ALL_DAILY)),
        (known("confirmed", ALL_WEEKLY), line("confirmed", ASYLUM_WEEKLY), ImportChange("updated", wish=ASYLUM_WEEKLY)),
        (known("confirmed", ALL_WEEKLY), line("unconfirmed", ALL_DAILY), UNCHANGED),
        (known("confirmed", ALL_WEEKLY), line("unsubscribed"), ImportChange("updated", unsubscribes=True)),
        (known("confirmed", ALL_WEEKLY), line("unsubscribed", ALL_DAILY), ImportChange("updated", unsubscribes=True)),
        (
            known("confirmed", ALL_WEEKLY),
            line("confirmed", language="fr"),
            ImportChange("updated", Profile("Ana", "fr", "UTC")),
        ),
        (known("confirmed", ALL_WEEKLY), line("confirmed", name=""), UNCHANGED),
        # what ended does not begin again
        (known("confirmed", ALL_WEEKLY, ended=(ALL_DAILY,)), line("confirmed", ALL_DAILY), HELD_BACK),
        (known("confirmed", ALL_DAILY, ended=(ALL_WEEKLY,)), line("confirmed", ASYLUM_WEEKLY), HELD_BACK),
        (known("confirmed", ASYLUM_WEEKLY, ended=(ALL_WEEKLY,)), line("confirmed", ALL_WEEKLY), HELD_BACK),
        # unconfirmed people stay so
        (
            known("unconfirmed", ALL_WEEKLY),
            line("confirmed"),
            HELD_BACK,
        ),
        (known("unconfirmed", ALL_WEEKLY), line("unconfirmed", ALL_DAILY), ImportChange("updated", wish=ALL_DAILY)),
        (known("unconfirmed", ALL_WEEKLY), line("unsubscribed"), ImportChange("updated", unsubscribes=True)),
        # the unsubscribed, suppressed and erased stay so
        (known("unsubscribed", ended=(ALL_WEEKLY,)), line("confirmed"), HELD_BACK),
        (known("unsubscribed", ended=(ALL_WEEKLY,)), line("confirmed", ALL_DAILY, language="fr"), HELD_BACK),
        (known("unsubscribed", ended=(ALL_WEEKLY,)), line("unsubscribed"), UNCHANGED),
        (known("confirmed", ALL_WEEKLY, is_suppressed=True), line("confirmed", ALL_DAILY), HELD_BACK),
        (
            known("confirmed", ALL_WEEKLY, is_suppressed=True),
            line("unsubscribed"),
            ImportChange("updated", unsubscribes=True),
        ),
        (known("erased"), line("confirmed"), HELD_BACK),
    ],
)
def test_what_a_line_changes(rights: Rights, row: ImportRow, change: ImportChange) -> None:
    assert decide_import(rights, row) == change


wishes = st.sets(st.sampled_from([ALL_WEEKLY, ALL_DAILY, ASYLUM_WEEKLY])).map(frozenset)


@given(
    st.builds(
        Rights,
        status=st.sampled_from(["unconfirmed", "unsubscribed", "erased"]),
        profile=st.just(PROFILE),
        is_suppressed=st.booleans(),
        active=wishes,
        ended=wishes,
    )
    | st.builds(known, st.just("confirmed"), st.just(ALL_WEEKLY), is_suppressed=st.just(value=True)),
    st.builds(line, st.just("confirmed"), st.sampled_from([ALL_WEEKLY, ALL_DAILY])),
)
def test_no_line_gives_mail_to_somebody_known_who_may_not_have_it(rights: Rights, row: ImportRow) -> None:
    change = decide_import(rights, row)

    assert change.outcome != "added"
    assert change.wish is None or (rights.status == "unconfirmed" and not rights.is_suppressed)
    assert change.was_held_back
