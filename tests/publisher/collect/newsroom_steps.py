"""Steps that the tests of collecting share."""

from collections.abc import Sequence
from typing import Any

import tomlkit
from local_web import Web
from sqlalchemy import Table, select

from feeds.model import Item
from publisher.app import App
from publisher.fetch.fetcher import Fetcher, Limits
from publisher.store.items import select_items
from publisher.usecases.collect import collect
from publisher.usecases.collect_report import CollectReport, SourceReport
from publisher.usecases.newsroom import apply

SELECT = {
    "item": "li",
    "title": "b",
    "link": "a",
    "date": "i",
    "date_format": "%d %B %Y",
    "summary": "p",
    "next": "a[rel=next]",
}


def set_up(app: App, *sources: dict[str, Any]) -> None:
    """Make these the sources of the newsroom."""
    apply(app, tomlkit.dumps({"sources": list(sources)}), name="newsroom.toml")


def listing(web: Web, source_id: str = "news", **changes: Any) -> dict[str, Any]:
    entry = {"id": source_id, "kind": "listing", "url": f"{web.url}/{source_id}/", "language": "en", "every": "30m"}
    return entry | {"internal": True, "select": SELECT} | changes


def feed(web: Web, source_id: str = "rss", **changes: Any) -> dict[str, Any]:
    entry = {"id": source_id, "kind": "feed", "url": f"{web.url}/{source_id}", "language": "en", "every": "30m"}
    return entry | {"internal": True} | changes


def page(*names: str, rest: str = "") -> str:
    """A listing of items with these names."""
    return f"<ul>{''.join(story(name) for name in names)}</ul>{rest}"


def story(name: str, *, title: str = "", date: str = "1 March 2026", summary: str = "") -> str:
    shown = title or f"About {name}"
    return f'<li><a href="/{name}"><b>{shown}</b></a> <i>{date}</i> <p>{summary or f"All of {name}."}</p></li>'


def rss(*items: str) -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>N</title>{"".join(items)}</channel></rss>'


def entry(name: str, *, guid: str = "", title: str = "", more: str = "") -> str:
    """An RSS item."""
    shown = title or f"About {name}"
    own = f'<guid isPermaLink="false">{guid}</guid>' if guid else ""
    return f"<item><title>{shown}</title><link>/{name}</link>{own}{more}</item>"


def quick(app: App, source_ids: Sequence[str] | None = None, **limits: Any) -> CollectReport:
    """Collect with short limits."""
    return collect(app, source_ids, fetcher=Fetcher("publisher/test", Limits(**{"total_s": 2} | limits)))


def report_of(report: CollectReport, source_id: str) -> SourceReport:
    return next(source for source in report.sources if source.id == source_id)


def items(app: App) -> list[Item]:
    with app.database.read() as tx:
        return sorted(select_items(tx), key=lambda item: item.url)


def titles(app: App) -> list[str]:
    return [item.title for item in items(app)]


def rows(app: App, table: Table) -> list[Any]:
    with app.database.read() as tx:
        return list(tx.execute(select(table)).all())
