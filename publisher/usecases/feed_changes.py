"""Which feeds a change touches, so that all others stay as they are."""

from dataclasses import dataclass

from feeds.criteria import Criteria
from feeds.paths import Address, PageAddress, name_of
from publisher.app import App
from publisher.store.feed_versions import ChangedRows, Version, read_changes, read_version


@dataclass(frozen=True, slots=True)
class Changes:
    """What came between two states."""

    rows: ChangedRows | None
    """None: anything may have changed."""

    def touch(self, address: Address | PageAddress) -> bool:
        """Whether that document may be another than before. An archive never is; a page says how much the feed gets."""
        if self.rows is None:
            return True
        if isinstance(address, PageAddress):
            return self.rows.is_recounted or self.touch_feed(address.criteria)
        return address.archive is None and self.touch_feed(address.criteria)

    def touch_feed(self, criteria: Criteria) -> bool:
        """Whether the feed may be another: an item that leaves it counts as much as one that comes."""
        if self.rows is None or any(criteria.is_met_by(item) for item in self.rows.items):
            return True
        return bool(self.rows.archived) and name_of(criteria) in self.rows.archived


NOTHING = Changes(ChangedRows((), ()))
EVERYTHING = Changes(None)


def find_changes(app: App, since: Version) -> tuple[Version, Changes]:
    """The state as of now, and what has changed since that state."""
    with app.database.read() as tx:
        now = read_version(tx)
        return now, NOTHING if now == since else Changes(read_changes(tx, since))
