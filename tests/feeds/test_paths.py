from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.criteria import Criteria
from feeds.model import KINDS
from feeds.paths import FORMATS, Address, KnownCodes, Redirect, name_of, parse_path, path_of

THEMES = ("asylum", "border", "general", "labour")
REGIONS = ("africa", "asia", "global")
LANGUAGES = ("en", "fr", "ru")
KNOWN = KnownCodes(THEMES, REGIONS, LANGUAGES)


@pytest.mark.parametrize(
    ("criteria", "path"),
    [
        (Criteria.of(), "/feeds/all/all.atom"),
        (Criteria.of(language="fr"), "/feeds/fr/all.atom"),
        (Criteria.of(["asylum"]), "/feeds/all/theme/asylum.atom"),
        (Criteria.of([], ["africa"], language="ru"), "/feeds/ru/region/africa.atom"),
        (Criteria.of(["asylum"], ["africa"], language="fr"), "/feeds/fr/theme/asylum/region/africa.atom"),
        (Criteria.of(["border", "asylum"]), "/feeds/all/mix.atom?theme=asylum&theme=border"),
        (Criteria.of(kinds=["call"], language="en"), "/feeds/en/mix.atom?kind=call"),
        (
            Criteria.of(["asylum"], ["asia", "africa"], kinds=["event", "call"]),
            "/feeds/all/mix.atom?kind=call&kind=event&region=africa&region=asia&theme=asylum",
        ),
    ],
)
def test_each_criteria_has_one_address(criteria: Criteria, path: str) -> None:
    # when
    address = path_of(criteria, "atom")
    # then
    assert address == path
    assert parse(address) == Address(criteria, "atom")


@pytest.mark.parametrize(
    ("given_path", "canonical"),
    [
        ("/feeds/all/mix.rss?theme=border&theme=asylum", "/feeds/all/mix.rss?theme=asylum&theme=border"),
        ("/feeds/all/mix.rss?theme=asylum&kind=call", "/feeds/all/mix.rss?kind=call&theme=asylum"),
        ("/feeds/all/mix.rss?theme=asylum&theme=border&theme=asylum", "/feeds/all/mix.rss?theme=asylum&theme=border"),
        ("/feeds/fr/mix.json?theme=asylum", "/feeds/fr/theme/asylum.json"),
        ("/feeds/fr/mix.json?theme=asylum&region=asia", "/feeds/fr/theme/asylum/region/asia.json"),
        ("/feeds/fr/mix.json?theme=asylum&theme=*", "/feeds/fr/all.json"),
        ("/feeds/fr/mix.json", "/feeds/fr/all.json"),
        ("/feeds/all/mix.atom?kind=call&", "/feeds/all/mix.atom?kind=call"),
        ("/feeds/all/mix.atom?kind=call&utm_source=x", "/feeds/all/mix.atom?kind=call"),
        ("/feeds/all/mix.atom?kind=%63all", "/feeds/all/mix.atom?kind=call"),
        ("/feeds/all/all.atom?theme=asylum", "/feeds/all/all.atom"),
        ("/feeds/all/theme/asylum.atom?nocache=1", "/feeds/all/theme/asylum.atom"),
    ],
)
def test_another_spelling_redirects_to_the_one_address(given_path: str, canonical: str) -> None:
    # when
    answer = parse(given_path)
    # then
    assert answer == Redirect(canonical)
    assert isinstance(parse(canonical), Address)


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/all/all.pdf",
        "/feeds/all/all",
        "/feeds/all/all.ATOM",
        "/feeds/de/all.atom",
        "/feeds/all.atom",
        "/feeds/all/theme/unknown.atom",
        "/feeds/all/theme/africa.atom",
        "/feeds/all/region/asylum.atom",
        "/feeds/all/theme/asylum/region/unknown.atom",
        "/feeds/all/region/africa/theme/asylum.atom",
        "/feeds/all/theme/asylum/.atom",
        "/feeds/all/theme/.atom",
        "/feeds/all/kind/call.atom",
        "/feeds/all/mix.atom?theme=unknown",
        "/feeds/all/mix.atom?theme=",
        "/feeds/all/mix.atom?kind=%FF",
        "/feeds/all/../all.atom",
        "/feeds//all.atom",
        "/other/all/all.atom",
        "/feeds/all/mix.atom?" + "&".join(["theme=asylum"] * 500),
    ],
)
def test_what_is_unknown_has_no_feed(path: str) -> None:
    assert parse(path) is None


def test_a_code_with_odd_characters_keeps_its_address() -> None:
    # given
    known = KnownCodes({"a&b", "ö/ü"}, {"x y"}, LANGUAGES)
    mix = Criteria.of(["a&b", "ö/ü"], ["x y"])
    # when
    path = path_of(mix, "json")
    # then
    parts = urlsplit(path)
    assert parse_path(parts.path, parts.query, known=known) == Address(mix, "json")


def test_the_name_of_a_feed_is_the_same_in_every_format() -> None:
    assert name_of(Criteria.of(["asylum"], language="fr")) == "feeds/fr/theme/asylum"
    assert name_of(Criteria.of(kinds=["call"])) == "feeds/all/mix?kind=call"


CRITERIA = st.builds(
    lambda themes, regions, kinds, language: Criteria.of(themes, regions, kinds=kinds, language=language),
    st.sets(st.sampled_from(THEMES)),
    st.sets(st.sampled_from(REGIONS)),
    st.sets(st.sampled_from(KINDS)),
    st.sampled_from((None, *LANGUAGES)),
)


@given(CRITERIA, st.sampled_from(FORMATS))
def test_every_address_leads_back_to_its_criteria(criteria: Criteria, form: str) -> None:
    assert parse(path_of(criteria, form)) == Address(criteria, form)


@given(st.one_of(st.text(), st.text().map("/feeds/all/{}.atom".format)), st.text())
def test_no_path_or_query_is_an_error(path: str, query: str) -> None:
    answer = parse_path(path, query, known=KNOWN)
    assert answer is None or isinstance(answer, Address | Redirect)


@given(
    st.lists(st.tuples(st.sampled_from(["theme", "region", "kind", "x"]), st.sampled_from([*THEMES, *REGIONS, "*"])))
)
def test_a_redirect_leads_to_a_feed_at_once(pairs: list[tuple[str, str]]) -> None:
    # given
    query = "&".join(f"{axis}={value}" for axis, value in pairs)
    # when
    answer = parse_path("/feeds/all/mix.rss", query, known=KNOWN)
    # then
    if isinstance(answer, Redirect):
        assert isinstance(parse(answer.location), Address)


def parse(path: str) -> Address | Redirect | None:
    parts = urlsplit(path)
    return parse_path(parts.path, parts.query, known=KNOWN)
