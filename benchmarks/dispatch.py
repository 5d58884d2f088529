"""How fast an edition is sent, next to smtp-source and plain aiosmtplib: ``python -m benchmarks.dispatch [MESSAGES]``.

All go to the same smtp-sink in the same run, turn by turn: machines are noisy, so what counts are the ratios of
neighbours. Ours goes through the ledger (``synchronous=FULL``), with personal links, in hundreds of variants.
"""

import hashlib
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.edition import Content, Edition, Spent, prepare, run_sender
from benchmarks.plain import measure_plain
from benchmarks.sink import measure_source, sink
from publisher.mail.dkim import load_signer
from publisher.sections import Dkim

CONTENTS = {20: Content(10, 20, 130), 60: Content(60, 80, 84)}
"""Kilobytes of a message, about, and what makes them."""

CONNECTIONS = (10, 20)
MESSAGES = 5_000
ROUNDS = 5
PLAIN_MESSAGES = 1_000
BARE_SIGNATURES = 500


@dataclass(frozen=True, slots=True)
class Round:
    """The same edition, one way after the other."""

    source_rate: float
    source_cpu_us: float
    unsigned: Spent
    signed: Spent
    bare_rsa_us: float

    @property
    def unsigned_ratio(self) -> float:
        """Our messages a second by those of smtp-source."""
        return self.unsigned.rate / self.source_rate

    @property
    def signed_ratio(self) -> float:
        return self.signed.rate / self.source_rate

    @property
    def signing_ratio(self) -> float:
        """What signing adds by the bare RSA operation."""
        return (self.signed.cpu_us - self.unsigned.cpu_us) / self.bare_rsa_us


def main() -> None:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES
    with tempfile.TemporaryDirectory() as name, sink() as port:
        dkim = _make_key(Path(name))
        for kilobytes, content in CONTENTS.items():
            edition = prepare(Path(name) / f"{kilobytes}", messages, content)
            for connections in CONNECTIONS:
                _measure(edition, dkim, port=port, connections=connections)


def _measure(edition: Edition, dkim: Dkim, *, port: int, connections: int) -> None:
    size, count = edition.size_bytes, edition.deliveries
    print(f"{count:,} messages of {size / 1024:.0f} KB in {edition.variants} variants, {connections} connections")
    plain = measure_plain(port, messages=PLAIN_MESSAGES, size=size, connections=connections)
    rounds = [_run_round(edition, dkim, port=port, connections=connections) for _ in range(ROUNDS)]
    _print_way("smtp-source", [one.source_rate for one in rounds], [one.source_cpu_us for one in rounds])
    _print_way("plain aiosmtplib", [plain[0]], [plain[1]])
    _print_way("unsigned", [one.unsigned.rate for one in rounds], [one.unsigned.cpu_us for one in rounds])
    _print_way("RSA-2048", [one.signed.rate for one in rounds], [one.signed.cpu_us for one in rounds])
    _print_ratios(rounds)


def _run_round(edition: Edition, dkim: Dkim, *, port: int, connections: int) -> Round:
    unsigned = _send(edition, None, port=port, connections=connections)
    theirs = measure_source(port, messages=edition.deliveries, size=edition.size_bytes, sessions=connections)
    signed = _send(edition, dkim, port=port, connections=connections)
    return Round(*theirs, unsigned, signed, _sign_bare(dkim))


def _send(edition: Edition, dkim: Dkim | None, *, port: int, connections: int) -> Spent:
    with edition.copied(port=port, connections=connections, dkim=dkim) as app:
        result, spent = run_sender(app, edition.name)
    if result.states != {"sent": edition.deliveries}:
        sys.exit(f"not all were sent: {result.states} {result.trouble or ''}")
    return spent


def _sign_bare(dkim: Dkim) -> float:
    """Microseconds of CPU of the operation with the private key."""
    key = load_signer(dkim).identities[0]
    digests = [hashlib.sha256(b"%d" % number).digest() for number in range(BARE_SIGNATURES)]
    before = time.thread_time()
    for digest in digests:
        key.sign(digest)
    return (time.thread_time() - before) / BARE_SIGNATURES * 1e6


def _print_way(name: str, rates: Sequence[float], cpus_us: Sequence[float]) -> None:
    rate, cpu = statistics.median(rates), statistics.median(cpus_us)
    print(f"  {name:<17} {rate:7,.0f} messages/s, {cpu:5.0f} µs of CPU a message")


def _print_ratios(rounds: Sequence[Round]) -> None:
    _print_ratio("unsigned ÷ smtp-source", [one.unsigned_ratio for one in rounds], "wanted ≥ 0.8")
    _print_ratio("signed ÷ smtp-source", [one.signed_ratio for one in rounds], "")
    _print_ratio("signing ÷ bare RSA", [one.signing_ratio for one in rounds], "wanted ≤ 1.25")
    _print_ratio("claim + account, µs", [one.unsigned.ledger_us for one in rounds], "wanted ≤ 40")


def _print_ratio(name: str, found: Sequence[float], wanted: str) -> None:
    spread = f"{min(found):.2f} to {max(found):.2f} in {len(found)} rounds"
    print(f"  {name:<23} {statistics.median(found):6.2f}  ({', '.join(filter(None, (spread, wanted)))})")


def _make_key(folder: Path) -> Dkim:
    key = rsa.generate_private_key(65537, 2048)
    file = folder / "rsa.pem"
    file.write_bytes(key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption()))
    return Dkim(domain="example.org", selector="s1", key_file=file)


if __name__ == "__main__":
    main()
