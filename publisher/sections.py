"""The sections of ``publisher.toml``."""

from collections import Counter
from datetime import date
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    model_validator,
)

from publisher.config_types import (
    INTERFACE_LANGUAGES,
    BaseUrl,
    Domain,
    HttpsUrl,
    Language,
    Mailbox,
    NameServer,
    Port,
    Selector,
    Timezone,
    parse_domain,
)
from subscribers.pacing import WarmUp, parse_window


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _languages(languages: tuple[str, ...]) -> tuple[str, ...]:
    twice = [language for language, count in Counter(languages).items() if count > 1]
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there twice. Remove one")
    return languages


class Site(Section):
    name: str = Field(min_length=1)
    base_url: BaseUrl
    languages: Annotated[tuple[Language, ...], Field(min_length=1), AfterValidator(_languages)] = INTERFACE_LANGUAGES
    timezone: Timezone = "UTC"
    postal_address: str = Field(min_length=1)
    secret_file: Path | None = None
    """Key of the link tokens; by default ``publisher.secret`` beside the database."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class DatabaseSection(Section):
    url: str = "sqlite:///publisher.db"


class Mail(Section):
    sender: Mailbox = Field(alias="from")
    reply_to: Mailbox | None = None
    bounce_domain: Domain
    only_to: tuple[str, ...] | None = None
    """Patterns like ``*@example.org``; where given, nobody else gets mail, and nobody at all where it is empty."""

    @cached_property
    def sender_domain(self) -> str:
        """In ASCII, with A-labels."""
        return parse_domain(parseaddr(self.sender)[1].rpartition("@")[2])


Security = Literal["none", "starttls", "tls"]


class Relay(Section):
    """A mail server that takes our messages and delivers them."""

    name: str = Field(default="main", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    host: str = "127.0.0.1"
    port: Port = 25
    security: Security = "starttls"
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    """Certificates to trust instead of the system's: for a relay with one of its own."""
    weight: int = Field(default=1, ge=0, le=1000)
    """Its share of the messages; 0: only while no other relay works."""

    @model_validator(mode="after")
    def _has_password(self) -> Self:
        if self.username and not self.password_file:
            raise ValueError("username is given without password_file. Name the file that holds the password")
        return self


class Smtp(Relay):
    """How messages leave. With ``relays``, what a relay does not say is as written here."""

    connections: int = Field(default=10, ge=1, le=200)
    """To each relay."""
    messages_per_second: float | None = Field(default=None, gt=0)
    """Through each relay, for all senders together."""
    messages_per_connection: int = Field(default=1000, ge=1)
    timeout_scale: float = Field(default=1, gt=0, le=10)
    """Times the time-outs of RFC 5321 §4.5.3.2."""
    allow_helo: bool = False
    """Whether a server that does not know EHLO may be used."""
    mail_log: Path | None = None
    """The relay's own log: what a crash left uncertain is looked up there."""
    relays: tuple[Relay, ...] = ()

    @property
    def pool(self) -> tuple[Relay, ...]:
        """Every relay there is, in the order written."""
        return self.relays or (Relay(**self.model_dump(include=set(Relay.model_fields))),)

    @model_validator(mode="before")
    @classmethod
    def _fill_relays(cls, values: Any) -> Any:  # Any: what the file says, not checked yet
        if not isinstance(values, dict) or not isinstance(values.get("relays"), list):
            return values
        common = {key: values[key] for key in Relay.model_fields if key in values}
        return values | {"relays": [common | one if isinstance(one, dict) else one for one in values["relays"]]}

    @model_validator(mode="after")
    def _are_relays(self) -> Self:
        names = Counter(relay.name for relay in self.pool)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"relays: {', '.join(twice)} stands there twice. Give each relay a name of its own")
        if not any(relay.weight for relay in self.pool):
            raise ValueError("relays: none has a weight. Give at least one a weight of 1")
        return self


class WarmUpSection(Section):
    """A new address or domain begins with few messages a day and grows."""

    start: date
    first_day: int = Field(default=200, ge=1)
    growth: float = Field(default=1.5, gt=1, le=10)
    until: int = Field(default=100_000, ge=1)

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.until < self.first_day:
            raise ValueError("until is less than first_day. Make it what you want to reach in a day")
        return self

    @property
    def plan(self) -> WarmUp:
        return WarmUp(self.start, self.first_day, self.growth, self.until)


class DomainPace(Section):
    """A limit for the recipients of one domain."""

    domain: Domain
    messages_per_second: float = Field(gt=0)


def _window(text: str) -> str:
    parse_window(text)
    return text


def _domains(limits: tuple[DomainPace, ...]) -> tuple[DomainPace, ...]:
    twice = [domain for domain, count in Counter(limit.domain for limit in limits).items() if count > 1]
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there twice. Remove one")
    return limits


class Pace(Section):
    window: Annotated[str, AfterValidator(_window)] | None = None
    """Hours of the local day in which digests go out, like ``08:00-20:00``."""
    warm_up: WarmUpSection | None = None
    domains: Annotated[tuple[DomainPace, ...], AfterValidator(_domains)] = ()


class Dkim(Section):
    domain: Domain
    selector: Selector
    key_file: Path
    ed25519_selector: Selector | None = None
    ed25519_key_file: Path | None = None
    check_dns: bool = True
    """Nothing is sent while DNS has another key than these files."""

    @model_validator(mode="after")
    def _has_two_places(self) -> Self:
        if (self.ed25519_selector is None) != (self.ed25519_key_file is None):
            raise ValueError("ed25519_selector and ed25519_key_file go together. Give both or neither")
        if self.ed25519_selector == self.selector:
            raise ValueError("selector and ed25519_selector are the same. Each key has a selector of its own")
        return self


class Dns(Section):
    servers: tuple[NameServer, ...] | None = None
    """Whom to ask; None: those of the system. Empty: nothing is looked up."""


class Web(Section):
    host: str = "127.0.0.1"
    port: Port = 8000
    staff_port: int = Field(default=8001, ge=0, le=65535)
    """On 127.0.0.1, where the site is open to others; 0: no staff pages."""
    hubs: tuple[HttpsUrl, ...] = ()
    """WebSub hubs that feeds name, and that are told of changes."""
    feeds_dir: Path | None = None
    """A tree of files that is built whenever something has changed, before hubs are told."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(default=("127.0.0.0/8", "::1/128"), validate_default=True)
    """Whose ``X-Forwarded-For`` is believed."""
    feeds_per_minute: float = Field(default=60, ge=0)
    """Full feeds that one reader may get; 0: no limit."""
