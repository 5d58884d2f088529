"""From a publisher through a hub to a subscriber: all three by the standard, over real HTTP."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest
import tomlkit
from hub import Hub
from live_web import open_site
from newsroom_app import MONDAY, Newsroom, open_newsroom, with_hubs

from publisher.app import App
from publisher.store.items import select_items
from publisher.usecases.newsroom import apply
from publisher.usecases.service import collect_tick, hub_tick


@dataclass
class Side:
    """A newsroom, served."""

    newsroom: Newsroom
    app: App
    client: httpx.Client

    def titles(self) -> list[str]:
        with self.app.database.read() as tx:
            return [item.title for item in select_items(tx)]


@dataclass
class Chain:
    publisher: Side
    hub: Hub
    subscriber: Side

    @property
    def topic(self) -> str:
        return f"{self.publisher.app.config.site.base_url}/feeds/all/theme/asylum.atom"

    def subscribe(self) -> None:
        source = {"id": "harbour", "kind": "feed", "url": self.topic, "language": "en", "every": "1d"}
        text = tomlkit.dumps({"sources": [source | {"internal": True, "websub": True}]})
        apply(self.subscriber.app, text, name="newsroom.toml")
        asyncio.run(collect_tick(self.subscriber.app))
        asyncio.run(hub_tick(self.subscriber.app))
        self.hub.wait_until(lambda: bool(self.hub.subscriptions))


def open_side(stack: ExitStack, factory: pytest.TempPathFactory, *hubs: str) -> Side:
    newsroom = stack.enter_context(open_newsroom(factory.mktemp("side")))
    return Side(newsroom, *stack.enter_context(open_site(with_hubs(newsroom.app, *hubs))))


@pytest.fixture
def chain(tmp_path_factory: pytest.TempPathFactory, hub: Hub) -> Iterator[Chain]:
    with ExitStack() as stack:
        yield Chain(open_side(stack, tmp_path_factory, hub.url), hub, open_side(stack, tmp_path_factory))


def test_a_new_item_reaches_a_subscriber_without_polling(chain: Chain) -> None:
    # given
    chain.publisher.newsroom.add_item(released_at=MONDAY, title="First")
    chain.subscribe()
    assert chain.subscriber.titles() == ["First"]
    # when
    chain.publisher.newsroom.add_item(released_at=MONDAY, title="Second")
    asyncio.run(hub_tick(chain.publisher.app))
    chain.hub.wait_until(lambda: bool(chain.hub.deliveries))
    asyncio.run(collect_tick(chain.subscriber.app))
    # then
    assert chain.hub.deliveries == [(chain.topic, 202)]
    assert sorted(chain.subscriber.titles()) == ["First", "Second"]


def test_without_the_hub_the_subscriber_would_wait_a_day(chain: Chain) -> None:
    # given
    chain.publisher.newsroom.add_item(released_at=MONDAY, title="First")
    chain.subscribe()
    # when
    chain.publisher.newsroom.add_item(released_at=MONDAY, title="Second")
    asyncio.run(collect_tick(chain.subscriber.app))
    # then
    assert chain.subscriber.titles() == ["First"]
