"""What a signature costs beside the bare RSA operation, and messages/s by threads: ``python -m benchmarks.signing``.

The messages are digests of our own, filled for one person after another; CPU is that of the whole process.
"""

import asyncio
import hashlib
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from benchmarks.newsroom import START, add_items, make_app
from publisher.config import Config
from publisher.mail.compose import compose_frame
from publisher.mail.dkim import Identity, has_relaxed_body, load_signer
from publisher.mail.frame import Frame, PersonParts, fill
from publisher.mail.signing import SigningPool
from publisher.sections import Dkim
from publisher.usecases.opening import open_edition
from publisher.usecases.rendering import EditionRenderer, make_headers

ITEMS = {20: 3, 60: 18}
"""How many make a message of so many kilobytes, at ``WORDS`` words each."""

WORDS = 110

MESSAGES = 600
GROUP = 40
"""Messages handed to the pool at a time, as the sender does it."""

ROUNDS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rsa_only = _configure(folder)
        both = rsa_only.model_copy(update={"ed25519_selector": "s2", "ed25519_key_file": folder / "ed25519.pem"})
        for kilobytes, items in ITEMS.items():
            _measure(_make_frame(folder / f"{kilobytes}", items), rsa_only, both)


def _measure(frame: Frame, rsa_only: Dkim, both: Dkim) -> None:
    key = load_signer(rsa_only).identities[0]
    bare = min(_sign_bare(key) for _ in range(ROUNDS))
    size_kb = sum(map(len, frame.chunks)) / 1024
    print(f"messages of {size_kb:.0f} KB, relaxed as they are: {has_relaxed_body(frame)}")
    print(f"  bare RSA-2048       {bare:6.0f} µs of CPU")
    for name, dkim, workers in (("1 thread", rsa_only, 1), ("2 threads", rsa_only, 2), ("2, and Ed25519", both, 2)):
        costs = [asyncio.run(_sign(frame, dkim, workers)) for _ in range(ROUNDS)]
        cpu, wall = (min(times) for times in zip(*costs, strict=True))
        print(f"  {name:<16}    {cpu:6.0f} µs of CPU, {cpu / bare:.2f} × bare RSA, {1e6 / wall:6,.0f} messages/s")


def _sign_bare(key: Identity) -> float:
    digests = [hashlib.sha256(b"%d" % number).digest() for number in range(MESSAGES)]
    started = time.process_time()
    for digest in digests:
        key.sign(digest)
    return (time.process_time() - started) / MESSAGES * 1e6


async def _sign(frame: Frame, dkim: Dkim, workers: int) -> tuple[float, float]:
    """Microseconds of CPU and of waiting a message. They are filled just before, as the sender does, unmeasured."""
    cpu = wall = 0.0
    async with SigningPool(_deploy(dkim), workers=workers) as pool:
        for group in range(0, MESSAGES, GROUP):
            messages = [fill(frame, _person(number)) for number in range(group, group + GROUP)]
            cpu_before, wall_before = time.process_time(), time.perf_counter()
            await pool.sign(messages, are_relaxed=True)
            cpu, wall = cpu + time.process_time() - cpu_before, wall + time.perf_counter() - wall_before
    return cpu / MESSAGES * 1e6, wall / MESSAGES * 1e6


def _make_frame(folder: Path, items: int) -> Frame:
    folder.mkdir()
    app = make_app(folder)
    add_items(app, items, words=WORDS)
    renderer = EditionRenderer(app, open_edition(app, "weekly", since=START).id)
    headers = make_headers(app.config, renderer.edition, renderer._seen.digest, language="en")
    return compose_frame(renderer.render("en"), headers)


def _person(number: int) -> PersonParts:
    return PersonParts(f"reader{number}@example.org", "Ana Kovač", f"{number:027}", f"<weekly.{number}@example.org>")


def _configure(folder: Path) -> Dkim:
    for name, key in (
        ("rsa", rsa.generate_private_key(65537, 2048)),
        ("ed25519", ed25519.Ed25519PrivateKey.generate()),
    ):
        octets = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
        (folder / f"{name}.pem").write_bytes(octets)
    return Dkim(domain="example.org", selector="s1", key_file=folder / "rsa.pem")


def _deploy(dkim: Dkim) -> Config:
    site = {"name": "Bench", "base_url": "https://news.example.org", "postal_address": "1 Example Street"}
    mail = {"from": "Bench <news@example.org>", "bounce_domain": "bounces.example.org"}
    return Config(site=site, mail=mail, dkim=dkim)


if __name__ == "__main__":
    main()
