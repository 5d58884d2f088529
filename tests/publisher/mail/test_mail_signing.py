"""The pool: order, threads, errors."""

import asyncio
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from publisher.config import Config
from publisher.errors import ConfigError
from publisher.mail.dkim import load_signer
from publisher.mail.signing import SigningPool
from publisher.sections import Dkim

MESSAGES = [b"From: news@example.org\r\nTo: p%d@example.org\r\n\r\nHello  you\r\n" % number for number in range(70)]


def configure(**sections: object) -> Config:
    site = {"name": "News", "base_url": "https://news.example.org", "postal_address": "1 Quay Street"}
    mail = {"from": "News <news@example.org>", "bounce_domain": "bounces.example.org"}
    return Config(site=site, mail=mail, **sections)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Dkim:
    file = tmp_path_factory.mktemp("keys") / "rsa.pem"
    key = rsa.generate_private_key(65537, 2048)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Dkim(domain="example.org", selector="s1", key_file=file)


async def sign(config: Config, messages: list[bytes]) -> list[bytes]:
    async with SigningPool(config, workers=2) as pool:
        return await pool.sign(messages)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 70])
def test_each_message_is_signed_in_its_place_as_it_would_be_alone(settings: Dkim, count: int) -> None:
    signed = asyncio.run(sign(configure(dkim=settings), MESSAGES[:count]))

    assert signed == [load_signer(settings).sign(message) for message in MESSAGES[:count]]


def test_without_a_key_messages_stay_as_they_are() -> None:
    assert asyncio.run(sign(configure(), MESSAGES)) == MESSAGES


def test_no_thread_is_left_after_a_run_or_a_cancelled_one(settings: Dkim) -> None:
    async def cancel() -> None:
        task = asyncio.create_task(sign(configure(dkim=settings), MESSAGES * 5))
        while not _threads():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert _threads() == []


def test_a_key_that_cannot_be_used_is_said_before_anything_is_signed(tmp_path: Path) -> None:
    dkim = Dkim(domain="example.org", selector="s1", key_file=tmp_path / "none.pem")

    with pytest.raises(ConfigError, match=r"none\.pem"):
        SigningPool(configure(dkim=dkim))


def test_a_message_without_an_end_of_header_is_an_error_not_a_silent_gap(settings: Dkim) -> None:
    with pytest.raises(ValueError, match="not found"):
        asyncio.run(sign(configure(dkim=settings), [MESSAGES[0], b"no header"]))


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("signing")]
