"""The accounts of a trial: each of the four counts counts what it says, and nothing else."""

from dataclasses import replace

import pytest

from tests.faults.accounting import Acceptance, Delivery, Person, settle_accounts

ANA = Acceptance("ana@example.org", "<1@x>", "token-a", "en", 100.0)
PEOPLE = {"ana@example.org": Person("token-a", "en"), "bo@example.org": Person("token-b", "fr")}
OWED = {("ana@example.org", "<1@x>")}


def delivery(state: str) -> Delivery:
    return Delivery("ana@example.org", "<1@x>", state)


@pytest.mark.parametrize(
    ("accepted", "states", "counts"),
    [
        ([ANA], ["sent"], (0, 0, 0, 0)),
        ([], ["planned"], (0, 0, 0, 0)),
        ([], ["deferred"], (0, 0, 0, 0)),
        ([], ["failed"], (0, 0, 0, 0)),
        ([], ["sent"], (1, 0, 0, 0)),
        ([], [], (1, 0, 0, 0)),
        ([], ["no such state"], (1, 0, 0, 0)),
        ([ANA], ["uncertain"], (0, 0, 0, 1)),
        ([], ["uncertain"], (0, 0, 0, 1)),
        ([ANA, ANA], ["sent"], (0, 1, 0, 0)),
        ([ANA, ANA, ANA], ["sent"], (0, 2, 0, 0)),
        ([ANA, ANA], ["sent", "sent"], (0, 1, 0, 0)),
        ([replace(ANA, token="token-b")], ["sent"], (0, 0, 1, 0)),
        ([replace(ANA, token=None)], ["sent"], (0, 0, 1, 0)),
        ([replace(ANA, language="fr")], ["sent"], (0, 0, 1, 0)),
        ([replace(ANA, recipient="bo@example.org")], ["sent"], (0, 0, 1, 0)),
        ([ANA, replace(ANA, recipient="stranger@example.org", message_id="<2@x>")], ["sent"], (0, 0, 1, 0)),
    ],
)
def test_lost_duplicated_unauthorised_and_uncertain_are_counted(
    accepted: list[Acceptance], states: list[str], counts: tuple[int, int, int, int]
) -> None:
    account = settle_accounts(accepted, [delivery(state) for state in states], eligible=OWED, people=PEOPLE)

    assert account.counts == counts


@pytest.mark.parametrize(("ended_at", "count"), [(None, 0), (101.0, 0), (99.0, 1), (0.0, 1)])
def test_what_was_begun_after_rights_ended_is_unauthorised(ended_at: float | None, count: int) -> None:
    people = {"ana@example.org": Person("token-a", "en", rights_ended_at=ended_at)}

    account = settle_accounts([ANA], [delivery("sent")], eligible=OWED, people=people)

    assert len(account.unauthorised) == count


@pytest.mark.parametrize(("closed_at", "count"), [(None, 0), (101.0, 0), (99.0, 1)])
def test_what_was_begun_after_the_edition_was_closed_is_unauthorised(closed_at: float | None, count: int) -> None:
    account = settle_accounts([ANA], [delivery("sent")], eligible=OWED, people=PEOPLE, closed_at=closed_at)

    assert len(account.unauthorised) == count
