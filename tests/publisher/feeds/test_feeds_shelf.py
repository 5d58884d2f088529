from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event

import pytest
from feed_newsroom import ABOUT, NOON, Newsroom, make_item
from sqlalchemy import insert, update

from feeds.content import content_of
from feeds.criteria import Criteria
from feeds.model import Classification, Translation
from feeds.paths import Address, Format
from feeds.urls import make_url_key
from publisher.app import App
from publisher.errors import RenderError
from publisher.store.item_changes import change_item
from publisher.store.items import read_item, read_items
from publisher.store.schema import item_keys, progress, themes
from publisher.store.translations import link_translations
from publisher.usecases.documents import Document
from publisher.usecases.feed_shelf import FeedShelf, target_of
from publisher.usecases.feeds import Catalogue, compile_together
from publisher.usecases.items import withdraw_item

ALL = Address(Criteria.of(), "atom")
RSS = Address(Criteria.of(), "rss")
CALLS = Address(Criteria.of(kinds=["call"]), "json")


@dataclass
class Compiler:
    """The real compilation, which counts, and fails when told to."""

    made: list[Address] = field(default_factory=list)
    is_broken: bool = False
    slow: Address | None = None
    is_slow_begun: Event = field(default_factory=Event)
    may_go_on: Event = field(default_factory=Event)

    def __call__(
        self, app: App, catalogue: Catalogue, *, address: Address, also: Sequence[Format]
    ) -> dict[Address, Document]:
        self.made.append(address)
        if address == self.slow:
            self.is_slow_begun.set()
            assert self.may_go_on.wait(30)
        if self.is_broken:
            raise RenderError("cannot be rendered")
        return compile_together(app, catalogue, address=address, also=also)


def take(shelf: FeedShelf, address: Address) -> bytes:
    return shelf.feed(address, shelf.catalogue()).plain.body


def test_a_feed_is_compiled_once_for_many_requests(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    compiler = Compiler()
    shelf = FeedShelf(newsroom.app, fresh_for_s=0, compile_one=compiler)
    # when
    with ThreadPoolExecutor(8) as threads:
        bodies = list(threads.map(lambda _: take(shelf, ALL), range(40)))
    # then
    assert len(set(bodies)) == 1
    assert compiler.made == [ALL]


@pytest.mark.parametrize("change", ["new", "changed", "label", "changed with the clock set back"])
def test_a_feed_is_compiled_anew_after_a_change(newsroom: Newsroom, change: str) -> None:
    # given
    newsroom.put(1)
    newsroom.put(2, updated_at=newsroom.app.clock())
    compiler = Compiler()
    shelf = FeedShelf(newsroom.app, fresh_for_s=0, compile_one=compiler)
    take(shelf, ALL)
    # when
    newsroom.make_change(change)
    take(shelf, ALL)
    # then
    assert compiler.made == [ALL, ALL]


@dataclass
class Kept:
    """A shelf with a feed of each theme, of a region and of each language."""

    shelf: FeedShelf
    compiler: Compiler

    @classmethod
    def of(cls, newsroom: Newsroom) -> "Kept":
        kept = cls(FeedShelf(newsroom.app, fresh_for_s=0, compile_one=(compiler := Compiler())), compiler)
        kept.renew()
        return kept

    def renew(self) -> set[str]:
        """The feeds that had to be compiled, by their paths."""
        self.compiler.made.clear()
        for wanted in (
            Criteria.of(),
            Criteria.of(["asylum"]),
            Criteria.of(["trafficking"]),
            Criteria.of([], ["africa"]),
            Criteria.of(language="fr"),
            Criteria.of(kinds=["call"]),
        ):
            take(self.shelf, Address(wanted, "json"))
        return {target_of(address).removeprefix("/feeds/") for address in self.compiler.made}


def test_a_new_item_renews_only_the_feeds_it_belongs_to(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    kept = Kept.of(newsroom)
    # when
    newsroom.put(2, classification=Classification(("trafficking",), "trafficking", regions=("eu-west",), kind="news"))
    # then
    assert kept.renew() == {"all/all.json", "all/theme/trafficking.json"}


def test_an_item_that_leaves_a_feed_renews_it(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    kept = Kept.of(newsroom)
    # when
    newsroom.relabel(1, theme="trafficking", updated_at=NOON - timedelta(days=400))
    # then
    assert "all/theme/asylum.json" in (renewed := kept.renew())
    assert "all/theme/trafficking.json" in renewed
    assert "fr/all.json" not in renewed


def test_a_translation_renews_the_feeds_of_its_original(newsroom: Newsroom) -> None:
    # given an item with a translation of other labels, which is then renamed
    newsroom.put(1)
    newsroom.put(2, language="fr", classification=Classification(("trafficking",), "trafficking", kind="news"))
    newsroom.change(2, original_id=1)
    kept = Kept.of(newsroom)
    # when
    newsroom.change(2, url="https://harbour.example/fr/2", updated_at=NOON)
    # then
    assert {"all/theme/asylum.json", "fr/all.json", "all/theme/trafficking.json"} <= kept.renew()


def lead(newsroom: Newsroom, number: int, *others: int) -> None:
    """The source of that item says that it stands in these other languages."""
    with newsroom.app.database.write() as tx:
        item = read_item(tx, number)
        led_to = tuple(Translation(one.language, one.url) for one in read_items(tx, others))
        content = replace(content_of(item), alternates=led_to)
        change_item(tx, number, content=content, classification=item.classification, now=NOON)
        link_translations(tx, [number], written=[number], now=NOON)


@pytest.mark.parametrize("withdrawn", [[3], []])
def test_an_item_that_is_a_translation_no_more_renews_its_feeds(newsroom: Newsroom, withdrawn: list[int]) -> None:
    # given an item and two translations of one language, of which it shows the first or none
    strange = Classification(("trafficking",), "trafficking", kind="news")
    newsroom.put(1, published_at=NOON - timedelta(days=9))
    for number in (2, 3):
        newsroom.put(number, language="fr", classification=strange if number == 3 else ABOUT)
    with newsroom.app.database.write() as tx:
        keys = [{"key": f"url:{make_url_key(make_item(number).url)}", "item_id": number} for number in (1, 2, 3)]
        tx.execute(insert(item_keys), keys)
    lead(newsroom, 1, 2, 3)
    for number in withdrawn:
        withdraw_item(newsroom.app, number)
    kept = Kept.of(newsroom)
    # when
    lead(newsroom, 1, 2)
    # then
    assert "all/theme/trafficking.json" in kept.renew()


def test_what_is_no_change_of_items_renews_nothing(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    kept = Kept.of(newsroom)
    # when something else is written
    with newsroom.app.database.write() as tx:
        tx.execute(insert(progress).values(work="other", value="1"))
    # then
    assert kept.renew() == set()


def test_a_feed_that_changed_while_it_was_compiled_is_compiled_again(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    compiler = Compiler(slow=ALL)
    shelf = FeedShelf(newsroom.app, fresh_for_s=0, compile_one=compiler)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(take, shelf, ALL)
        assert compiler.is_slow_begun.wait(30)
        # when
        newsroom.put(2)
        take(shelf, CALLS)
        compiler.may_go_on.set()
        waiting.result()
    # then
    assert b"Ferry line 2 opens" in take(shelf, ALL)
    assert compiler.made.count(ALL) == 2


def test_the_formats_of_a_feed_are_renewed_together(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    compiler = Compiler()
    shelf = FeedShelf(newsroom.app, fresh_for_s=0, compile_one=compiler)
    for address in (ALL, RSS):
        take(shelf, address)
    # when
    newsroom.put(2)
    bodies = [take(shelf, address) for address in (ALL, RSS)]
    # then
    assert compiler.made == [ALL, RSS, ALL]
    assert all(b"Ferry line 2 opens" in body for body in bodies)


def test_what_is_in_memory_is_looked_over_now_and_then_only(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    shelf = FeedShelf(newsroom.app, fresh_for_s=3600)
    body = take(shelf, ALL)
    # when
    newsroom.put(2)
    # then
    assert take(shelf, ALL) == body
    found = shelf.find(target_of(ALL))
    assert found is not None
    assert found.plain.body == body


def test_nobody_waits_for_the_compilation_of_another_feed(newsroom: Newsroom) -> None:
    # given one feed that is kept, and one whose compilation takes long
    newsroom.put(1)
    compiler = Compiler(slow=ALL)
    shelf = FeedShelf(newsroom.app, fresh_for_s=0, compile_one=compiler)
    kept = take(shelf, CALLS)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(take, shelf, ALL) for _ in range(2)]
        assert compiler.is_slow_begun.wait(30)
        try:
            # when
            others = [threads.submit(take, shelf, address) for address in (CALLS, RSS)]
            # then
            assert others[0].result(timeout=30) == kept
            assert b"Ferry line 1 opens" in others[1].result(timeout=30)
            assert not any(one.done() for one in waiting)
        finally:
            compiler.may_go_on.set()
    assert waiting[0].result() == waiting[1].result()
    assert compiler.made.count(ALL) == 1


def test_a_feed_that_cannot_be_rendered_keeps_its_last_good_version(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    compiler = Compiler()
    shelf = FeedShelf(newsroom.app, fresh_for_s=0, compile_one=compiler)
    good = take(shelf, ALL)
    # when
    compiler.is_broken = True
    newsroom.put(2)
    kept = [take(shelf, ALL) for _ in range(3)]
    # then
    assert kept == [good] * 3
    assert len(compiler.made) == 2, "it is not tried again until something changes"
    # when it can be rendered again
    compiler.is_broken = False
    newsroom.put(3)
    # then
    assert b"Ferry line 3 opens" in take(shelf, ALL)


def test_a_feed_that_never_could_be_rendered_is_an_error(newsroom: Newsroom) -> None:
    shelf = FeedShelf(newsroom.app, fresh_for_s=0, compile_one=Compiler(is_broken=True))
    with pytest.raises(RenderError):
        take(shelf, ALL)


def test_what_is_asked_for_least_goes_when_memory_is_full(newsroom: Newsroom) -> None:
    # given
    newsroom.put(1)
    compiler = Compiler()
    shelf = FeedShelf(newsroom.app, fresh_for_s=0, compile_one=compiler, capacity_bytes=1)
    # when
    for address in (ALL, ALL, CALLS, ALL):
        take(shelf, address)
    # then
    assert compiler.made == [ALL, CALLS, ALL]


def test_a_feed_made_of_a_catalogue_that_is_past_is_made_again(newsroom: Newsroom) -> None:
    # given somebody who has looked at the catalogue, and is slow
    newsroom.put(1)
    newsroom.add_theme("ferries", title="Ferries")
    shelf = FeedShelf(newsroom.app, fresh_for_s=0)
    address = Address(Criteria.of(["ferries"]), "atom")
    past = shelf.catalogue()
    with newsroom.app.database.write() as tx:
        tx.execute(
            update(themes).where(themes.c.id == "ferries").values(rule={"id": "ferries", "title": {"en": "Ships"}})
        )
    shelf.catalogue()
    # when
    shelf.feed(address, past)
    # then
    assert b"Ships" in take(shelf, address)
