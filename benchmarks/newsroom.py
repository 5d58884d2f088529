"""A newsroom to measure on: items, a digest and many subscribers with random choices, straight into the database."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from feeds.criteria import Criteria
from publisher.app import App, build_app
from publisher.config import Config
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


def make_app(folder: Path, *, smtp_port: int = 2525, connections: int = 10) -> App:
    """An application on a new SQLite file, its clock at ``NOW``."""
    config = Config(
        site={"name": "Bench", "base_url": "https://news.example.org", "postal_address": "1 Example Street"},
        mail={"from": "Bench <news@example.org>", "bounce_domain": "bounces.example.org"},
        smtp={"port": smtp_port, "security": "none", "connections": connections},
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
    with app.database.write() as tx:
        people, choices = [], []
        for number in range(1, count + 1):
            people.append(_subscriber(number, chance.choice(LANGUAGES)))
            choices += [(number, wanted) for wanted in {_criteria(chance) for _ in range(chance.randint(1, 3))}]
        keys = put_criteria(tx, {wanted for _, wanted in choices})
        tx.execute(insert(subscribers), people)
        common = {
            "cadence": "weekly",
            "created_at": START - timedelta(days=1),
            "covered_from": START - timedelta(days=1),
        }
        rows = [{"subscriber_id": who, "criteria_id": keys[wanted]} | common for who, wanted in choices]
        tx.execute(insert(subscriptions), rows)


def _criteria(chance: random.Random) -> Criteria:
    return Criteria.of([chance.choice(THEMES)], [chance.choice(REGIONS)])


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
