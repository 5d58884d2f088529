"""Which network addresses may be connected to. ``ipaddress.is_global`` alone lets too much through."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

# Beside what is_global knows: transition mechanisms carry an IPv4 address that nobody has checked.
_NEVER_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "198.18.0.0/15",  # benchmarking
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # Teredo, ORCHID and other assignments (RFC 2928)
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")  # leaves out IPv4-mapped, NAT64, unique local, link-local, multicast …
_INTERNAL = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)


def is_public(address: Address) -> bool:
    """Whether the address is one that anybody on the internet may reach."""
    if any(address in network for network in _NEVER_PUBLIC):
        return False
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast


def is_allowed(address: Address, *, internal: bool) -> bool:
    """Whether to connect: to public addresses, and to loopback and private ones where an admin has said so.

    Link-local addresses (cloud metadata) and multicast are refused even then.
    """
    return is_public(address) or (internal and any(address in network for network in _INTERNAL))


def parse_address(host: str) -> Address | None:
    """The address that a host of a URL spells out; None for a name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None
