"""A newsroom with hands: put items in, change them, and see what its feeds make of it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, insert, update

from feeds.content import Content
from feeds.model import Classification, Item
from publisher.app import App
from publisher.store.frozen import freeze_item
from publisher.store.item_changes import change_item
from publisher.store.items import read_item
from publisher.store.newsroom import read_labels
from publisher.store.retired import retire_label, revive_label
from publisher.store.schema import item_labels, item_versions, items, themes

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ABOUT = Classification(themes=("asylum",), primary_theme="asylum", countries=("ML",), regions=("africa",), kind="call")


@dataclass(frozen=True, slots=True)
class Newsroom:
    """An application on a real SQLite file, and hands to put items into it."""

    app: App
    config_file: Path

    def put(self, number: int, **changes: object) -> Item:
        item = replace(make_item(number), **changes)
        with self.app.database.write() as tx:
            tx.execute(insert(items).values(_row(item)))
            tx.execute(insert(item_labels), _label_rows(item))
        return item

    def change(self, number: int, **values: object) -> None:
        with self.app.database.write() as tx:
            old = read_item(tx, number)
            kept = {"item_id": number, "version": old.version, "until": NOON, "content": freeze_item(old)}
            tx.execute(insert(item_versions).values(kept))
            tx.execute(update(items).where(items.c.id == number).values(**values, version=old.version + 1))

    def relabel(self, number: int, *, theme: str, updated_at: datetime) -> None:
        with self.app.database.write() as tx:
            item = read_item(tx, number)
            content = Content(**{name: getattr(item, name) for name in Content.__dataclass_fields__})
            classification = replace(item.classification, themes=(theme,), primary_theme=theme)
            change_item(tx, number, content=content, classification=classification, now=updated_at)

    def add_theme(self, code: str, *, title: str) -> None:
        rule = {"id": code, "title": {"en": title}}
        with self.app.database.write() as tx:
            tx.execute(insert(themes).values(id=code, position=0, rule=rule))

    def retire_theme(self, code: str, *, now: datetime) -> None:
        with self.app.database.write() as tx:
            (label,) = (theme for theme in read_labels(tx)[0] if theme.id == code)
            retire_label(tx, "theme", label, successor=None, now=now)
            tx.execute(delete(themes).where(themes.c.id == code))

    def revive_theme(self, code: str, *, title: str) -> None:
        with self.app.database.write() as tx:
            revive_label(tx, "theme", code)
        self.add_theme(code, title=title)

    def make_change(self, change: str) -> None:
        match change:
            case "new":
                self.put(9)
            case "changed":
                self.change(1, title="Renamed", updated_at=NOON + timedelta(hours=1))
            case "changed with the clock set back":
                self.change(1, title="Renamed", updated_at=NOON - timedelta(days=400))
            case "label":
                self.add_theme("ferries", title="Ferries")


def make_item(number: int) -> Item:
    return Item(
        id=number,
        uid=f"uid{number:02}",
        url=f"https://harbour.example/news/{number}",
        title=f"Ferry line {number} opens",
        summary=f"The council and the port open line {number}.",
        language="en",
        day=date(2026, 11, 20),
        date_source="source",
        published_at=NOON - timedelta(days=number),
        updated_at=NOON - timedelta(hours=number),
        classification=ABOUT,
    )


def _row(item: Item) -> dict[str, object]:
    names = ("id", "uid", "url", "title", "summary", "language", "day", "date_source", "published_at", "updated_at")
    return {name: getattr(item, name) for name in names} | {
        "identity": item.url,
        "first_seen_at": item.updated_at,
        "primary_theme": item.classification.primary_theme,
        "kind": item.classification.kind,
        "matches": [],
    }


def _label_rows(item: Item) -> list[dict[str, object]]:
    found = item.classification
    axes = {"theme": found.themes, "region": found.regions, "country": found.countries}
    return [
        {"item_id": item.id, "axis": axis, "label": label, "position": position}
        for axis, labels in axes.items()
        for position, label in enumerate(labels)
    ]
