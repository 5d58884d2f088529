"""Who asks for feeds, and how much is too much: a token bucket for each network address."""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

BURST = 600
"""Full answers that a reader may have at once: all feeds of a site, in two formats."""

Network = IPv4Network | IPv6Network

_READERS_MAX = 20_000
_IPV6_PREFIX = 64
"""What a provider gives one customer."""
_LONGEST_NAME = 64
_LONGEST_REMEMBERED = 200
"""Of what proxies say, in bytes; what is longer is read each time."""


class Allowance:
    """Full answers per reader: ``per_minute`` (0: no limit), and ``burst`` at once. The last readers are remembered.

    Of a reader the moment is kept at which its bucket is full again (the generic cell rate algorithm).
    """

    def __init__(self, per_minute: float, trusted_proxies: Sequence[Network], *, burst: int = BURST) -> None:
        self._interval_s = 60 / per_minute if per_minute else 0.0
        self._burst_s = burst * self._interval_s
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._trusted = tuple(trusted_proxies)
        self._knows_as_trusted = lru_cache(maxsize=4096)(self._is_trusted)
        self._remember_reader = lru_cache(maxsize=4096)(self._look_for_reader)

    def take(self, peer: str | None, forwarded_for: bytes, *, now_s: float) -> int:
        """0: the reader may have one more; else the seconds until it may, at least 1."""
        reader = self._find_reader(peer, forwarded_for)
        if reader is None or not self._interval_s:
            return 0
        full_at = max(self._full_at.pop(reader, 0.0), now_s) + self._interval_s
        wait_s = full_at - now_s - self._burst_s
        self._full_at[reader] = full_at if wait_s <= 0 else full_at - self._interval_s
        if len(self._full_at) > _READERS_MAX:
            self._full_at.popitem(last=False)
        return max(1, math.ceil(wait_s)) if wait_s > 0 else 0

    def _find_reader(self, peer: str | None, forwarded_for: bytes) -> str | None:
        """The address that asks, as far as trusted proxies say; of IPv6 its network.

        None where a trusted proxy names nobody: all its readers would be one. What others write into
        ``X-Forwarded-For`` counts for nothing.
        """
        if peer is None or not self._knows_as_trusted(peer):
            return _name_reader(peer) if peer else None
        is_long = len(forwarded_for) > _LONGEST_REMEMBERED
        return self._look_for_reader(forwarded_for) if is_long else self._remember_reader(forwarded_for)

    def _look_for_reader(self, forwarded_for: bytes) -> str | None:
        """The last address that is no trusted proxy's."""
        named = (address.strip() for address in reversed(forwarded_for.decode("latin-1").split(",")))
        stranger = next((address for address in named if address and not self._is_trusted(address)), None)
        return _name_reader(stranger[:_LONGEST_NAME]) if stranger else None

    def _is_trusted(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._trusted)


@lru_cache(maxsize=4096)
def _name_reader(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))
