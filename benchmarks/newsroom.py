"""A newsroom to measure on: items, a digest and many subscribers with random choices, straight into the database."""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from feeds.criteria import Criteria
from publisher.app import App, build_app
from publisher.config import Config
from publisher.sections import Dkim
from publisher.store.newsroom import put_entry
from publisher.store.schema import item_labels, items, subscribers, subscriptions
from publisher.store.subscribers import put_criteria

THEMES = ("asylum", "irregular-return", "trafficking", "border-visa", "development", "legal-integration")
REGIONS = (
    "eu-west",
    "western-balkans-turkiye",
    "eastern-europe-central-asia",
    "mediterranean",
    "africa",
    "silk-routes",
    "global",
)
LANGUAGES = ("en", "fr", "ru")
START = datetime(2026, 11, 16, 7, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
WORDS = (
    "border", "talks", "open", "office", "centre", "course", "call", "region",
    "partner", "report", "visit", "study", "plan", "service", "team", "law",
)  # fmt: skip


PEOPLE_BATCH = 10_000
"""Subscribers stored at a time: a million of them would not fit into memory."""


def make_app(folder: Path, *, smtp_port: int = 2525, connections: int = 10, dkim: Dkim | None = None) -> App:
    """An application on the SQLite file of that folder, made where there is none; its clock stands at ``NOW``."""
    config = Config(
        site={"name": "Bench", "base_url": "https://news.example.org", "postal_address": "1 Example Street"},
        mail={"from": "Bench <news@example.org>", "bounce_domain": "bounces.example.org"},
        smtp={"port": smtp_port, "security": "none", "connections": connections},
        dns={"servers": ()},
        dkim=dkim,
        folder=folder,
    )
    app = build_app(config, lambda: NOW)
    with app.database.write() as tx:
        put_entry(tx, "digests", {"id": "weekly", "title": {"en": "Weekly"}, "cadence": "weekly"}, position=0)
    return app


def add_items(app: App, count: int, *, words: int = 45, seed: int = 1) -> None:
    """Items released within the last week, each of one or two themes and regions."""
    chance = random.Random(seed)
    with app.database.write() as tx:
        for number in range(1, count + 1):
            moment = START + timedelta(minutes=number)
            text = " ".join(chance.choices(WORDS, k=words))
            tx.execute(insert(items).values(_item(number, moment, text=text)))
            labels = [("theme", one) for one in chance.sample(THEMES, chance.choice((1, 1, 2)))]
            labels += [("region", one) for one in chance.sample(REGIONS[:-1], chance.choice((1, 1, 2)))]
            rows = [
                {"item_id": number, "axis": axis, "label": label, "position": at}
                for at, (axis, label) in enumerate(labels)
            ]
            tx.execute(insert(item_labels), rows)


def add_subscribers(app: App, count: int, *, seed: int = 2) -> None:
    """Confirmed subscribers with one to three weekly subscriptions each, every one to a random theme × region."""
    chance = random.Random(seed)
    wishes = (list({_criteria(chance) for _ in range(chance.randint(1, 3))}) for _ in range(count))
    _add_subscribers(app, wishes, chance=chance)


def add_readers(app: App, count: int, *, mixes: int, seed: int = 3) -> None:
    """Confirmed subscribers who share so many mixes of themes and regions, a few of which are much more popular.

    Each mix takes two to four themes and regions: nobody is left without items. In three languages that makes three
    variants of a mix.
    """
    chance = random.Random(seed)
    known = [_mix(chance) for _ in range(mixes)]
    popularity = list(accumulate(1 / place for place in range(3, mixes + 3)))
    wishes = ([chance.choices(known, cum_weights=popularity)[0]] for _ in range(count))
    _add_subscribers(app, wishes, chance=chance)


def _add_subscribers(app: App, wishes: Iterable[Sequence[Criteria]], *, chance: random.Random) -> None:
    numbered = enumerate(wishes, start=1)
    while batch := list(islice(numbered, PEOPLE_BATCH)):
        with app.database.write() as tx:
            _add_batch(tx, batch, choose=lambda: chance.choice(LANGUAGES))


def _add_batch(tx: Connection, batch: Sequence[tuple[int, Sequence[Criteria]]], *, choose: Callable[[], str]) -> None:
    before = START - timedelta(days=1)
    common = {"cadence": "weekly", "created_at": before, "covered_from": before}
    keys = put_criteria(tx, {wanted for _, wishes in batch for wanted in wishes})
    tx.execute(insert(subscribers), [_subscriber(number, choose()) for number, _ in batch])
    rows = [
        {"subscriber_id": number, "criteria_id": keys[wanted]} | common for number, wishes in batch for wanted in wishes
    ]
    tx.execute(insert(subscriptions), rows)


def _criteria(chance: random.Random) -> Criteria:
    return Criteria.of([chance.choice(THEMES)], [chance.choice(REGIONS)])


def _mix(chance: random.Random) -> Criteria:
    themes = chance.sample(THEMES, chance.randint(2, 4))
    return Criteria.of(themes, chance.sample(REGIONS, chance.randint(2, 4)))


def _item(number: int, moment: datetime, *, text: str) -> dict[str, Any]:  # columns of many types
    url = f"https://www.example.org/news/{number}"
    return {
        "id": number,
        "identity": url,
        "uid": f"{number:032x}",
        "url": url,
        "title": f"{text[:60].strip().capitalize()} {number}",
        "summary": text.capitalize() + ".",
        "language": "en",
        "day": date(2026, 11, 20),
        "date_source": "source",
        "published_at": moment,
        "first_seen_at": moment,
        "updated_at": moment,
        "released_at": moment,
        "primary_theme": None,
        "kind": "news",
        "matches": [],
    }


def _subscriber(number: int, language: str) -> dict[str, Any]:  # columns of many types
    email = f"reader{number}@example.org"
    return {
        "id": number,
        "address_key": email,
        "email": email,
        "name": f"Reader {number}",
        "language": language,
        "timezone": "Europe/Vienna",
        "status": "confirmed",
        "created_at": START,
    }
