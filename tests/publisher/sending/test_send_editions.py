"""Editions side by side: each is measured, held, closed or cancelled for itself."""

import asyncio
from datetime import timedelta

import pytest
from judge_rules import at
from newsroom_app import MONDAY
from trial import Begin, Sending, Trial, nothing, send_while

from publisher.errors import RenderError
from publisher.mail.content import DigestContent, Rendered
from publisher.mail.render import render_variant
from publisher.store.schema import editions
from publisher.usecases import rendering, sender
from publisher.usecases.editions import cancel
from publisher.usecases.sending import SendResult
from publisher.usecases.service import send_tick

SIZE = "SIZE 45000"


def edition_row(trial: Trial, name: str = "") -> dict[str, object]:
    return next(row for row in trial.newsroom.rows(editions) if row["id"] == (name or trial.edition))


def plan_daily(trial: Trial, *, items: int) -> str:
    """An edition for one person, besides."""
    for number in range(items):
        trial.newsroom.add_item(released_at=MONDAY - timedelta(minutes=number + 1))
    trial.newsroom.add_person("daily", cadence="daily")
    return trial.newsroom.plan_edition("daily")


def test_an_edition_that_is_too_large_for_the_relay_is_held_and_the_other_is_sent(begin: Begin) -> None:
    trial = begin(2, offers=[SIZE], now=MONDAY)
    large = plan_daily(trial, items=40)

    results = send_while(trial, nothing, find_more=lambda: [large])

    assert_only_the_large_one_is_held(trial, large, results)


def test_an_edition_that_joins_a_run_is_measured_too(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "LOOK_PAUSE", timedelta(seconds=0.05))
    trial = begin(2, at("dot", "wait:1.5", "keep", "250 2.0.0 ok", who="q*"), offers=[SIZE], now=MONDAY)
    large = plan_daily(trial, items=40)
    due: list[str] = []

    async def be_due(sending: Sending) -> None:
        await sending.until_accepted(1)
        due.append(large)

    results = send_while(trial, be_due, find_more=lambda: due)

    assert_only_the_large_one_is_held(trial, large, results)


def assert_only_the_large_one_is_held(trial: Trial, large: str, results: list[SendResult]) -> None:
    assert [result.states for result in results] == [{"sent": 2}, {"planned": 1}]
    assert "the relay takes messages of 45,000 bytes" in str(results[1].trouble)
    assert str(edition_row(trial, large)["outcome"]).startswith("held: ")
    assert edition_row(trial)["state"] == "done"


def fail_in_french(content: DigestContent, language: str) -> Rendered:
    if language == "fr":
        raise RenderError("digest.mjml: the French words are missing")
    return render_variant(content, language)


def test_an_edition_that_could_not_be_rendered_is_closed_when_it_is_too_old(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "render_variant", fail_in_french)
    trial = begin(4)
    trial.send()

    close_by_tick(trial)

    assert trial.states == {"sent": 2, "expired": 2}
    assert (edition_row(trial)["state"], edition_row(trial)["outcome"]) == ("done", "2 sent, 2 expired")


def test_an_edition_of_which_all_is_deferred_is_closed_when_it_is_too_old(begin: Begin) -> None:
    trial = begin(4, at("rcpt", "451 4.2.2 mailbox full"))
    trial.newsroom.clock.forward(days=6, hours=23, minutes=59)
    trial.send()
    assert trial.states == {"deferred": 4}

    close_by_tick(trial)

    assert trial.states == {"expired": 4}
    assert (edition_row(trial)["state"], edition_row(trial)["outcome"]) == ("done", "4 expired")


def close_by_tick(trial: Trial) -> None:
    trial.newsroom.clock.now = MONDAY + timedelta(days=21)
    asyncio.run(send_tick(trial.newsroom.app, asyncio.Event()))


def test_a_refusal_that_would_pause_an_edition_does_not_pause_one_that_was_cancelled(begin: Begin) -> None:
    trial = begin(4, at("mail", "wait:0.4", "550 5.7.1 sender refused"), connections=1)

    async def cancel_now(sending: Sending) -> None:
        await sending.until(lambda: trial.court.count_steps("mail") > 0)
        await asyncio.to_thread(cancel, trial.newsroom.app, trial.edition, actor="ada")

    send_while(trial, cancel_now)

    edition = edition_row(trial)
    assert (edition["state"], edition["paused_at"], edition["outcome"]) == ("cancelled", None, "cancelled by ada")
    assert trial.states == {"cancelled": 4}
