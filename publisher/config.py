"""The deployment: ``publisher.toml`` with ``PUBLISHER_SECTION__KEY`` variables over it."""

import os
import ssl
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import (
    Field,
    ValidationError,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from publisher.errors import ConfigError
from publisher.sections import DatabaseSection, Dkim, Dns, Mail, Pace, Section, Site, Smtp, Web

_Found = TypeVar("_Found", bound=Section)


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

    site, web = located(config.site), located(config.web)
    smtp = located(config.smtp).model_copy(update={"relays": tuple(map(located, config.smtp.relays))})
    dkim = config.dkim and located(config.dkim)
    return config.model_copy(update={"site": site, "web": web, "smtp": smtp, "dkim": dkim})


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
