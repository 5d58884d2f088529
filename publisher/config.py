"""The deployment: ``publisher.toml`` with ``PUBLISHER_SECTION__KEY`` variables over it."""

import os
import re
import ssl
import tomllib
from collections import Counter
from datetime import date
from email.headerregistry import Address
from email.utils import parseaddr
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, available_timezones

import idna
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from publisher.errors import ConfigError
from subscribers.pacing import WarmUp, parse_window

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
    Address(display_name=name, username=local, domain=_domain(domain))
    return text


def _domain(text: str) -> str:
    """The domain as a host name of A-labels (RFC 5890), as EHLO and Message-ID need it."""
    try:
        name = idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower()
    except UnicodeError as error:
        raise ValueError(f"{text!r} is not a domain name. Use a name like bounces.example.org") from error
    if name.endswith("."):
        raise ValueError("is a domain name with a dot at its end. Remove the dot")
    return name


def _languages(languages: tuple[str, ...]) -> tuple[str, ...]:
    twice = [language for language, count in Counter(languages).items() if count > 1]
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there twice. Remove one")
    return languages


def _window(text: str) -> str:
    parse_window(text)
    return text


def _domains(limits: "tuple[DomainPace, ...]") -> "tuple[DomainPace, ...]":
    twice = [domain for domain, count in Counter(limit.domain for limit in limits).items() if count > 1]
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there twice. Remove one")
    return limits


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


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Domain = Annotated[str, AfterValidator(_domain)]
Selector = Annotated[str, AfterValidator(_selector)]
NameServer = Annotated[str, AfterValidator(_name_server)]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


_Found = TypeVar("_Found", bound=_Section)


class Site(_Section):
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


class DatabaseSection(_Section):
    url: str = "sqlite:///publisher.db"


class Mail(_Section):
    sender: Mailbox = Field(alias="from")
    reply_to: Mailbox | None = None
    bounce_domain: Domain
    only_to: tuple[str, ...] | None = None
    """Patterns like ``*@example.org``; where given, nobody else gets mail, and nobody at all where it is empty."""

    @cached_property
    def sender_domain(self) -> str:
        """In ASCII, with A-labels."""
        return _domain(parseaddr(self.sender)[1].rpartition("@")[2])


Security = Literal["none", "starttls", "tls"]


class Relay(_Section):
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


class WarmUpSection(_Section):
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


class DomainPace(_Section):
    """A limit for the recipients of one domain."""

    domain: Domain
    messages_per_second: float = Field(gt=0)


class Pace(_Section):
    window: Annotated[str, AfterValidator(_window)] | None = None
    """Hours of the local day in which digests go out, like ``08:00-20:00``."""
    warm_up: WarmUpSection | None = None
    domains: Annotated[tuple[DomainPace, ...], AfterValidator(_domains)] = ()


class Dkim(_Section):
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


class Dns(_Section):
    servers: tuple[NameServer, ...] | None = None
    """Whom to ask; None: those of the system. Empty: nothing is looked up."""


class Web(_Section):
    host: str = "127.0.0.1"
    port: Port = 8000
    staff_port: int = Field(default=8001, ge=0, le=65535)
    """On 127.0.0.1, where the site is open to others; 0: no staff pages."""


class Config(BaseSettings):
    """Everything about this deployment; paths are absolute, resolved against the file's folder."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="PUBLISHER_", env_nested_delimiter="__", populate_by_name=True
    )

    site: Site
    database: DatabaseSection = DatabaseSection()
    mail: Mail
    smtp: Smtp = Smtp()
    pace: Pace = Pace()
    dkim: Dkim | None = None
    dns: Dns = Dns()
    web: Web = Web()
    folder: Path = Field(default=Path(), exclude=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load_config(path: Path) -> Config:
    """The configuration in that file; ConfigError names file, key and remedy."""
    values = _read_toml(path)
    if "folder" in values:
        raise ConfigError(f"{path}: folder: unknown key. Remove it")
    _check_variables(path)
    try:
        config = Config(**values)
    except ValidationError as error:
        raise ConfigError(_explain(error, path)) from error
    except SettingsError as error:
        raise ConfigError(f"{path}: a PUBLISHER_… variable cannot be read ({error}). Write lists as JSON") from error
    located = _with_absolute_paths(config.model_copy(update={"folder": path.resolve().parent}))
    _check_secrets(located, path)
    return located


def read_secret(path: Path, *, key: str, remedy: str = "Create it, readable by this user only") -> str:
    """The text of a secret file without its last newline; ConfigError names the key that asked for it."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key}: cannot read {path} ({error}). {remedy}") from error
    if not text:
        raise ConfigError(f"{key}: {path} is empty. Write the secret into it")
    return text


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist. Run: publisher init {path.parent}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def _check_variables(path: Path) -> None:
    """Find a variable that would override nothing, as a misspelt section does."""
    sections = [name for name in Config.model_fields if name != "folder"]
    for variable in os.environ:
        prefix, _, rest = variable.upper().partition("_")
        section, separator, key = rest.partition("__")
        is_known = separator and key and section.lower() in sections
        if prefix == "PUBLISHER" and not is_known and variable != "PUBLISHER_FAILPOINT":
            raise ConfigError(
                f"{path}: the environment has {variable}, which is no key. Use PUBLISHER_SECTION__KEY"
                f" with a section of {', '.join(sections)}, or unset it"
            )


def _check_secrets(config: Config, path: Path) -> None:
    """Find a missing secret now, not when the first message is due."""
    try:
        for relay in config.smtp.pool:
            if relay.password_file:
                read_secret(relay.password_file, key="smtp.password_file")
            if relay.ca_file:
                _check_certificates(relay.ca_file)
        if config.dkim:
            read_secret(config.dkim.key_file, key="dkim.key_file")
        if config.dkim and config.dkim.ed25519_key_file:
            read_secret(config.dkim.ed25519_key_file, key="dkim.ed25519_key_file")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _check_certificates(path: Path) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        raise ConfigError(f"smtp.ca_file: {path} holds no certificates ({error}). Name a PEM file of them") from error


def _with_absolute_paths(config: Config) -> Config:
    def absolute(path: Path) -> Path:
        return (config.folder / path).resolve()

    def located(section: _Found) -> _Found:
        """A section with its files found from the folder of the configuration."""
        files = {key: absolute(value) for key, value in section if isinstance(value, Path)}
        return section.model_copy(update=files)

    site = located(config.site)
    smtp = located(config.smtp).model_copy(update={"relays": tuple(map(located, config.smtp.relays))})
    dkim = config.dkim and located(config.dkim)
    return config.model_copy(update={"site": site, "smtp": smtp, "dkim": dkim})


def _explain(error: ValidationError, path: Path) -> str:
    return "\n".join(f"{path}: {_key(problem['loc'])}: {_remedy(problem)}" for problem in error.errors())


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _remedy(problem: Any) -> str:  # Any: pydantic's ErrorDetails, a TypedDict of its core
    match problem["type"]:
        case "extra_forbidden":
            return "unknown key. Remove it or correct its spelling"
        case "missing":
            return "is missing. Add it"
        case "value_error":
            return f"{problem['input']!r}: {problem['ctx']['error']}"
        case _:
            return f"{problem['input']!r}: {problem['msg']}"
