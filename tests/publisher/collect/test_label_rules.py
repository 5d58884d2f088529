"""The organisation's own rules reach the items that are there."""

import pytest
from local_web import Web
from newsroom_steps import items, listing, quick, set_up, story

from publisher.app import App
from publisher.usecases import newsroom
from publisher.usecases.newsroom import apply

FERRIES = """
[[themes]]
id = "ferries"
title = { en = "Ferries" }
terms = { en = ["ferry", "ferries"] }
"""


@pytest.fixture
def app_with_ferry(app: App, web: Web) -> App:
    set_up(app, listing(web))
    web.put("/news/", f"<ul>{story('a', title='A new ferry to the isles', date='1 March 2026')}</ul>")
    quick(app)
    return app


def themes_of(app: App) -> tuple[str, ...]:
    (item,) = items(app)
    return item.classification.themes


def test_items_are_classified_by_a_rule_as_soon_as_it_is_applied(app_with_ferry: App) -> None:
    before = themes_of(app_with_ferry)

    apply(app_with_ferry, FERRIES, name="n")
    own = themes_of(app_with_ferry)
    apply(app_with_ferry, "", name="n", prunes=True)

    assert "ferries" not in before
    assert own == ("ferries",)
    assert themes_of(app_with_ferry) == before


def test_an_apply_that_was_ended_before_it_classified_is_made_good_by_the_next(
    app_with_ferry: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_: App) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(newsroom, "reclassify_items", end)
    with pytest.raises(KeyboardInterrupt):
        apply(app_with_ferry, FERRIES, name="n")
    monkeypatch.undo()
    assert "ferries" not in themes_of(app_with_ferry)

    assert apply(app_with_ferry, FERRIES, name="n") == []
    assert themes_of(app_with_ferry) == ("ferries",)


def test_items_are_not_classified_anew_where_the_rules_are_the_same(
    app_with_ferry: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(app_with_ferry, FERRIES, name="n")
    monkeypatch.setattr(newsroom, "reclassify_items", lambda _: pytest.fail("not needed"))

    apply(app_with_ferry, FERRIES, name="n")
