"""Schema migrations by Alembic: a new database is made at once, an old one is upgraded on demand."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from publisher.errors import ConfigError, StoreError
from publisher.store.database import Database

if TYPE_CHECKING:  # every command checks the schema, few migrate: Alembic takes a third of a second to import
    from alembic.config import Config as AlembicConfig

SCHEMA_REVISION = "0005_websub"
"""The newest revision; a test holds it to the migrations."""


def create_or_check(database: Database) -> bool:
    """Create the schema in an empty database (True); ConfigError where an existing one needs an upgrade."""
    is_empty, revision = _look(database)
    if is_empty:
        upgrade(database)
        return True
    _check_revision(database, revision)
    return False


def check(database: Database) -> None:
    """ConfigError where the database cannot be used as it is; nothing is created."""
    file = database.file
    has_content = file is None or (file.exists() and file.stat().st_size > 0)
    is_empty, revision = _look(database) if has_content else (True, None)
    if is_empty:
        raise ConfigError(f"database.url: {database.url} is not made yet. Run: publisher apply newsroom.toml")
    _check_revision(database, revision)


def _check_revision(database: Database, revision: str | None) -> None:
    if revision is None:
        raise ConfigError(f"database.url: {database.url} holds other tables than ours. Name another file")
    if revision != SCHEMA_REVISION:
        raise ConfigError(
            f"{database.url}: the schema is {revision}, this release needs {SCHEMA_REVISION}. Run: publisher db upgrade"
        )


def upgrade(database: Database) -> None:
    """Migrate to the newest schema, all steps in one transaction; may be repeated.

    ConfigError where the database was made by a newer release.
    """
    from alembic import command  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    try:
        with database.write() as tx:
            command.upgrade(make_alembic_config(tx), "head")
    except CommandError as error:
        raise ConfigError(f"{database.url}: {error}. Install the release that made this database") from error


def make_alembic_config(tx: Connection | None = None) -> "AlembicConfig":
    """Alembic's view of our migrations, run on that connection."""
    from alembic.config import Config as AlembicConfig  # noqa: PLC0415

    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = tx
    return config


def _look(database: Database) -> tuple[bool, str | None]:
    """Whether the database is empty, and its revision where it is ours."""
    try:
        with database.read() as tx:
            tables = inspect(tx).get_table_names()
            revision = _read_revision(tx) if "alembic_version" in tables else None
    except StoreError as error:
        raise ConfigError(f"database.url: {database.url} cannot be opened ({error}). Name another file") from error
    return not tables, revision


def _read_revision(tx: Connection) -> str | None:
    revision: str | None = tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision
