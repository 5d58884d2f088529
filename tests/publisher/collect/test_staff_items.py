"""Items for staff: listing, showing, and corrections that last."""

import sqlite3
from contextlib import closing
from datetime import date
from typing import Any

import pytest
from local_web import Web
from newsroom_steps import feed, items, listing, quick, rows, set_up, story

from feeds.classify import ItemText, Taxonomy
from feeds.criteria import Criteria
from feeds.model import Classification
from publisher.app import App
from publisher.errors import ConfigError, NotFoundError
from publisher.store.database import insert_new
from publisher.store.items import select_items
from publisher.store.schema import item_versions, themes
from publisher.taxonomy import load_taxonomy
from publisher.usecases.classifying import Classify, _compile
from publisher.usecases.collect import collect
from publisher.usecases.items import correct_item, list_items, reclassify_items, show_item


@pytest.fixture
def newsroom(app: App, web: Web) -> App:
    set_up(app, listing(web))
    put_stories(web)
    quick(app)
    return app


def put_stories(web: Web, *, first: str = "Human trafficking in Moldova") -> None:
    stories = (
        story("a", title=first, date="1 March 2026", summary="Apply by 4 April 2026."),
        story("b", title="Asylum seekers in Ghana", date="2 March 2026"),
        story("c", title="A new chair", date="3 March 2026"),
    )
    web.put("/news/", f"<ul>{''.join(stories)}</ul>")


def id_of(app: App, name: str) -> int:
    return next(item.id for item in items(app) if item.url.endswith(f"/{name}"))


def test_items_are_listed_with_the_newest_first(newsroom: App, web: Web) -> None:
    listed = list_items(newsroom)

    assert [item["date"] for item in listed] == ["2026-03-03", "2026-03-02", "2026-03-01"]
    assert listed[2] == {
        "id": id_of(newsroom, "a"),
        "url": f"{web.url}/a",
        "title": "Human trafficking in Moldova",
        "summary": "Apply by 4 April 2026.",
        "date": "2026-03-01",
        "date_source": "source",
        "language": "en",
        "themes": ["trafficking"],
        "primary_theme": "trafficking",
        "regions": listed[2]["regions"],
        "countries": ["MD"],
        "kind": listed[2]["kind"],
        "sources": ["news"],
        "withdrawn_at": None,
    }


def test_a_list_may_be_cut_by_day_and_number(newsroom: App) -> None:
    assert len(list_items(newsroom, since=date(2026, 3, 2))) == 2
    assert len(list_items(newsroom, since=date(2026, 3, 2), limit=1)) == 1
    assert len(list_items(newsroom, limit=2)) == 2


@pytest.mark.parametrize(
    "criteria",
    [
        Criteria.of(),
        Criteria.of(["trafficking"]),
        Criteria.of(["trafficking", "asylum"]),
        Criteria.of(["general"]),
        Criteria.of([], ["africa"]),
        Criteria.of(["asylum"], ["africa"]),
        Criteria.of(["trafficking"], ["africa"]),
        Criteria.of(kinds=["call"]),
        Criteria.of(kinds=["news", "call"]),
        Criteria.of(language="en"),
        Criteria.of(language="fr"),
    ],
)
def test_the_database_selects_what_the_criteria_mean(newsroom: App, web: Web, criteria: Criteria) -> None:
    web.put(
        "/fr", '{"version": "https://jsonfeed.org/version/1.1", "items": [{"url": "/f", "title": "Asile au Ghana"}]}'
    )
    set_up(newsroom, feed(web, "fr", language="fr-CH"))
    quick(newsroom, ["fr"])
    correct_item(newsroom, id_of(newsroom, "c"), "regions", value="global", actor="ann")

    with newsroom.database.read() as tx:
        selected = select_items(tx, criteria=criteria)
        everything = select_items(tx)

    assert [item.id for item in selected] == [item.id for item in everything if criteria.is_met_by(item)]


def test_an_item_is_shown_with_what_proves_its_labels(newsroom: App) -> None:
    shown = show_item(newsroom, id_of(newsroom, "a"))

    assert {"label": "country:MD", "text": "Moldova"} in shown["matches"]
    assert shown["deadline"] == "2026-04-04"
    assert shown["corrections"] == {}


def test_a_correction_wins_over_the_rules_at_once(newsroom: App, clock: Any) -> None:
    clock.forward(hours=1)

    shown = correct_item(newsroom, id_of(newsroom, "a"), "themes", value="asylum;trafficking", actor="ann")

    assert (shown["themes"], shown["primary_theme"]) == (["asylum", "trafficking"], "trafficking")
    assert shown["corrections"] == {"themes": ["asylum", "trafficking"]}
    assert items(newsroom)[0].updated_at == clock.now


def test_corrections_survive_collecting_again(newsroom: App, web: Web) -> None:
    item_id = id_of(newsroom, "a")
    correct_item(newsroom, item_id, "title", value="Staff title", actor="ann")
    correct_item(newsroom, item_id, "countries", value="", actor="ann")

    put_stories(web, first="Human trafficking in Georgia")
    quick(newsroom, ["news"])

    shown = show_item(newsroom, item_id)
    assert (shown["title"], shown["countries"]) == ("Staff title", [])


def test_corrections_do_not_stop_other_changes(newsroom: App, web: Web) -> None:
    item_id = id_of(newsroom, "a")
    correct_item(newsroom, item_id, "kind", value="event", actor="ann")

    put_stories(web, first="Asylum in Georgia")
    quick(newsroom, ["news"])

    shown = show_item(newsroom, item_id)
    assert (shown["title"], shown["kind"], shown["countries"]) == ("Asylum in Georgia", "event", ["GE"])


def test_the_same_correction_twice_changes_once(newsroom: App) -> None:
    item_id = id_of(newsroom, "b")

    for _ in range(2):
        correct_item(newsroom, item_id, "title", value="New title", actor="ann")

    assert len(rows(newsroom, item_versions)) == 1


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("themes", "cooking", "themes: 'cooking' is unknown. Use one of: "),
        ("countries", "Moldova", "countries: 'Moldova' is unknown"),
        ("day", "2026-01-01", "'day' cannot be corrected"),
    ],
)
def test_a_wrong_correction_is_refused_and_changes_nothing(newsroom: App, field: str, value: str, problem: str) -> None:
    before = list_items(newsroom)

    with pytest.raises(ConfigError, match=problem):
        correct_item(newsroom, id_of(newsroom, "a"), field, value=value, actor="ann")

    assert list_items(newsroom) == before


def test_an_item_that_is_not_there_is_said(newsroom: App) -> None:
    with pytest.raises(NotFoundError, match="no item 999"):
        show_item(newsroom, 999)
    with pytest.raises(NotFoundError, match="no item 999"):
        correct_item(newsroom, 999, "kind", value="news", actor="ann")


def test_classifying_anew_by_the_same_rules_changes_nothing(newsroom: App) -> None:
    assert reclassify_items(newsroom) == 0


def while_others_write(app: App) -> Classify:
    """A classifier that fails inside a transaction that writes."""

    def classify(text: ItemText) -> Classification:
        with closing(sqlite3.connect(str(app.database.file), timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        return Classification(kind="call")

    return classify


def test_others_may_write_while_items_are_classified_anew(newsroom: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.usecases.items.RENEWED_AT_ONCE", 2)
    monkeypatch.setattr("publisher.usecases.items.load_classifier", lambda _: while_others_write(newsroom))

    assert reclassify_items(newsroom) == 3
    assert {item.classification.kind for item in items(newsroom)} == {"call"}


def test_rules_that_change_meanwhile_are_not_overruled_by_the_older_ones(
    newsroom: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = items(newsroom)

    def change_rules(_: ItemText) -> Classification:
        with newsroom.database.write() as tx:
            tx.execute(insert_new(themes).values(id="boats", position=1, rule={"id": "boats"}))
        return Classification(kind="call")

    monkeypatch.setattr("publisher.usecases.items.load_classifier", lambda _: change_rules)

    assert reclassify_items(newsroom) == 0
    assert items(newsroom) == before


def test_others_may_write_while_the_rules_are_compiled_for_a_correction(
    newsroom: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compile_rules(*rules: Any, **options: Any) -> Taxonomy:
        while_others_write(newsroom)(ItemText("", "", date(2026, 3, 1), "en"))
        return load_taxonomy(*rules, **options)

    _compile.cache_clear()
    monkeypatch.setattr("publisher.usecases.classifying.load_taxonomy", compile_rules)

    corrected = correct_item(newsroom, id_of(newsroom, "a"), "kind", value="call", actor="ann")

    assert corrected["kind"] == "call"


def test_others_may_write_while_new_items_are_classified(app: App, web: Web) -> None:
    set_up(app, listing(web))
    put_stories(web)

    report = collect(app, classify=while_others_write(app))

    assert (report.new, report.has_failed) == (3, False)
