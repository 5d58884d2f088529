"""Whether this deployment can do its work: each finding says what is wrong and what to do."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from publisher.app import App, find_app
from publisher.config import Config, load_config
from publisher.dns import Names
from publisher.errors import PublisherError
from publisher.mail.dkim import load_signer
from publisher.sections import Relay
from publisher.store.feed_records import list_problems
from publisher.store.newsroom import list_digests
from publisher.store.sources import find_failing, read_sources
from publisher.transport.smtp import connect
from publisher.usecases import domains
from publisher.usecases.breakers import describe_breakers
from publisher.usecases.sample import render_sample

SOUND_SQLITE = (3, 51, 3)
"""The first release without the WAL-reset bug."""

DOMAIN_CHECKS = {
    "dkim record": domains.check_dkim,
    "spf": domains.check_spf,
    "dmarc": domains.check_dmarc,
    "mx": domains.check_mail_hosts,
    "ptr": domains.check_pointers,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    is_well: bool
    text: str


def examine(config_file: Path) -> list[Finding]:
    """Look at configuration, database, digests, templates, signing, SMTP server and DNS; nothing is created or changed.

    Without a configuration nothing further can be seen.
    """
    try:
        config = load_config(config_file)
    except PublisherError as error:
        return [Finding("configuration", is_well=False, text=str(error))]
    checks: list[tuple[str, Callable[[], str]]] = [
        ("templates", lambda: _check_templates(config)),
        ("dkim", lambda: _check_dkim(config)),
        ("smtp", lambda: _check_smtp(config)),
    ]
    found = [_run(*check) for check in checks] + _examine_domains(config)
    return [Finding("configuration", is_well=True, text=str(config_file)), *_examine_database(config), *found]


def _examine_database(config: Config) -> list[Finding]:
    try:
        app = find_app(config)
    except PublisherError as error:
        return [Finding("database", is_well=False, text=str(error))]
    try:
        checks = {
            "database": _check_database,
            "sources": _check_sources,
            "feeds": _check_feeds,
            "digests": _check_digests,
            "pace": _check_pace,
        }
        return [_run(subject, partial(check, app)) for subject, check in checks.items()]
    finally:
        app.database.close()


def _examine_domains(config: Config) -> list[Finding]:
    """All at once: where no name server answers, each look-up takes seconds."""
    if config.dns.servers == ():
        return [Finding("dns", is_well=True, text="nothing is looked up: dns.servers is empty")]
    names = Names(config.dns)
    with ThreadPoolExecutor(len(DOMAIN_CHECKS)) as threads:
        return list(threads.map(lambda one: _run(one[0], partial(one[1], config, names)), DOMAIN_CHECKS.items()))


def _run(subject: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, is_well=True, text=check())
    except PublisherError as error:
        return Finding(subject, is_well=False, text=str(error))


def _check_database(app: App) -> str:
    with app.database.read() as tx:
        if app.database.is_sqlite and tx.exec_driver_sql("PRAGMA quick_check").scalar() != "ok":
            raise PublisherError(f"{app.database.file} is damaged. Restore it from a backup")
    if app.database.is_sqlite and sqlite3.sqlite_version_info < SOUND_SQLITE:
        return (
            f"{app.database.url}; this is SQLite {sqlite3.sqlite_version}: before "
            f"{'.'.join(map(str, SOUND_SQLITE))} a reset of its write-ahead log could, seldom, damage the file. "
            "Use a newer Python or SQLite, and keep backups"
        )
    return str(app.database.url)


def _check_sources(app: App) -> str:
    with app.database.read() as tx:
        names, failing = [one.source.id for one in read_sources(tx)], find_failing(tx)
    if failing:
        raise PublisherError("; ".join(f"{name} failed: {error}" for name, error in failing))
    return ", ".join(names) or "none yet; write them into newsroom.toml and run: publisher apply newsroom.toml"


def _check_feeds(app: App) -> str:
    with app.database.read() as tx:
        problems = list_problems(tx)
    if problems:
        raise PublisherError("; ".join(f"{name} stays as it was: {problem}" for name, problem in problems))
    return "every feed that was asked for could be rendered"


def _check_digests(app: App) -> str:
    with app.database.read() as tx:
        names = [one.digest.id for one in list_digests(tx)]
    return ", ".join(names) or "none yet; write them into newsroom.toml and run: publisher apply newsroom.toml"


def _check_pace(app: App) -> str:
    if held := describe_breakers(app):
        raise PublisherError("; ".join(held))
    return "no relay or provider is left alone or slowed down"


def _check_templates(config: Config) -> str:
    for language in config.site.languages:
        render_sample(config, language)
    return f"a sample digest renders in {', '.join(config.site.languages)}"


def _check_dkim(config: Config) -> str:
    if config.dkim is None:
        return "messages are not signed here"
    return f"signs as {' and '.join(one.place for one in load_signer(config.dkim).identities)}"


def _check_smtp(config: Config) -> str:
    async def greet(relay: Relay) -> None:
        await (await connect(config, relay)).quit()

    for relay in config.smtp.pool:
        asyncio.run(greet(relay))
    return ", ".join(f"{relay.host}:{relay.port} answers" for relay in config.smtp.pool)
