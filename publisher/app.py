"""What every use-case is given: configuration, database, clock, secret."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from publisher.config import Config, load_config, read_secret
from publisher.errors import ConfigError
from publisher.store.database import Database, parse_database_url
from publisher.store.migrate import SCHEMA_REVISION, check, create_or_check, upgrade

Clock = Callable[[], datetime]
"""Returns the aware UTC moment; read once per use-case."""


@dataclass(frozen=True, slots=True)
class App:
    """The few things that use-cases work with. Frozen: one per process, shared by threads."""

    config: Config
    database: Database
    clock: Clock
    secret: bytes
    """Key of link tokens and address hashes; losing it breaks every unsubscribe link already mailed."""


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


def open_app(config_file: Path, clock: Clock = utc_now) -> App:
    """The application of that configuration; a database that does not exist yet is created with its secret."""
    config = load_config(config_file)
    return build_app(config, clock)


def find_app(config: Config, clock: Clock = utc_now) -> App:
    """The application over what is there: as ``build_app``, but a database or secret that is missing is an error."""
    database = _database(config)
    check(database)
    return App(config, database, clock, _load_secret(config.site.secret_file or default_secret_file(database)))


def build_app(config: Config, clock: Clock = utc_now) -> App:
    """The application of a configuration made in memory or read from a file."""
    database = _database(config)
    secret_file = config.site.secret_file or default_secret_file(database)
    is_new = create_or_check(database)
    if is_new and config.site.secret_file is None:
        write_secret(secret_file)
    return App(config, database, clock, _load_secret(secret_file))


def _database(config: Config) -> Database:
    return Database(parse_database_url(config.database.url, config.folder))


def default_secret_file(database: Database) -> Path:
    """``publisher.secret`` beside the SQLite file."""
    folder = database.file.parent if database.file else Path()
    return folder / "publisher.secret"


def write_secret(path: Path) -> bool:
    """Create the secret with mode 0600; False where the file was there already, which is kept."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
    return True


_RESTORE = "Restore your copy: with another secret the links in mails already sent no longer work"


def _load_secret(path: Path) -> bytes:
    text = read_secret(path, key="site.secret_file", remedy=_RESTORE)
    if len(text) < 32:
        raise ConfigError(
            f"site.secret_file: {path} holds fewer than 32 characters. Write 64 hexadecimal digits into it"
        )
    return text.encode()


def upgrade_database(config_file: Path) -> str:
    """Migrate that configuration's database; the revision it has then."""
    database = _database(load_config(config_file))
    upgrade(database)
    return SCHEMA_REVISION
