"""The decider: what is one item, what it shows, when it is new, changed or mailed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.content import Content
from feeds.dates import GivenDate
from feeds.entries import Entry, entry_from_json, entry_keys, entry_to_json, mark_ambiguous
from feeds.grouping import group_entries
from feeds.merge import Decision, Group, Known, Reading, Sighting, decide, merge_sightings
from feeds.sources import Source

NOW = datetime(2026, 3, 7, 23, 30, tzinfo=UTC)
VIENNA = ZoneInfo("Europe/Vienna")
A = "https://harbour.example/a"
B = "https://harbour.example/b"
DAY = GivenDate(date(2026, 3, 1))
LATER = GivenDate(date(2026, 3, 2))


def source(source_id: str = "news", **changes: object) -> Source:
    return replace(Source(source_id, "feed", "https://harbour.example/feed", "en", 900), **changes)


def reading(of: Source | None = None, *, is_first: bool = False, now: datetime = NOW) -> Reading:
    return Reading(of or source(), 1, is_first=is_first, now=now, zone=VIENNA)


def sighting(entry: Entry, source_id: str = "news", position: int = 1) -> Sighting:
    return Sighting(source_id, position, entry, NOW, is_backlog=False)


def show(*sightings: Sighting) -> Content:
    return merge_sightings(sightings, zone=VIENNA)


def see(entry: Entry, known: Known | None = None, of: Reading | None = None) -> Decision:
    return decide(Group(1 if known else None, entry, ()), known, of or reading())


def known_by(decision: Decision, **corrections: object) -> Known:
    return Known(decision.content, (decision.sighting,), corrections)


# Identity


def items_of(*entries: Entry, owners: dict[str, int] | None = None) -> list[tuple[int | None, int]]:
    groups = group_entries(entries, owners or {}, known={}, source_id="news")
    return [(group.item_id, len(group.keys)) for group in groups]


@pytest.mark.parametrize(
    ("left", "right", "are_one"),
    [
        (Entry(A), Entry(A.replace("https", "http")), True),
        (Entry(A), Entry(A + "/"), True),
        (Entry(A), Entry(B, canonical=A), True),
        (Entry(A, guid="1"), Entry(B, guid="1"), True),
        (Entry(A, guid="1"), Entry(A, guid="2"), True),
        (Entry(A, guid="https://old.example/?p=1"), Entry(B, guid="https://new.example/?p=1"), True),
        (Entry(A + "?id=1"), Entry(A + "?id=2"), False),
        (Entry(A, title="Same title"), Entry(B, title="Same title"), False),
        (Entry(A, guid="https://old.example/"), Entry(B, guid="https://new.example/"), False),
        (Entry("https://harbour.example/", guid="1"), Entry("https://harbour.example/", guid="2"), False),
    ],
)
def test_entries_are_one_item_by_guid_or_address_and_never_by_title(
    left: Entry, right: Entry, *, are_one: bool
) -> None:
    assert len(group_entries([left, right], {}, known={}, source_id="news")) == (1 if are_one else 2)


def test_a_guid_counts_in_its_own_source_only() -> None:
    owners = dict.fromkeys(entry_keys(Entry(A, guid="1"), "other"), 7)

    assert items_of(Entry(B, guid="1"), owners=owners) == [(None, 2)]


def test_the_address_of_an_item_is_known_in_every_source() -> None:
    owners = dict.fromkeys(entry_keys(Entry(A, guid="1"), "other"), 7)

    assert items_of(Entry(A, guid="99"), owners=owners) == [(7, 2)]


def test_where_guid_and_address_are_of_two_items_the_guid_decides_and_no_key_moves() -> None:
    owners = {"guid:news:1": 7, "url:harbour.example/b": 8}

    (group,) = group_entries([Entry(B, guid="1")], owners, known={}, source_id="news")

    assert group.item_id == 7
    assert group.keys == ("guid:news:1",)


def test_within_a_document_what_fails_to_tell_entries_apart_is_no_key() -> None:
    entries = mark_ambiguous(
        [
            Entry(A, guid="all", title="One", canonical=A),
            Entry(B, guid="all", title="Two", canonical=A),
            Entry(B, guid="3", title="Three"),
            Entry(B, guid="4", title="Four"),
        ]
    )

    assert [entry.guid for entry in entries] == ["", "", "3", "4"]
    assert [entry.canonical for entry in entries] == ["", "", "", ""]
    assert len(group_entries(entries, {}, known={}, source_id="news")) == 4


EN = "https://en.harbour.example/"
FR = "https://fr.harbour.example/"


@pytest.mark.parametrize(
    ("first", "later", "are_one"),
    [
        (Entry(A, title="Storm"), Entry(A, title="Storm, corrected"), True),
        (Entry(A, guid="1", title="Storm"), Entry(A, guid="1", title="Storm, corrected"), True),
        (Entry(A, guid="1", title="Storm"), Entry(A, guid="2", title="STORM"), True),
        (Entry(A, guid="1", title="Storm"), Entry(A, guid="2", title="Flood"), False),
        (Entry(A, title="Storm"), Entry(A, guid="2", title="Flood"), True),
        (Entry(A, canonical=B, title="Storm"), Entry(A + "?2", canonical=B, title="Storm"), True),
        (Entry(A, canonical=B, title="Storm"), Entry(A + "?2", canonical=B, title="Flood"), False),
        (Entry(A, canonical=B, title="Storm"), Entry(A), True),
        (Entry(EN + "storm", guid=EN + "?p=1", title="Storm"), Entry(FR + "a", guid=FR + "?p=1", title="Crue"), False),
        (Entry(EN + "storm", guid=EN + "?p=1", title="Storm"), Entry(FR + "a", guid=FR + "?p=1", title="Storm"), True),
    ],
)
def test_a_known_item_is_not_replaced_by_another_that_shares_an_address(
    first: Entry, later: Entry, *, are_one: bool
) -> None:
    owners = dict.fromkeys(entry_keys(first, "news"), 7)

    (group,) = group_entries([later], owners, known={7: known_by(see(first))}, source_id="news")

    assert group.item_id == (7 if are_one else None)
    assert are_one or not group.entry.canonical


def test_another_source_may_title_an_address_its_own_way() -> None:
    first = Entry(A, guid="1", title="Storm")
    known = {7: known_by(see(first, of=reading(source("other"))))}

    (group,) = group_entries(
        [Entry(A, guid="2", title="Flood")], dict.fromkeys(entry_keys(first, "other"), 7), known=known, source_id="news"
    )

    assert group.item_id == 7


def test_guids_that_differ_by_their_site_only_are_two_items_of_one_document() -> None:
    entries = mark_ambiguous(
        [Entry(EN + "a", guid=EN + "?p=12", title="Notice"), Entry(FR + "a", guid=FR + "?p=12", title="Notice")]
    )

    assert len(group_entries(entries, {}, known={}, source_id="news")) == 2


def test_an_entry_whose_keys_lead_to_two_items_says_so() -> None:
    (group,) = group_entries(
        [Entry(A, canonical=B)], {"url:harbour.example/a": 7, "url:harbour.example/b": 8}, known={}, source_id="news"
    )

    assert (group.item_id, group.also) == (8, (7,))


def test_an_item_shown_twice_on_a_page_is_one_with_the_first_word_of_each_thing() -> None:
    (group,) = group_entries([Entry(A, title="Card"), Entry(A, title="Row", given=DAY)], {}, known={}, source_id="news")

    assert (group.entry.title, group.entry.given) == ("Card", DAY)


# Content


def test_each_thing_is_the_first_source_s_that_has_it() -> None:
    first = sighting(Entry(A, title="Short", given=LATER), "zebra", 1)
    second = sighting(Entry(A, title="Long", summary="Words", given=DAY, language="fr"), "ant", 2)

    content = show(second, first)

    assert (content.title, content.summary, content.language, content.day) == ("Short", "Words", "fr", LATER.day)


def test_sources_of_one_position_are_taken_by_name() -> None:
    assert show(sighting(Entry(A, title="Z"), "z"), sighting(Entry(A, title="A"), "a")).title == "A"


def test_a_given_date_wins_over_first_seen() -> None:
    content = show(sighting(Entry(A), "first", 1), sighting(Entry(A, given=DAY), "second", 2))

    assert (content.day, content.date_source) == (DAY.day, "source")
    assert content.published_at == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_date_of_publication_wins_over_one_of_change() -> None:
    changed = Entry(A, given=LATER, is_dated_by_update=True)

    assert show(sighting(changed, "first", 1), sighting(Entry(A, given=DAY), "second", 2)).day == DAY.day


def test_an_item_without_a_date_is_of_the_day_it_was_first_seen_on_in_the_zone_of_the_site() -> None:
    later = replace(sighting(Entry(A), "second"), first_seen_at=NOW + timedelta(days=2))

    content = show(later, sighting(Entry(A)))

    assert (content.day, content.date_source) == (date(2026, 3, 8), "first-seen")
    assert content.published_at == NOW


def test_the_moment_that_a_source_gives_is_kept_with_the_day_of_its_own_zone() -> None:
    given_at = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)

    content = show(sighting(Entry(A, given=GivenDate(date(2026, 3, 1), given_at))))

    assert (content.day, content.published_at) == (date(2026, 3, 1), given_at)


texts = st.sampled_from(["", "one", "two"])
entries = st.builds(
    Entry,
    link=st.sampled_from([A, B]),
    title=texts,
    summary=texts,
    category=texts,
    given=st.sampled_from([None, DAY, LATER]),
    is_dated_by_update=st.booleans(),
)


@given(st.lists(st.tuples(entries, st.integers(0, 2)), min_size=1, max_size=4))
def test_the_order_of_reading_changes_nothing(said: list[tuple[Entry, int]]) -> None:
    sightings = [sighting(entry, f"source-{number}", position) for number, (entry, position) in enumerate(said)]

    assert len({show(*order) for order in permutations(sightings)}) == 1


# Decisions


def test_what_nobody_has_shown_before_is_new() -> None:
    decision = see(Entry(A, title="T"))

    assert decision.status == "new"
    assert decision.content.language == "en"


def test_the_same_again_is_unchanged_and_keeps_the_moment_it_was_first_seen() -> None:
    first = see(Entry(A, title="T"))

    again = see(Entry(A, title="T"), known_by(first), reading(now=NOW + timedelta(days=3)))

    assert again.status == "unchanged"
    assert again.sighting == first.sighting


def test_another_text_is_a_change() -> None:
    decision = see(Entry(A, title="Better"), known_by(see(Entry(A, title="T"))))

    assert (decision.status, decision.content.title) == ("changed", "Better")


def test_another_source_that_adds_nothing_changes_nothing() -> None:
    known = known_by(see(Entry(A, title="T", given=DAY)))

    decision = see(Entry(A, title="Other"), known, replace(reading(source("late")), position=2))

    assert decision.status == "unchanged"
    assert decision.sighting.source_id == "late"


def test_a_date_that_comes_later_replaces_first_seen() -> None:
    decision = see(Entry(A, title="T", given=DAY), known_by(see(Entry(A, title="T"))))

    assert (decision.status, decision.content.date_source) == ("changed", "source")


def test_a_date_that_is_no_longer_given_stays() -> None:
    assert see(Entry(A, title="T"), known_by(see(Entry(A, title="T", given=DAY)))).content.day == DAY.day


def test_the_date_of_a_change_counts_the_first_time_only() -> None:
    first = see(Entry(A, title="T", given=DAY, is_dated_by_update=True))

    again = see(Entry(A, title="T", given=LATER, is_dated_by_update=True), known_by(first))

    assert (first.content.day, again.content.day, again.status) == (DAY.day, DAY.day, "unchanged")


@pytest.mark.parametrize("day", [date(1970, 1, 1), date(2026, 3, 20), date(2999, 1, 1)])
def test_a_date_beyond_belief_is_unknown(day: date) -> None:
    decision = see(Entry(A, title="T", given=GivenDate(day), date_text="printed"))

    assert decision.content.date_source == "first-seen"
    assert decision.sighting.entry.date_text == "printed"


def test_what_an_article_page_gave_once_stays() -> None:
    followed = reading(source(follow=True))
    first = see(Entry(A, title="From the page", canonical=B), None, followed)

    again = see(Entry(A), known_by(first), followed)

    assert again.status == "unchanged"
    assert again.content.title == "From the page"


def test_what_a_source_takes_back_is_gone() -> None:
    decision = see(Entry(A, title="T"), known_by(see(Entry(A, title="T", summary="Wrong"))))

    assert decision.content.summary == ""


def test_the_word_of_staff_stands_when_the_source_changes_its_own() -> None:
    known = replace(known_by(see(Entry(A, title="T", summary="S"))), corrections={"title": "Staff"})
    known = replace(known, content=replace(known.content, title="Staff"))

    decision = see(Entry(A, title="Source", summary="New"), known)

    assert (decision.content.title, decision.content.summary) == ("Staff", "New")
    assert see(Entry(A, title="Source", summary="S"), known).status == "unchanged"


@pytest.mark.parametrize(
    ("is_first", "backlog", "is_mailable"),
    [(True, "feeds", False), (True, "digest", True), (False, "feeds", True), (False, "digest", True)],
)
def test_a_backlog_is_mailed_only_where_its_source_says_so(*, is_first: bool, backlog: str, is_mailable: bool) -> None:
    decision = see(Entry(A, title="T"), None, reading(source(backlog=backlog), is_first=is_first))

    assert decision.is_mailable is is_mailable


def test_what_was_backlog_stays_backlog_when_it_is_seen_again() -> None:
    first = see(Entry(A, title="T"), None, reading(is_first=True))

    assert not see(Entry(A, title="Changed"), known_by(first)).is_mailable


@given(entries)
def test_an_entry_survives_its_json(entry: Entry) -> None:
    assert entry_from_json(entry_to_json(entry)) == entry
