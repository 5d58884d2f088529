"""The doctor names what is wrong."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dns.rcode
import pytest
from judging import open_court
from name_server import NameServer, in_strings, open_name_server
from newsroom_app import Newsroom, open_newsroom

from publisher.store.newsroom import put_entry
from publisher.usecases.collect import collect
from publisher.usecases.doctor import examine
from publisher.usecases.pacing import Pacer, make_rules
from subscribers.replies import judge_reply


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_court(tmp_path) as court, open_newsroom(tmp_path, port=court.port) as newsroom:
        yield newsroom


def findings(newsroom: Newsroom) -> dict[str, tuple[bool, str]]:
    return {one.subject: (one.is_well, one.text) for one in examine(newsroom.config_file)}


def test_a_well_deployment_is_found_well(newsroom: Newsroom) -> None:
    found = findings(newsroom)

    assert list(found) == [
        "configuration",
        "database",
        "sources",
        "feeds",
        "digests",
        "pace",
        "templates",
        "dkim",
        "smtp",
        "dns",
    ]
    assert found["templates"][1] == "a sample digest renders in en, fr, ru"
    assert all(is_well for is_well, _ in found.values())
    assert found["digests"][1] == "weekly, daily"


def test_a_source_whose_last_collection_failed_is_named_with_its_error(newsroom: Newsroom) -> None:
    entry = {"id": "gone", "kind": "feed", "url": "http://127.0.0.1:1/rss", "language": "en", "every": "1h"}
    with newsroom.app.database.write() as tx:
        put_entry(tx, "sources", entry | {"internal": True}, position=0)
    collect(newsroom.app)

    is_well, text = findings(newsroom)["sources"]

    assert not is_well
    assert text.startswith("gone failed: ")
    assert "127.0.0.1:1" in text


def test_a_mail_server_that_is_down_is_named(newsroom: Newsroom) -> None:
    text = newsroom.config_file.read_text()
    newsroom.config_file.write_text(text.replace(f"port = {newsroom.app.config.smtp.port}", "port = 1"))

    is_well, text = findings(newsroom)["smtp"]

    assert not is_well
    assert "127.0.0.1:1" in text


def test_messages_that_could_not_be_made_are_found(newsroom: Newsroom) -> None:
    text = newsroom.config_file.read_text()
    newsroom.config_file.write_text(text.replace("https://harbour.example", "http://harbour.example"))

    is_well, text = findings(newsroom)["templates"]

    assert not is_well
    assert "an unsubscribe link must be https" in text


@pytest.mark.parametrize("content", [None, b""])
def test_the_doctor_makes_neither_database_nor_secret(newsroom: Newsroom, content: bytes | None) -> None:
    folder = newsroom.folder / "new"
    folder.mkdir()
    (folder / "publisher.toml").write_text(newsroom.config_file.read_text())
    if content is not None:
        (folder / "publisher.db").write_bytes(content)
    before = {file.name for file in folder.iterdir()}

    found = {one.subject: one for one in examine(folder / "publisher.toml")}

    assert "Run: publisher apply newsroom.toml" in found["database"].text
    assert [one.subject for one in found.values() if not one.is_well] == ["database"]
    assert {file.name for file in folder.iterdir()} == before
    assert content is None or (folder / "publisher.db").read_bytes() == content


def test_a_lost_secret_is_found(newsroom: Newsroom) -> None:
    (newsroom.folder / "publisher.secret").unlink()

    is_well, text = findings(newsroom)["database"]

    assert not is_well
    assert "publisher.secret" in text
    assert not (newsroom.folder / "publisher.secret").exists()


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


def test_what_dns_lacks_is_told_with_the_record_to_publish(newsroom: Newsroom) -> None:
    with open_name_server() as server:
        ask(newsroom, server)

        found = findings(newsroom)

    assert found["dkim record"] == (True, "the relay signs, with a key of its own")
    assert 'TXT "v=spf1 ip4:ADDRESS-OF-THE-RELAY -all"' in found["spf"][1]
    assert 'Publish: _dmarc.harbour.example. TXT "v=DMARC1; p=none"' in found["dmarc"][1]
    assert "Publish: bounces.harbour.example. MX 10" in found["mx"][1]
    assert [subject for subject, (is_well, _) in found.items() if not is_well] == ["spf", "dmarc", "mx"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_key_made_as_we_say_is_missed_in_dns_until_it_is_published(newsroom: Newsroom) -> None:
    key = newsroom.folder / "dkim.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    dkim = '\n[dkim]\ndomain = "harbour.example"\nselector = "s1"\nkey_file = "dkim.pem"\n'
    newsroom.config_file.write_text(newsroom.config_file.read_text() + dkim)
    with open_name_server() as server:
        ask(newsroom, server)
        before = findings(newsroom)
        record = re.search(r'TXT "(v=DKIM1; k=rsa; p=.*)"', before["dkim record"][1])
        assert record

        server.records["s1._domainkey.harbour.example", "TXT"] = [in_strings(record[1])]
        after = findings(newsroom)

    assert before["dkim"] == (True, "signs as s1._domainkey.harbour.example")
    assert not before["dkim record"][0]
    assert after["dkim record"] == (True, "s1._domainkey.harbour.example has the key of the file")


def test_a_dns_that_does_not_answer_is_told_once_a_subject(newsroom: Newsroom) -> None:
    with open_name_server() as server:
        server.rcode = dns.rcode.SERVFAIL
        ask(newsroom, server)

        found = findings(newsroom)

    for subject in ("spf", "dmarc", "mx"):
        assert not found[subject][0]
        assert "could not be looked up" in found[subject][1]


def ask(newsroom: Newsroom, server: NameServer) -> None:
    text = newsroom.config_file.read_text()
    newsroom.config_file.write_text(text.replace("servers = []", f'servers = ["{server.address}"]'))


def test_a_provider_that_refuses_our_domain_is_named_with_the_record(newsroom: Newsroom) -> None:
    pacer = Pacer(make_rules(newsroom.app.config))
    refused = judge_reply(550, "5.7.26 DMARC failed", step="rcpt")
    with newsroom.app.database.write() as tx:
        pacer.learn(tx, "main", [("gmail.example", refused)], now=datetime.now(UTC))

    is_well, text = findings(newsroom)["pace"]

    assert not is_well
    assert "gmail.example: no mail goes there until" in text
    assert "DMARC" in text
