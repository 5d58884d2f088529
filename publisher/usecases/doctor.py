"""Whether this deployment can do its work: each finding says what is wrong and what to do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from publisher.app import App, open_app
from publisher.errors import PublisherError
from publisher.store.newsroom import list_digests
from publisher.transport.smtp import Connection
from publisher.usecases.addressing import check_signing


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    is_well: bool
    text: str


def examine(config_file: Path) -> list[Finding]:
    """Look at configuration, database, set-up and SMTP server; without a configuration nothing further can be seen."""
    try:
        app = open_app(config_file)
    except PublisherError as error:
        return [Finding("configuration", is_well=False, text=str(error))]
    checks: list[tuple[str, Callable[[App], str]]] = [
        ("database", _check_database),
        ("digests", _check_digests),
        ("dkim", _check_dkim),
        ("smtp", _check_smtp),
    ]
    return [Finding("configuration", is_well=True, text=str(config_file)), *(_run(app, *check) for check in checks)]


def _run(app: App, subject: str, check: Callable[[App], str]) -> Finding:
    try:
        return Finding(subject, is_well=True, text=check(app))
    except PublisherError as error:
        return Finding(subject, is_well=False, text=str(error))
    except DatabaseError as error:
        return Finding(subject, is_well=False, text=f"{error.orig}. Restore the file from a backup")


def _check_database(app: App) -> str:
    with app.database.read() as tx:
        if app.database.is_sqlite and tx.exec_driver_sql("PRAGMA quick_check").scalar() != "ok":
            raise PublisherError("the file is damaged. Restore it from a backup")
    return str(app.database.url)


def _check_digests(app: App) -> str:
    with app.database.read() as tx:
        names = [one.digest.id for one in list_digests(tx)]
    return ", ".join(names) or "none yet; write them into newsroom.toml and run: publisher apply newsroom.toml"


def _check_dkim(app: App) -> str:
    check_signing(app)
    dkim = app.config.dkim
    return f"signs as {dkim.selector}._domainkey.{dkim.domain}" if dkim else "messages are not signed here"


def _check_smtp(app: App) -> str:
    async def greet() -> None:
        async with Connection(app.config):
            pass

    asyncio.run(greet())
    return f"{app.config.smtp.host}:{app.config.smtp.port} answers"
