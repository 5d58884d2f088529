"""A fictional newsroom on a real SQLite file, with hands to put items and people into it and a clock set by hand."""

import atexit
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Table, insert, select

from feeds.criteria import Criteria
from publisher.app import App, open_app
from publisher.store.newsroom import put_entry
from publisher.store.schema import item_labels, items, subscribers, subscriptions
from publisher.store.subscribers import put_criteria
from publisher.usecases.editions import approve
from publisher.usecases.opening import open_edition
from publisher.usecases.planning import plan

MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)
"""08:00 in Vienna: when the weekly digest is cut."""

WEEKLY = {"id": "weekly", "title": {"en": "The Week", "fr": "La semaine"}, "cadence": "weekly", "day": "monday"}
DAILY = {"id": "daily", "title": {"en": "The Day"}, "cadence": "daily", "approval": "automatic"}

CONFIG = """
[site]
name = "Harbour News"
base_url = "https://harbour.example"
timezone = "Europe/Vienna"
postal_address = "1 Quay Street, Portside"

[mail]
from = "Harbour News <news@harbour.example>"
bounce_domain = "bounces.harbour.example"
{mail}
[smtp]
host = "127.0.0.1"
port = {port}
security = "{security}"
connections = {connections}
{smtp}
[web]
port = {web_port}
staff_port = 0

[dns]
servers = []
"""


@dataclass
class Clock:
    """Stands still until a test moves it, or lets it go on."""

    now: datetime = MONDAY
    goes_on: bool = False
    _started: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return self.now + timedelta(seconds=time.monotonic() - self._started if self.goes_on else 0)

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class Newsroom:
    """An application, its clock, its folder, and hands."""

    app: App
    clock: Clock
    folder: Path
    _next_item: Iterator[int] = field(default_factory=lambda: iter(range(1, 10_000)))

    @property
    def config_file(self) -> Path:
        return self.folder / "publisher.toml"

    def add_item(
        self,
        *,
        released_at: datetime | None,
        themes: Sequence[str] = ("asylum",),
        regions: Sequence[str] = ("africa",),
        language: str = "en",
        title: str | None = None,
    ) -> int:
        number = next(self._next_item)
        axes = [("theme", code) for code in themes] + [("region", code) for code in regions]
        labels = [
            {"item_id": number, "axis": axis, "label": code, "position": place}
            for place, (axis, code) in enumerate(axes)
        ]
        with self.app.database.write() as tx:
            tx.execute(insert(items).values(_item_row(number, released_at, language, title)))
            if labels:
                tx.execute(insert(item_labels), labels)
        return number

    def add_person(
        self,
        name: str,
        *wishes: Criteria,
        cadence: str = "weekly",
        language: str = "en",
        status: str = "confirmed",
        since: datetime | None = None,
        created_at: datetime | None = None,
    ) -> int:
        """A subscriber ``name@example.org`` with a subscription per wish (none given: to everything)."""
        return self.add_people(
            [name],
            wishes or (Criteria(),),
            cadence=cadence,
            language=language,
            status=status,
            since=since,
            created_at=created_at,
        )[0]

    def add_people(
        self,
        names: Sequence[str],
        wishes: Sequence[Criteria] = (Criteria(),),
        *,
        cadence: str = "weekly",
        language: str = "en",
        status: str = "confirmed",
        since: datetime | None = None,
        created_at: datetime | None = None,
    ) -> list[int]:
        since = since or self.clock.now - timedelta(days=300)
        created_at = created_at or since
        people = [_person_row(name, language, status, created_at) for name in names]
        with self.app.database.write() as tx:
            ids = list(
                tx.execute(
                    insert(subscribers).returning(subscribers.c.id, sort_by_parameter_order=True), people
                ).scalars()
            )
            keys = put_criteria(tx, wishes)
            rows = [
                {
                    "subscriber_id": person,
                    "criteria_id": keys[wish],
                    "cadence": cadence,
                    "created_at": created_at,
                    "covered_from": since,
                }
                for person in ids
                for wish in wishes
            ]
            tx.execute(insert(subscriptions), rows)
        return ids

    def put_digest(self, entry: dict[str, object], position: int = 0) -> None:
        with self.app.database.write() as tx:
            put_entry(tx, "digests", entry, position=position)

    def plan_edition(self, digest_id: str = "weekly") -> str:
        """Open, approve and plan an edition now; its name."""
        edition = open_edition(self.app, digest_id)
        approve(self.app, edition.id, actor="ada")
        plan(self.app, edition.id)
        return edition.id

    def rows(self, table: Table) -> list[dict[str, object]]:
        with self.app.database.read() as tx:
            return [dict(row) for row in tx.execute(select(table)).mappings()]


@contextmanager
def open_newsroom(
    folder: Path,
    *,
    now: datetime = MONDAY,
    port: int = 1,
    connections: int = 4,
    security: str = "none",
    web_port: int = 1,
    mail: str = "",
    smtp: str = "",
) -> Iterator[Newsroom]:
    """A newsroom with a weekly and a daily digest, nobody and nothing else in it."""
    shutil.copytree(_template(), folder, dirs_exist_ok=True)
    text = CONFIG.format(port=port, connections=connections, security=security, web_port=web_port, mail=mail, smtp=smtp)
    (folder / "publisher.toml").write_text(text)
    clock = Clock(now)
    app = open_app(folder / "publisher.toml", clock)
    newsroom = Newsroom(app, clock, folder)
    newsroom.put_digest(WEEKLY)
    newsroom.put_digest(DAILY, 1)
    try:
        yield newsroom
    finally:
        app.database.close()


@cache
def _template() -> Path:
    """A folder with a fresh database: migrating once is enough for all tests."""
    folder = Path(tempfile.mkdtemp(prefix="newsroom-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    text = CONFIG.format(port=1, connections=1, security="none", web_port=1, mail="", smtp="")
    (folder / "publisher.toml").write_text(text)
    open_app(folder / "publisher.toml").database.close()
    return folder


def _item_row(number: int, released_at: datetime | None, language: str, title: str | None) -> dict[str, object]:
    moment = released_at or MONDAY - timedelta(days=60)
    url = f"https://harbour.example/news/{number}"
    return {
        "id": number,
        "identity": url,
        "uid": f"uid{number:05}",
        "url": url,
        "title": title or f"Ferry line {number} opens",
        "summary": f"The council and the port open line {number}.",
        "language": language,
        "day": moment.date(),
        "date_source": "source",
        "published_at": moment,
        "first_seen_at": moment,
        "updated_at": moment,
        "released_at": released_at,
        "primary_theme": "asylum",
        "kind": "news",
        "matches": [],
    }


def _person_row(name: str, language: str, status: str, created_at: datetime) -> dict[str, object]:
    return {
        "address_key": f"{name}@example.org",
        "email": f"{name}@example.org",
        "name": name.title(),
        "language": language,
        "timezone": "Europe/Vienna",
        "status": status,
        "created_at": created_at,
    }


def with_hubs(app: App, *hubs: str) -> App:
    """The same application, which tells these hubs."""
    web = app.config.web.model_copy(update={"hubs": hubs})
    return replace(app, config=app.config.model_copy(update={"web": web}))
