"""Schema migrations by Alembic: a new database is made at once, an old one is upgraded on demand."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from publisher.errors import ConfigError
from publisher.store.database import Database


def create_or_check(database: Database) -> bool:
    """Create the schema in an empty database (True); ConfigError where an existing one needs an upgrade."""
    with database.read() as tx:
        is_empty = not inspect(tx).get_table_names()
        revision = None if is_empty else MigrationContext.configure(tx).get_current_revision()
    if is_empty:
        upgrade(database)
        return True
    if revision != head_revision():
        raise ConfigError(
            f"{database.url}: the schema is {revision}, this release needs {head_revision()}. Run: publisher db upgrade"
        )
    return False


def upgrade(database: Database) -> None:
    """Migrate to the newest schema, all steps in one transaction; may be repeated."""
    with database.write() as tx:
        command.upgrade(_alembic_config(tx), "head")


def head_revision() -> str | None:
    """The newest revision this release knows."""
    return ScriptDirectory.from_config(_alembic_config()).get_current_head()


def _alembic_config(tx: Connection | None = None) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = tx
    return config
