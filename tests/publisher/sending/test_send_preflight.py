"""What is found to be wrong before anything is sent."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dns.rcode
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from name_server import NameServer, in_strings, open_name_server
from newsroom_app import MONDAY, Newsroom, open_newsroom

from publisher.app import App
from publisher.config import load_config
from publisher.errors import ConfigError, DnsError, StateError
from publisher.mail.dkim import load_signer
from publisher.mail.dkim_record import make_record
from publisher.store.schema import variants
from publisher.usecases.addressing import make_envelope
from publisher.usecases.intents import claim_chunk, load_frames
from publisher.usecases.preflight import (
    DELIVERY_BYTES,
    VARIANT_BYTES,
    check_before_rendering,
    check_disk,
    check_signing,
    check_size,
    needed_bytes,
)
from publisher.usecases.rendering import render_variants
from publisher.usecases.sender import begin_sending

KEY = rsa.generate_private_key(65537, 2048)
PLACE = ("s1._domainkey.harbour.example", "TXT")
DKIM = '\n[dkim]\ndomain = "harbour.example"\nselector = "s1"\nkey_file = "dkim.pem"\n'

Configure = Callable[..., App]


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Newsroom]:
    with open_newsroom(tmp_path) as newsroom:
        newsroom.add_item(released_at=MONDAY.replace(day=20))
        newsroom.add_people(["ana", "ben"])
        yield newsroom


@pytest.fixture
def server() -> Iterator[NameServer]:
    with open_name_server({PLACE: [in_strings(make_record(KEY.public_key()))]}) as server:
        yield server


@pytest.fixture
def configure(newsroom: Newsroom, server: NameServer) -> Configure:
    """The newsroom's application, signing, with the test's name server and what else is given to ``[dkim]``."""
    (newsroom.folder / "dkim.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def configure(more: str = "", *, servers: str = f'["{server.address}"]') -> App:
        text = newsroom.config_file.read_text().replace("servers = []", f"servers = {servers}")
        newsroom.config_file.write_text(text + DKIM + more)
        return replace(newsroom.app, config=load_config(newsroom.config_file))

    return configure


def test_a_key_that_dns_confirms_lets_the_run_begin(newsroom: Newsroom, configure: Configure) -> None:
    check_before_rendering(configure(), newsroom.plan_edition())


def test_a_key_that_dns_does_not_have_stops_the_run_with_the_record_to_publish(
    configure: Configure, server: NameServer
) -> None:
    server.records.clear()

    with pytest.raises(StateError, match=r'no record\. Publish: s1\._domainkey\.harbour\.example\. TXT "v=DKIM1;'):
        check_signing(configure().config)


def test_another_key_in_dns_stops_the_run(configure: Configure, server: NameServer) -> None:
    other = rsa.generate_private_key(65537, 2048)
    server.records[PLACE] = [in_strings(make_record(other.public_key()))]

    with pytest.raises(StateError, match="holds another key than the file"):
        check_signing(configure().config)


def test_where_dns_cannot_say_the_run_waits(configure: Configure, server: NameServer) -> None:
    server.rcode = dns.rcode.SERVFAIL

    with pytest.raises(DnsError, match="SERVFAIL"):
        check_signing(configure().config)


@pytest.mark.parametrize(("more", "servers"), [("check_dns = false\n", None), ("", "[]")])
def test_dns_is_not_asked_where_configuration_says_so(
    configure: Configure, server: NameServer, more: str, servers: str | None
) -> None:
    server.records.clear()

    check_signing((configure(more, servers=servers) if servers else configure(more)).config)

    assert server.asked == []


def test_without_dkim_dns_is_not_asked(newsroom: Newsroom) -> None:
    check_signing(newsroom.app.config)


def test_a_key_that_is_gone_stops_the_run(newsroom: Newsroom, configure: Configure) -> None:
    app = configure()
    (newsroom.folder / "dkim.pem").unlink()

    with pytest.raises(ConfigError, match=r"dkim\.key_file: cannot read a private key from .*dkim\.pem"):
        check_before_rendering(app, newsroom.plan_edition())


def test_a_disk_without_room_stops_the_run(newsroom: Newsroom) -> None:
    edition = newsroom.plan_edition()

    with pytest.raises(StateError, match=rf"{edition}: .* MB free, sending may write .*Make room there"):
        check_disk(newsroom.app, edition, reserve_bytes=2**60)


def test_what_is_pending_and_not_rendered_counts_for_the_room_it_needs(newsroom: Newsroom) -> None:
    edition = newsroom.plan_edition()
    before = needed_bytes(newsroom.app, edition)

    render_variants(newsroom.app, edition, stop=lambda: False)

    after = needed_bytes(newsroom.app, edition)
    assert after == 2 * DELIVERY_BYTES
    assert before - after == count_variants(newsroom) * VARIANT_BYTES


def count_variants(newsroom: Newsroom) -> int:
    return len(newsroom.rows(variants))


def test_a_relay_whose_size_is_too_small_stops_the_run(newsroom: Newsroom) -> None:
    edition = newsroom.plan_edition()
    render_variants(newsroom.app, edition, stop=lambda: False)

    with pytest.raises(StateError, match=rf"{edition}: the relay takes messages of 9,000 bytes, .*message_size_limit"):
        check_size(newsroom.app, edition, 9_000)


@pytest.mark.parametrize("offered", [None, 0, 10_240_000])
def test_a_relay_with_room_or_without_a_limit_lets_the_run_begin(newsroom: Newsroom, offered: int | None) -> None:
    edition = newsroom.plan_edition()
    render_variants(newsroom.app, edition, stop=lambda: False)

    check_size(newsroom.app, edition, offered)


def test_what_a_message_may_have_is_no_less_than_what_it_has(newsroom: Newsroom, configure: Configure) -> None:
    app = configure()
    edition = newsroom.plan_edition()
    render_variants(app, edition, stop=lambda: False)
    run = begin_sending(app)
    claim = replace(claim_chunk(run, edition, limit=1)[0], name="Ж" * 400)
    frame = load_frames(run, {claim.variant_id})[claim.variant_id]
    message = make_envelope(app, claim, frame, digest_number=1).message
    signed = load_signer(app.config.dkim).sign(message)

    with pytest.raises(StateError):
        check_size(app, edition, len(signed))
