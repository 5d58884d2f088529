"""A database of the tests, its people, and what is told of them."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from publisher.app import App
from publisher.config import Config
from publisher.sections import Mail, Site
from publisher.store import schema
from publisher.usecases.subscribers import (
    ImportReport,
    import_subscribers,
    show_subscriber,
)
from subscribers.tokens import make_unsubscribe_token

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CONSENT_AT = datetime(2026, 1, 10, 9, tzinfo=UTC)
HEADER = "email,name,language,cadence,themes,regions,timezone,status,consent_source,consent_at"
ANA = "ana@example.org,Ana Kovač,en,weekly,asylum,*,Europe/Vienna,confirmed,form,2026-01-10T09:00:00Z"
ANA_DAILY = ANA.replace("weekly", "daily")


def make_config(folder: Path) -> Config:
    site = Site(name="Harbour News", base_url="https://news.example.org", postal_address="1 Quay Street")
    mail = Mail(sender="Harbour News <news@example.org>", bounce_domain="bounces.example.org")
    return Config(site=site, mail=mail, folder=folder)


def run_import(app: App, *lines: str) -> ImportReport:
    return import_subscribers(app, [f"{line}\n".encode() for line in (HEADER, *lines)], actor="import")


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, len(report.problems)


def dump(app: App) -> dict[str, list[tuple[object, ...]]]:
    tables = (schema.subscribers, schema.subscriptions, schema.criteria, schema.consents, schema.suppressions)
    with app.database.read() as tx:
        return {table.name: [tuple(row) for row in tx.execute(select(table))] for table in tables}


def active_wishes(app: App, address: str) -> set[tuple[str, str]]:
    record = show_subscriber(app, address)
    return {(one.cadence, one.criteria.text) for one in record.subscriptions if one.is_active}


def link_of(app: App, address: str, *, digest_number: int = 1) -> str:
    subscriber_id = show_subscriber(app, address).subscriber.id
    return make_unsubscribe_token(app.secret, subscriber_id=subscriber_id, digest_number=digest_number)
