"""The doctor names what is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from judging import open_court
from newsroom_app import Newsroom, open_newsroom

from publisher.usecases.doctor import examine


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_court(tmp_path) as court, open_newsroom(tmp_path, port=court.port) as newsroom:
        yield newsroom


def findings(newsroom: Newsroom) -> dict[str, tuple[bool, str]]:
    return {one.subject: (one.is_well, one.text) for one in examine(newsroom.config_file)}


def test_a_well_deployment_is_found_well(newsroom: Newsroom) -> None:
    found = findings(newsroom)

    assert {"configuration", "database", "digests", "smtp"} <= found.keys()
    assert all(is_well for is_well, _ in found.values())
    assert found["digests"][1] == "weekly, daily"


def test_a_mail_server_that_is_down_is_named(newsroom: Newsroom) -> None:
    text = newsroom.config_file.read_text()
    newsroom.config_file.write_text(text.replace(f"port = {newsroom.app.config.smtp.port}", "port = 1"))

    is_well, text = findings(newsroom)["smtp"]

    assert not is_well
    assert "127.0.0.1:1" in text


def test_a_damaged_database_is_found(newsroom: Newsroom) -> None:
    newsroom.add_people([f"p{number}" for number in range(500)])
    newsroom.app.database.close()
    file = newsroom.folder / "publisher.db"
    damaged = bytearray(file.read_bytes())
    damaged[-40_000:] = b"\x55" * 40_000
    file.write_bytes(damaged)

    is_well, _ = findings(newsroom)["database"]

    assert not is_well


def test_a_wrong_configuration_ends_the_examination_with_its_words(newsroom: Newsroom) -> None:
    newsroom.config_file.write_text("[site]\n")

    found = findings(newsroom)

    assert list(found) == ["configuration"]
    assert "site.name: is missing" in found["configuration"][1]
