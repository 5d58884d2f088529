"""One application for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from people import NOON, make_config

from publisher.app import App, build_app
from publisher.store.newsroom import put_entry


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = build_app(make_config(tmp_path), clock=lambda: NOON)
    with app.database.write() as tx:
        put_entry(tx, "digests", {"id": "weekly", "title": {"en": "The Week"}, "cadence": "weekly"}, position=0)
        put_entry(tx, "digests", {"id": "daily", "title": {"en": "The Day"}, "cadence": "daily"}, position=1)
    yield app
    app.database.close()
