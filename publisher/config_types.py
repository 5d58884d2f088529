"""Types of configuration values: what they may be, and what to do where they are not."""

import re
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_address
from typing import Annotated, Literal
from zoneinfo import available_timezones

import idna
from pydantic import (
    AfterValidator,
    Field,
    HttpUrl,
    TypeAdapter,
)

Language = Literal["en", "fr", "ru"]

INTERFACE_LANGUAGES: tuple[Language, ...] = ("en", "fr", "ru")
"""The languages that pages and messages speak."""


def _base_url(text: str) -> str:
    url = TypeAdapter(HttpUrl).validate_python(text)
    if url.query or url.fragment:
        raise ValueError("must have no query and no fragment")
    return text.rstrip("/")


def _timezone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError("is not a time zone. Use a name like Europe/Vienna")
    return text


def _mailbox(text: str) -> str:
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    # The parser reads a@x y as a@xy.
    if not (local and domain) or address not in text or any(char in text for char in "\r\n\0"):
        raise ValueError("is not an address. Use: Name <name@example.org>")
    if not local.isascii():
        raise ValueError("is not ASCII before the @, which few servers take. Use: Name <name@example.org>")
    Address(display_name=name, username=local, domain=parse_domain(domain))
    return text


def parse_domain(text: str) -> str:
    """The domain as a host name of A-labels (RFC 5890), as EHLO and Message-ID need it."""
    try:
        name = idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower()
    except UnicodeError as error:
        raise ValueError(f"{text!r} is not a domain name. Use a name like bounces.example.org") from error
    if name.endswith("."):
        raise ValueError("is a domain name with a dot at its end. Remove the dot")
    return name


def _selector(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9_-]{1,63})*", text):
        raise ValueError("is no selector. Use letters, digits and hyphens, like s2026")
    return text.lower()


def _name_server(text: str) -> str:
    try:
        parse_name_server(text)
    except ValueError as error:
        raise ValueError("is no name server. Use an address like 192.0.2.53 or 127.0.0.1:5353") from error
    return text


def parse_name_server(text: str) -> tuple[str, int]:
    """Address and port of ``192.0.2.53``, ``192.0.2.53:5353``, ``2001:db8::53`` or ``[2001:db8::53]:53``."""
    found = re.fullmatch(r"\[(?P<v6>[^\]]+)\](?::(?P<port6>\d{1,5}))?|(?P<v4>[\d.]+):(?P<port4>\d{1,5})", text)
    if found is None:
        return str(ip_address(text)), 53
    port = int(found["port6"] or found["port4"] or 53)
    if not 1 <= port <= 65535:
        raise ValueError(f"{port} is no port")
    return str(ip_address(found["v6"] or found["v4"])), port


def _https_url(text: str) -> str:
    url = TypeAdapter(HttpUrl).validate_python(text)
    if url.scheme != "https" and url.host not in {"127.0.0.1", "localhost"}:
        raise ValueError("must begin with https://")
    if url.fragment or url.username:
        raise ValueError("must have no fragment and no user name")
    return text


BaseUrl = Annotated[str, AfterValidator(_base_url)]
HttpsUrl = Annotated[str, AfterValidator(_https_url)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Domain = Annotated[str, AfterValidator(parse_domain)]
Selector = Annotated[str, AfterValidator(_selector)]
NameServer = Annotated[str, AfterValidator(_name_server)]
Port = Annotated[int, Field(ge=1, le=65535)]
