"""Which feeds a change touches, so that all others stay as they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from feeds.criteria import Criteria
from feeds.model import Item
from publisher.app import App
from publisher.store.feeds import Version, read_changes, read_version


@dataclass(frozen=True, slots=True)
class Changes:
    """What came between two states."""

    items: Sequence[Item] | None
    """As they were and as they are; None: anything may have changed."""

    def touch(self, criteria: Criteria) -> bool:
        """Whether a feed may be another than before: an item that leaves it counts as much as one that comes."""
        return self.items is None or any(criteria.is_met_by(item) for item in self.items)

    def find_touched(self, wanted: Iterable[Criteria]) -> set[Criteria]:
        """Those of the criteria that are touched."""
        return {criteria for criteria in set(wanted) if self.touch(criteria)}


EVERYTHING = Changes(None)


def find_changes(app: App, since: Version) -> tuple[Version, Changes]:
    """The state as of now, and what has changed since that state."""
    with app.database.read() as tx:
        now = read_version(tx)
        items = () if now == since else read_changes(tx, since)
    return now, Changes(items)
