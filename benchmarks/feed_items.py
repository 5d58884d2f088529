"""A newsroom with many items, for benchmarks of feeds."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from feeds.content import Content
from feeds.model import KINDS, Classification
from publisher.app import App, open_app
from publisher.store.item_changes import NewItem, insert_items
from publisher.usecases.catalogue import Catalogue, read_catalogue

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

_BATCH = 5000
_CONFIG = """
[site]
name = "Harbour News"
base_url = "https://harbour.example"
postal_address = "1 Quay Street, Portside"

[mail]
from = "Harbour News <news@harbour.example>"
bounce_domain = "bounces.harbour.example"

[web]
port = {port}
staff_port = 0
"""


def make_newsroom(folder: Path, *, items: int, port: int = 1) -> App:
    """An application with so many items of all themes, regions and languages, the first of them the newest."""
    (folder / "publisher.toml").write_text(_CONFIG.format(port=port))
    app = open_app(folder / "publisher.toml", clock=lambda: NOON)
    new = make_items(read_catalogue(app))
    for start in range(0, items, _BATCH):
        with app.database.write() as tx:
            insert_items(tx, list(islice(new, min(_BATCH, items - start))), now=NOON)
    return app


def make_items(catalogue: Catalogue, *, seed: int = 1) -> Iterator[NewItem]:
    """Items without end, always the same; half of them with one theme and one region, half with two of each."""
    chance = random.Random(seed)
    words = _make_words(chance)
    themes, regions = ([label.id for label in labels] for labels in (catalogue.themes, catalogue.regions))
    number = 0
    while True:
        number += 1
        many = chance.choice([1, 2])
        about = Classification(
            themes=tuple(chance.sample(themes, many)),
            regions=tuple(chance.sample(regions, many)),
            kind=chance.choice(KINDS),
        )
        yield NewItem(f"url:{seed}/{number}", _make_content(chance, words, number), about)


def _make_content(chance: random.Random, words: list[str], number: int) -> Content:
    def text(length: int) -> str:
        return " ".join(chance.choices(words, k=length))

    moment = NOON - timedelta(minutes=7 * number)
    return Content(
        url=f"https://harbour.example/news/{number}-{text(1)}",
        title=text(9).capitalize(),
        summary=text(40).capitalize() + ".",
        content_html="".join(f"<p>{text(45).capitalize()}.</p>" for _ in range(3)),
        authors=("Ada Marin",),
        category="",
        language=chance.choice(["en", "fr", "ru"]),
        day=moment.date(),
        date_source="source",
        published_at=moment,
    )


def _make_words(chance: random.Random) -> list[str]:
    """As many as a newspaper has, of which few are frequent."""
    words = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(5000)]
    return words + words[:40] * 100
