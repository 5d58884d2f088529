"""Addresses: which may be connected to."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.fetch.addresses import is_allowed, is_public, parse_address


@pytest.mark.parametrize("text", ["8.8.8.8", "193.0.6.139", "223.255.255.1", "2a00:1450:4001::1", "2606:4700::1111"])
def test_public_addresses_are_allowed(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.254",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::8.8.8.8",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::8.8.8.8",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1"])
def test_an_internal_source_may_be_on_loopback_or_a_private_network(text: str) -> None:
    assert is_allowed(ip_address(text), internal=True)
    assert not is_allowed(ip_address(text), internal=False)


@pytest.mark.parametrize(
    "text", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::ffff:127.0.0.1", "2002:7f00:1::"]
)
def test_even_an_internal_source_may_not_be_at_the_cloud_s_metadata_or_in_disguise(text: str) -> None:
    assert not is_allowed(ip_address(text), internal=True)


@pytest.mark.parametrize(
    ("host", "is_address"),
    [("127.0.0.1", True), ("[::1]", True), ("::1", True), ("localhost", False), ("127.1", False)],
)
def test_only_what_spells_out_an_address_is_one(host: str, *, is_address: bool) -> None:
    assert (parse_address(host) is not None) is is_address


@given(st.ip_addresses())
def test_no_address_is_public_that_the_registry_does_not_call_global(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(address) or address.is_global


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_gets_through_inside_an_ipv6_address(address: IPv4Address) -> None:
    number = int(address)
    disguises = [number, 0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80]

    assert not any(is_public(IPv6Address(disguise)) for disguise in disguises)
