"""What DNS says of a name. Names and values are ASCII, without the dot at their end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import dns.exception
import dns.name
import dns.nameserver
import dns.rdata
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from publisher.config_types import parse_name_server
from publisher.errors import DnsError
from publisher.sections import Dns

LIFETIME_S = 5.0
"""For one question, all servers and repetitions together."""

TEXT_LENGTH = 4096
"""Of a TXT value; what is longer is none of ours."""

Record = TypeVar("Record", bound=dns.rdata.Rdata)


class Names:
    """Asks the configured name servers. An empty answer means that there is no such record.

    DnsError where nobody can say: no server, no reply in time, SERVFAIL.
    """

    def __init__(self, config: Dns) -> None:
        self._servers = config.servers

    def find_texts(self, name: str) -> list[str]:
        """The TXT values, the strings of each put together (RFC 7208 §3.3), without control characters."""
        return [_clean(b"".join(one.strings)) for one in self._ask(name, TXT)]

    def find_mail_hosts(self, name: str) -> list[str]:
        """The hosts of its MX records, the preferred first; an empty name says that it takes no mail (RFC 7505)."""
        found = sorted((one.preference, _host(one.exchange)) for one in self._ask(name, MX))
        return [host for _, host in found]

    def find_addresses(self, name: str) -> list[str]:
        """IPv4, then IPv6."""
        return [one.address for one in self._ask(name, A)] + [one.address for one in self._ask(name, AAAA)]

    def find_pointers(self, address: str) -> list[str]:
        """The names that PTR records give to an address."""
        return [_host(one.target) for one in self._ask(reverse_name(address), PTR)]

    def _ask(self, name: str, kind: type[Record]) -> list[Record]:
        with _telling(name, kind.__name__):
            try:
                answer = self._make_resolver().resolve(f"{name}.", kind.__name__, search=False)
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                return []
        return [one for one in answer if isinstance(one, kind)]

    def _make_resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=self._servers is None)
        resolver.lifetime = LIFETIME_S
        if self._servers is not None:
            places = map(parse_name_server, self._servers)
            resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port) for address, port in places]
        return resolver


def reverse_name(address: str) -> str:
    """``4.3.2.1.in-addr.arpa`` of ``1.2.3.4``."""
    return dns.reversename.from_address(address).to_text(omit_final_dot=True)


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower().rstrip(".")


def _clean(octets: bytes) -> str:
    return "".join(char for char in octets.decode("utf-8", "replace")[:TEXT_LENGTH] if char.isprintable())


@contextmanager
def _telling(name: str, kind: str) -> Iterator[None]:
    try:
        yield
    except (dns.exception.DNSException, OSError) as error:
        raise DnsError(
            f"{kind} of {name} could not be looked up ({error}). "
            "Check the network, or name other servers in [dns]: servers"
        ) from error
