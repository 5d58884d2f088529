"""The deployment: ``publisher.toml`` with ``PUBLISHER_SECTION__KEY`` variables over it."""

import os
import tomllib
from collections import Counter
from email.headerregistry import Address
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

import idna
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    IPvAnyNetwork,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from publisher.errors import ConfigError

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
Domain = Annotated[str, AfterValidator(_domain)]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


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


class Smtp(_Section):
    host: str = "127.0.0.1"
    port: Port = 25
    security: Literal["none", "starttls", "tls"] = "starttls"
    connections: int = Field(default=10, ge=1, le=200)
    username: str | None = None
    password_file: Path | None = None
    messages_per_second: float | None = Field(default=None, gt=0)
    timeout_s: float = Field(default=60, gt=0)
    """For each step of the dialogue but the last; the server has ten minutes to answer a body (RFC 5321 §4.5.3.2)."""

    @model_validator(mode="after")
    def _has_password(self) -> Self:
        if self.username and not self.password_file:
            raise ValueError("username is given without password_file. Name the file that holds the password")
        return self


class Dkim(_Section):
    domain: Domain
    selector: str = Field(min_length=1)
    key_file: Path


class Web(_Section):
    host: str = "127.0.0.1"
    port: Port = 8000
    staff_port: int = Field(default=8001, ge=0, le=65535)
    """On 127.0.0.1, where the site is open to others; 0: no staff pages."""
    hubs: tuple[HttpsUrl, ...] = ()
    """WebSub hubs that feeds name, and that are told of changes."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(default=("127.0.0.0/8", "::1/128"), validate_default=True)
    """Whose ``X-Forwarded-For`` is believed."""
    feeds_per_minute: float = Field(default=60, ge=0)
    """Full feeds that one reader may get; 0: no limit."""


class Config(BaseSettings):
    """Everything about this deployment; paths are absolute, resolved against the file's folder."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="PUBLISHER_", env_nested_delimiter="__", populate_by_name=True
    )

    site: Site
    database: DatabaseSection = DatabaseSection()
    mail: Mail
    smtp: Smtp = Smtp()
    dkim: Dkim | None = None
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

    def password(self) -> str | None:
        """The SMTP password, read from its file."""
        return (
            None if self.smtp.password_file is None else read_secret(self.smtp.password_file, key="smtp.password_file")
        )


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
        config.password()
        if config.dkim:
            read_secret(config.dkim.key_file, key="dkim.key_file")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _with_absolute_paths(config: Config) -> Config:
    def absolute(path: Path | None) -> Path | None:
        return None if path is None else (config.folder / path).resolve()

    site = config.site.model_copy(update={"secret_file": absolute(config.site.secret_file)})
    smtp = config.smtp.model_copy(update={"password_file": absolute(config.smtp.password_file)})
    dkim = config.dkim and config.dkim.model_copy(update={"key_file": absolute(config.dkim.key_file)})
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
