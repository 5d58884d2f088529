"""What must be so before an edition is sent: keys that DNS confirms, room on the disk, messages that the relay takes.

What a person must mend is a ConfigError or StateError. Where DNS cannot say, a DnsError: nothing is known to be wrong,
and the edition waits as it does for a relay that is down.
"""

import shutil
import zlib

from publisher.app import App
from publisher.config import Config
from publisher.dns import Names
from publisher.errors import StateError
from publisher.mail.dkim import load_signer
from publisher.mail.frame import Frame
from publisher.store import deliveries as ledger
from publisher.store.editions import count_unrendered, read_longest_frames
from publisher.usecases.domains import check_dkim_records

DELIVERY_BYTES = 750
"""What sending adds to the database: 40 measured for a delivery accepted at once, 710 for one deferred twice."""

VARIANT_BYTES = 32 * 1024
"""What rendering adds: 9 KB measured on average, 28 KB for the largest digest."""

RESERVE_BYTES = 64 * 1024**2
"""For the write-ahead log and everything else that happens meanwhile."""

PERSONAL_BYTES = 4 * 1024
"""The most that signatures, name, address and links add to a frame."""

LARGEST = 20
"""Frames looked at for their size: those that are the longest compressed."""


def check_before_rendering(app: App, edition_id: str, *, reserve_bytes: int = RESERVE_BYTES) -> None:
    """Keys, DNS and disk. Asks the network for some seconds at most; changes nothing."""
    check_signing(app.config)
    check_disk(app, edition_id, reserve_bytes=reserve_bytes)


def check_signing(config: Config) -> None:
    """ConfigError where a DKIM key cannot be used, StateError where DNS has another, DnsError where it cannot say.

    Only the keys are looked at where ``dkim.check_dns`` is false or ``dns.servers`` is empty.
    """
    if config.dkim is None:
        return
    signer = load_signer(config.dkim)
    if config.dkim.check_dns and config.dns.servers != ():
        check_dkim_records(signer, Names(config.dns))


def check_disk(app: App, edition_id: str, *, reserve_bytes: int = RESERVE_BYTES) -> None:
    """StateError where the database's disk has no room for what sending this edition may write."""
    file = app.database.file
    if file is None:
        return
    needed, free = needed_bytes(app, edition_id) + reserve_bytes, shutil.disk_usage(file.parent).free
    if free < needed:
        raise StateError(
            f"{edition_id}: {file.parent} has {free // 1024**2:,} MB free, sending may write {needed // 1024**2:,} MB. "
            "Make room there, then send again"
        )


def needed_bytes(app: App, edition_id: str) -> int:
    """What sending this edition may add to the database."""
    with app.database.read() as tx:
        states = ledger.count_states(tx, edition_id)
        pending = sum(states.get(state, 0) for state in ledger.PENDING)
        return pending * DELIVERY_BYTES + count_unrendered(tx, edition_id) * VARIANT_BYTES


def check_size(app: App, edition_id: str, offered_bytes: int | None) -> None:
    """StateError where the largest rendered message is above the relay's SIZE (RFC 1870); None or 0: it names none."""
    if not offered_bytes:
        return
    with app.database.read() as tx:
        packed = read_longest_frames(tx, edition_id, limit=LARGEST)
    largest = max((_size(frame) for frame in packed), default=0) + PERSONAL_BYTES
    if largest > offered_bytes:
        raise StateError(
            f"{edition_id}: the relay takes messages of {offered_bytes:,} bytes, the largest of this edition may have "
            f"{largest:,}. Raise its limit (Postfix: message_size_limit), or send fewer items"
        )


def _size(packed: bytes) -> int:
    return sum(map(len, Frame.from_bytes(zlib.decompress(packed)).chunks))
