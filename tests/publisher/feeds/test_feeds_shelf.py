from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import pytest
from feed_newsroom import Newsroom

from feeds.criteria import Criteria
from feeds.paths import Address, Format
from publisher.app import App
from publisher.errors import RenderError
from publisher.usecases.documents import Document
from publisher.usecases.feed_shelf import FeedShelf
from publisher.usecases.feeds import Catalogue, compile_together

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
