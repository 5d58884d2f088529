"""Editions: what is frozen into them, and who approves, pauses and cancels what."""

from dataclasses import replace

import pytest
from edition_steps import HOUR, open_now
from newsroom_app import DAILY, MONDAY, WEEKLY, Newsroom

from publisher.errors import NotFoundError, StateError
from publisher.store import editions as store
from publisher.store.newsroom import put_entry
from publisher.store.schema import editions, items, variants
from publisher.store.schema_dispatch import deliveries
from publisher.usecases.editions import (
    CHANGED,
    approve,
    cancel,
    list_all,
    pause,
    resume,
    void_changed_approval,
)
from publisher.usecases.opening import open_due_editions
from publisher.usecases.planning import plan
from publisher.usecases.rendering import render_variants


def test_an_edition_keeps_its_items_as_they_were(newsroom: Newsroom) -> None:
    number = newsroom.add_item(released_at=MONDAY - HOUR, title="As it was")
    edition = open_now(newsroom)

    with newsroom.app.database.write() as tx:
        tx.execute(items.update().where(items.c.id == number).values(title="Rewritten"))

    with newsroom.app.database.read() as tx:
        assert store.read_frozen_items(tx, edition.id)[0].item.title == "As it was"


def test_an_automatic_digest_approves_itself_and_a_required_one_waits(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)

    opened = {edition.digest_id: edition for edition in open_due_editions(newsroom.app)}

    assert (opened["daily"].state, opened["daily"].approved_by) == ("approved", "automatic")
    assert (opened["weekly"].state, opened["weekly"].approved_by) == ("open", None)


def test_approving_records_who_and_twice_changes_nothing(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)

    done = approve(newsroom.app, edition.id, actor="ada")
    newsroom.clock.forward(hours=1)

    assert (done.state, done.approved_by, done.approved_at) == ("approved", "ada", MONDAY)
    assert approve(newsroom.app, edition.id, actor="bo") == done


def test_content_that_changed_after_approval_is_not_planned_until_it_is_approved_again(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)
    approve(newsroom.app, edition.id, actor="ada")
    newsroom.put_digest(WEEKLY | {"title": {"en": "Renamed"}})

    with pytest.raises(StateError, match="is not approved"):
        plan(newsroom.app, edition.id)

    assert newsroom.rows(deliveries) == []
    assert [(one.state, one.outcome) for one in list_all(newsroom.app)] == [("open", "held: waiting for approval")]
    approve(newsroom.app, edition.id, actor="ada")
    assert plan(newsroom.app, edition.id) == 1


def test_an_automatic_digest_approves_changed_content_itself(newsroom: Newsroom) -> None:
    newsroom.add_person("ana", cadence="daily")
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom, "daily")
    newsroom.put_digest(DAILY | {"title": {"en": "Renamed"}}, 1)

    assert plan(newsroom.app, edition.id) == 1


def test_an_approval_of_another_content_counts_for_nothing(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)
    with newsroom.app.database.write() as tx:
        tx.execute(editions.update().values(state="approved", approved_hash="of something else"))

    with pytest.raises(StateError, match="digest approve"):
        plan(newsroom.app, edition.id)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("site", {"postal_address": "2 Quay Street"}),
        ("site", {"languages": ("en",)}),
        ("site", {"timezone": "UTC"}),
        ("mail", {"sender": "Somebody Else <news@harbour.example>"}),
        ("mail", {"reply_to": "desk@harbour.example"}),
    ],
)
def test_a_changed_site_or_sender_voids_an_approval_too(
    newsroom: Newsroom, table: str, change: dict[str, object]
) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)
    approve(newsroom.app, edition.id, actor="ada")
    config = newsroom.app.config
    changed = config.model_copy(update={table: getattr(config, table).model_copy(update=change)})

    void_changed_approval(replace(newsroom.app, config=changed), edition.id)

    assert list_all(newsroom.app)[0].state == "open"


@pytest.mark.parametrize(
    ("kind", "code", "state"),
    [("themes", "asylum", "open"), ("regions", "africa", "open"), ("themes", "trafficking", "approved")],
)
def test_a_new_title_of_a_theme_or_region_that_readers_see_voids_an_approval(
    newsroom: Newsroom, kind: str, code: str, state: str
) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR, themes=("asylum",), regions=("africa",))
    edition = open_now(newsroom)
    approve(newsroom.app, edition.id, actor="ada")
    with newsroom.app.database.write() as tx:
        put_entry(tx, kind, {"id": code, "title": {"en": "Something else"}}, position=0)

    void_changed_approval(newsroom.app, edition.id)

    assert list_all(newsroom.app)[0].state == state


def test_a_title_changed_after_planning_is_not_rendered_until_it_is_approved(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    name = newsroom.plan_edition()
    newsroom.put_digest(WEEKLY | {"title": {"en": "Renamed"}})

    with pytest.raises(StateError, match=f"publisher digest approve {name}"):
        render(newsroom, name)
    (held,) = list_all(newsroom.app)
    assert (held.state, held.outcome) == ("planned", CHANGED)
    assert not any(row["page"] for row in newsroom.rows(variants))

    approved = approve(newsroom.app, name, actor="bo")

    assert (approved.state, approved.approved_by, approved.outcome) == ("planned", "bo", None)
    assert render(newsroom, name) == []
    assert all(row["page"] for row in newsroom.rows(variants))


def test_a_title_changed_back_goes_on_without_a_new_approval(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    name = newsroom.plan_edition()
    newsroom.put_digest(WEEKLY | {"title": {"en": "Renamed"}})
    with pytest.raises(StateError):
        render(newsroom, name)

    newsroom.put_digest(WEEKLY)

    assert render(newsroom, name) == []


def test_what_is_rendered_stays_as_it_was_approved_whatever_is_renamed(newsroom: Newsroom) -> None:
    newsroom.add_person("ana")
    newsroom.add_item(released_at=MONDAY - HOUR)
    name = newsroom.plan_edition()
    render(newsroom, name)
    before = newsroom.rows(variants)
    newsroom.put_digest(WEEKLY | {"title": {"en": "Renamed"}})

    assert render(newsroom, name) == []
    assert newsroom.rows(variants) == before


def test_an_automatic_digest_renamed_after_planning_goes_on(newsroom: Newsroom) -> None:
    newsroom.add_person("ana", cadence="daily")
    newsroom.add_item(released_at=MONDAY - HOUR)
    name = newsroom.plan_edition("daily")
    newsroom.put_digest(DAILY | {"title": {"en": "Renamed"}}, 1)

    assert render(newsroom, name) == []
    assert list_all(newsroom.app)[0].is_approved


def render(newsroom: Newsroom, name: str) -> list[store.Variant]:
    return render_variants(newsroom.app, name, stop=lambda: False)


def test_approving_a_paused_edition_leaves_it_paused_and_says_so(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)
    pause(newsroom.app, edition.id, actor="bo")

    approved = approve(newsroom.app, edition.id, actor="ada")

    assert (approved.state, approved.outcome) == ("approved", "held: paused by bo")
    assert resume(newsroom.app, edition.id).outcome is None


def test_pausing_and_resuming_leaves_the_outcome_as_it_was(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)

    assert pause(newsroom.app, edition.id, actor="ada").outcome == "held: paused by ada"
    assert resume(newsroom.app, edition.id).outcome == "held: waiting for approval"


def test_what_is_cancelled_stays_cancelled(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - HOUR)
    edition = open_now(newsroom)
    cancel(newsroom.app, edition.id, actor="ada")

    for act in (
        lambda: approve(newsroom.app, edition.id, actor="ada"),
        lambda: plan(newsroom.app, edition.id),
        lambda: pause(newsroom.app, edition.id, actor="ada"),
        lambda: resume(newsroom.app, edition.id),
        lambda: cancel(newsroom.app, edition.id, actor="ada"),
    ):
        with pytest.raises(StateError, match="cancelled"):
            act()


@pytest.mark.parametrize("name", ["weekly-2026-11-23", "", "x" * 500, "'; drop table editions"])
def test_an_unknown_edition_is_refused_with_a_remedy(newsroom: Newsroom, name: str) -> None:
    with pytest.raises(NotFoundError, match="publisher digest list"):
        approve(newsroom.app, name, actor="ada")
