"""Whether an edition is ready: what stands in the way is named, and nothing is changed by looking."""

from datetime import timedelta
from pathlib import Path

import pytest
from newsroom_app import MONDAY, Newsroom, open_newsroom

from feeds.criteria import Criteria
from publisher.errors import NotFoundError, RenderError
from publisher.mail.content import DigestContent, Rendered
from publisher.mail.render import render_variant
from publisher.store.schema import digests, subscribers, variants
from publisher.store.schema_dispatch import deliveries
from publisher.usecases import checking, rendering
from publisher.usecases.checking import EditionCheck, check_edition
from publisher.usecases.editions import approve, cancel, pause
from publisher.usecases.opening import open_edition
from publisher.usecases.planning import plan


def open_with_readers(newsroom: Newsroom) -> str:
    newsroom.add_item(released_at=MONDAY - timedelta(days=2), themes=["asylum"])
    newsroom.add_item(released_at=MONDAY - timedelta(days=1), themes=["trafficking"])
    newsroom.add_people(["ana", "ben"])
    newsroom.add_person("cleo", language="fr")
    newsroom.add_person("dora", Criteria.of(["asylum"], ["*"]))
    newsroom.add_person("eve", status="unconfirmed")
    return open_edition(newsroom.app, "weekly").id


def bad(check: EditionCheck) -> dict[str, str]:
    return {one.subject: one.text for one in check.findings if not one.is_well}


def test_an_approved_edition_is_ready_and_its_readers_are_counted_before_it_is_planned(newsroom: Newsroom) -> None:
    edition = open_with_readers(newsroom)
    approve(newsroom.app, edition, actor="ada")

    found = check_edition(newsroom.app, edition)

    assert bad(found) == {}
    assert found.is_ready
    assert (found.readers, {name: count for name, count in found.languages.items() if count}) == (
        4,
        {"en": 3, "fr": 1},
    )
    assert [(one.language, one.items, one.readers) for one in found.variants if one.readers] == [
        ("en", 2, 2),
        ("en", 1, 1),
        ("fr", 2, 1),
    ]
    assert 0 < found.largest_html_bytes < 80 * 1024


def test_looking_changes_nothing(newsroom: Newsroom) -> None:
    edition = open_with_readers(newsroom)

    check_edition(newsroom.app, edition)

    assert newsroom.rows(deliveries) == newsroom.rows(variants) == []
    approve(newsroom.app, edition, actor="ada")
    assert plan(newsroom.app, edition) == 4


def test_what_is_planned_is_counted_as_it_is_planned(newsroom: Newsroom) -> None:
    edition = open_with_readers(newsroom)
    approve(newsroom.app, edition, actor="ada")
    plan(newsroom.app, edition)
    with newsroom.app.database.write() as tx:
        tx.execute(subscribers.update().values(status="unsubscribed"))

    assert check_edition(newsroom.app, edition).readers == 4


def test_an_edition_that_nobody_approved_is_not_ready(newsroom: Newsroom) -> None:
    edition = open_with_readers(newsroom)

    assert bad(check_edition(newsroom.app, edition)).keys() == {"approval"}


def test_an_approval_is_void_once_the_content_changed(newsroom: Newsroom) -> None:
    edition = open_with_readers(newsroom)
    approve(newsroom.app, edition, actor="ada")
    with newsroom.app.database.write() as tx:
        title = {"title": {"en": "Another"}, "id": "weekly", "cadence": "weekly", "day": "monday"}
        tx.execute(digests.update().where(digests.c.id == "weekly").values(settings=title))

    assert "changed since ada approved it" in bad(check_edition(newsroom.app, edition))["approval"]


def test_a_paused_a_cancelled_and_an_old_edition_are_not_ready(newsroom: Newsroom) -> None:
    edition = open_with_readers(newsroom)
    approve(newsroom.app, edition, actor="ada")
    pause(newsroom.app, edition, actor="ben")

    assert "paused by ben" in bad(check_edition(newsroom.app, edition))["state"]
    newsroom.clock.forward(days=7)
    assert "would only expire" in bad(check_edition(newsroom.app, edition))["age"]
    cancel(newsroom.app, edition, actor="ben")
    assert "cancelled by ben" in bad(check_edition(newsroom.app, edition))["state"]


def test_an_edition_without_readers_is_not_ready(newsroom: Newsroom) -> None:
    newsroom.add_item(released_at=MONDAY - timedelta(days=2))
    edition = open_edition(newsroom.app, "weekly").id
    approve(newsroom.app, edition, actor="ada")

    assert bad(check_edition(newsroom.app, edition)) == {"readers": "nobody has anything to read in it"}


def test_a_variant_that_cannot_be_rendered_is_named(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_in_french(content: DigestContent, language: str) -> Rendered:
        if language == "fr":
            raise RenderError("digest.mjml: the French words are missing")
        return render_variant(content, language)

    edition = open_with_readers(newsroom)
    approve(newsroom.app, edition, actor="ada")
    monkeypatch.setattr(rendering, "render_variant", fail_in_french)

    assert bad(check_edition(newsroom.app, edition)) == {
        "texts": "1 of 3 variants cannot be rendered: digest.mjml: the French words are missing"
    }


def test_a_message_above_90_kb_is_not_ready(newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    edition = open_with_readers(newsroom)
    approve(newsroom.app, edition, actor="ada")
    monkeypatch.setattr(checking, "WARN_BYTES", 1024)

    assert "mailbox providers will clip it" in bad(check_edition(newsroom.app, edition))["size"]


@pytest.mark.parametrize(
    ("options", "subject", "words"),
    [
        ({"mail": "only_to = []"}, "recipients", "nobody gets mail"),
        ({"smtp": 'mail_log = "none.log"'}, "relay log", "cannot be read"),
    ],
)
def test_what_the_configuration_lets_nobody_have_is_named(
    tmp_path: Path, options: dict[str, str], subject: str, words: str
) -> None:
    with open_newsroom(tmp_path, **options) as newsroom:  # type: ignore[arg-type]
        edition = open_with_readers(newsroom)
        approve(newsroom.app, edition, actor="ada")

        assert words in bad(check_edition(newsroom.app, edition))[subject]


def test_an_edition_that_is_not_there_cannot_be_checked(newsroom: Newsroom) -> None:
    with pytest.raises(NotFoundError, match="digest list"):
        check_edition(newsroom.app, "weekly-1999-01-01")
