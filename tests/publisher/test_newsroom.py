"""Applying and exporting the set-up."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from newsroom_app import Newsroom, open_newsroom

from publisher.errors import ConfigError, NotFoundError
from publisher.store.newsroom import list_digests, read_digest
from publisher.store.schema import digests, sources
from publisher.usecases.newsroom import apply, export, read_newsroom_file

SHARED = Path(__file__).parents[2] / "../shared/examples/newsroom.toml"
SOURCE = """
[[sources]]
id = "harbour"
kind = "feed"
url = "https://harbour.example/rss"
language = "en"
every = "30m"
"""
DIGEST = """
[[digests]]
id = "evening"
title = { en = "The Evening", fr = "Le soir" }
cadence = "daily"
at = "18:00"
"""
LABELS = """
[[themes]]
id = "ferries"
title = { en = "Ferries" }
terms = { en = ["ferry", "ferries"] }
"""


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        with newsroom.app.database.write() as tx:
            tx.execute(digests.delete())
        yield newsroom


def put(newsroom: Newsroom, text: str, **options: bool) -> list[tuple[str, str, str]]:
    differences = apply(newsroom.app, text, name="newsroom.toml", **options)
    return [(one.action, one.kind, one.id) for one in differences]


def test_applying_adds_what_is_new_and_then_differs_in_nothing(newsroom: Newsroom) -> None:
    first = put(newsroom, SOURCE + DIGEST)

    assert first == [("add", "sources", "harbour"), ("add", "digests", "evening")]
    assert put(newsroom, SOURCE + DIGEST) == []


def test_a_change_is_told_key_by_key(newsroom: Newsroom) -> None:
    put(newsroom, SOURCE)

    (change,) = apply(newsroom.app, SOURCE.replace("30m", "15m") + 'backlog = "digest"\n', name="n")

    assert (change.action, change.id) == ("change", "harbour")
    assert change.details == ("every: 30m → 15m", "backlog: (none) → digest")


def test_a_dry_run_tells_all_and_changes_nothing(newsroom: Newsroom) -> None:
    put(newsroom, SOURCE)
    before = newsroom.rows(sources), newsroom.rows(digests)

    told = put(newsroom, SOURCE.replace("30m", "1h") + DIGEST, is_dry_run=True)
    told_of_pruning = put(newsroom, DIGEST, is_dry_run=True, prunes=True)

    assert told == [("change", "sources", "harbour"), ("add", "digests", "evening")]
    assert ("end", "sources", "harbour") in told_of_pruning
    assert (newsroom.rows(sources), newsroom.rows(digests)) == before


def test_what_the_file_does_not_name_stays_unless_it_is_pruned(newsroom: Newsroom) -> None:
    put(newsroom, SOURCE + DIGEST)

    assert put(newsroom, SOURCE) == []
    assert put(newsroom, SOURCE, prunes=True) == [("end", "digests", "evening")]
    assert put(newsroom, SOURCE, prunes=True) == []
    with newsroom.app.database.read() as tx:
        assert list_digests(tx) == []
        assert read_digest(tx, "evening").digest.id == "evening"  # its editions can still be read


def test_another_order_of_sources_is_a_change_because_the_earlier_one_wins(newsroom: Newsroom) -> None:
    ferry = SOURCE.replace('"harbour"', '"ferry"')
    put(newsroom, SOURCE + ferry)

    (change,) = apply(newsroom.app, ferry + SOURCE, name="n")

    assert (change.action, change.kind, change.details) == ("order", "sources", ("harbour, ferry → ferry, harbour",))
    assert put(newsroom, ferry + SOURCE) == []
    assert [one["id"] for one in tomllib.loads(export(newsroom.app))["sources"]] == ["ferry", "harbour"]


def test_what_the_file_does_not_name_comes_after_what_it_names(newsroom: Newsroom) -> None:
    first, second, third = (SOURCE.replace('"harbour"', f'"{name}"') for name in ("a", "b", "c"))
    put(newsroom, first + second)

    assert put(newsroom, third) == [("add", "sources", "c")]
    assert {row["id"]: row["position"] for row in newsroom.rows(sources)} == {"c": 0, "a": 1, "b": 2}
    assert put(newsroom, second) == [("order", "sources", "")]
    assert put(newsroom, second) == []
    assert {row["id"]: row["position"] for row in newsroom.rows(sources)} == {"b": 0, "c": 1, "a": 2}


def test_an_entry_in_front_moves_nothing(newsroom: Newsroom) -> None:
    ferry = SOURCE.replace('"harbour"', '"ferry"')
    put(newsroom, SOURCE + DIGEST)

    assert put(newsroom, ferry + SOURCE) == [("add", "sources", "ferry")]
    assert put(newsroom, ferry, prunes=True)[0] == ("end", "sources", "harbour")


def test_a_digest_that_comes_back_keeps_its_number(newsroom: Newsroom) -> None:
    month = DIGEST.replace("evening", "month").replace("daily", "monthly")
    put(newsroom, DIGEST + month)
    put(newsroom, DIGEST, prunes=True)

    assert put(newsroom, month) == [("add", "digests", "month")]
    with newsroom.app.database.read() as tx:
        assert read_digest(tx, "month").number == 2


def test_two_digests_of_one_cadence_are_refused_unless_the_first_is_pruned(newsroom: Newsroom) -> None:
    morning = DIGEST.replace("evening", "morning")
    with pytest.raises(ConfigError, match="evening is daily already"):
        put(newsroom, DIGEST + morning)
    put(newsroom, DIGEST)

    with pytest.raises(ConfigError, match="--prune"):
        put(newsroom, morning)
    assert [row["id"] for row in newsroom.rows(digests)] == ["evening"]
    assert put(newsroom, morning, prunes=True) == [("add", "digests", "morning"), ("end", "digests", "evening")]


def test_what_is_exported_applies_to_another_newsroom_and_exports_the_same(
    newsroom: Newsroom, tmp_path_factory: pytest.TempPathFactory
) -> None:
    put(newsroom, SOURCE + DIGEST + LABELS)
    text = export(newsroom.app)

    assert put(newsroom, text, prunes=True) == []
    with open_newsroom(tmp_path_factory.mktemp("other")) as other:
        put(other, text, prunes=True)
        assert export(other.app) == text


@pytest.mark.skipif(not SHARED.exists(), reason="the shared examples are not here")
def test_the_shared_example_applies_and_comes_back_as_it_was(newsroom: Newsroom) -> None:
    text = read_newsroom_file(SHARED)
    put(newsroom, text)

    assert put(newsroom, text, prunes=True) == []
    assert tomllib.loads(export(newsroom.app)) == tomllib.loads(text)


def test_an_empty_newsroom_exports_a_file_that_applies(newsroom: Newsroom) -> None:
    assert put(newsroom, export(newsroom.app), prunes=True) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[souces]]\nid = 'a'", "souces: unknown key. Known: themes, regions, sources, digests"),
        ("[sources]\nid = 'a'", "sources: write [[sources]]"),
        ("sources = [1]", "sources: write [[sources]]"),
        ("[[digests]]\ncadence = 'daily'", "digests: an entry has no id. Add one"),
        (DIGEST + DIGEST, "digests.evening: stands there twice. Remove one"),
        (DIGEST.replace("daily", "yearly"), "digests.evening.cadence"),
        (SOURCE.replace('"feed"', '"fax"'), "harbour"),
        (SOURCE.replace("https:", "file:"), "harbour"),
        (SOURCE + "every_ = 2026-11-23\n", "harbour"),
        (DIGEST + "at2 = 2026-11-23\n", "digests.evening.at2: unknown key"),
        (DIGEST.replace('"18:00"', "18:00:00"), "digests.evening.at"),
        ("[[digests]", "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_whole_with_key_and_name(newsroom: Newsroom, text: str, words: str) -> None:
    good = LABELS if "id = 'a'" not in text else ""

    with pytest.raises(ConfigError) as raised:
        put(newsroom, good + text if "=" not in text.split("\n", maxsplit=1)[0] else text)

    assert "newsroom.toml" in str(raised.value)
    assert words in str(raised.value)
    assert newsroom.rows(digests) == newsroom.rows(sources) == []


def test_all_faults_of_a_file_are_told_at_once(newsroom: Newsroom) -> None:
    with pytest.raises(ConfigError) as raised:
        put(newsroom, DIGEST.replace("daily", "yearly") + SOURCE.replace('"feed"', '"fax"'))

    assert "evening" in str(raised.value)
    assert "harbour" in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml cannot be read"):
        read_newsroom_file(tmp_path / "nothing.toml")


def test_an_unknown_digest_is_refused_with_those_there_are(newsroom: Newsroom) -> None:
    with newsroom.app.database.read() as tx, pytest.raises(NotFoundError, match="none; see publisher apply"):
        read_digest(tx, "weekly")
