"""Identity: which entries of a document are one item, and whether it is one that is known. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

from feeds.entries import Entry, entry_keys, fill_entry
from feeds.merge import Group, Known
from feeds.urls import drop_origin, make_url_key


@dataclass(frozen=True, slots=True)
class _Face:
    """What an item is compared by where only a hint leads to it."""

    titles: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    guids: set[str] = field(default_factory=set)
    """In the source that is read, without their origin."""

    def add(self, entry: Entry) -> None:
        self.titles.update(filter(None, [entry.title.casefold()]))
        self.links.add(make_url_key(entry.link))
        self.guids.update(filter(None, [_bare_guid(entry)]))


def group_entries(
    entries: Iterable[Entry], owners: Mapping[str, int], *, known: Mapping[int, Known], source_id: str
) -> list[Group]:
    """The entries of a document by item, in the order of their first; ``owners`` maps known keys to items.

    Where the keys of an entry lead to several items, the strongest key decides. Nothing is merged by title; but where
    only a hint leads to an item (a GUID without its origin, an address) and the title is another, so must be nothing
    else: the entry is the item's only where its own link is, and no other GUID.
    """
    claimed: dict[str, int] = dict(owners)
    faces = _describe(known, source_id)
    parts: dict[int, list[Entry]] = defaultdict(list)
    keys: dict[int, list[str]] = defaultdict(list)
    also: dict[int, list[int]] = defaultdict(list)
    for number, entry in enumerate(entries):
        own = entry_keys(entry, source_id)
        led_to = {key: claimed[key] for key in own if key in claimed}
        found = [item for key, item in led_to.items() if _is_same(key, entry, face=faces[item])]
        item = found[0] if found else -1 - number  # negative: new in this document
        parts[item].append(_drop_foreign(entry, led_to, found=found))
        faces[item].add(entry)
        also[item] += [other for other in found if other != item]
        keys[item] += [key for key in own if claimed.setdefault(key, item) == item]
    return [
        Group(
            item if item >= 0 else None,
            reduce(fill_entry, entries_of),
            tuple(dict.fromkeys(keys[item])),
            tuple(dict.fromkeys(also[item])),
        )
        for item, entries_of in parts.items()
    ]


def _describe(known: Mapping[int, Known], source_id: str) -> defaultdict[int, _Face]:
    faces: defaultdict[int, _Face] = defaultdict(_Face)
    for item_id, item in known.items():
        for sighting in item.sightings:
            is_own = sighting.source_id == source_id
            faces[item_id].add(sighting.entry if is_own else replace(sighting.entry, guid=""))
    return faces


def _is_same(key: str, entry: Entry, *, face: _Face) -> bool:
    if key.startswith("guid:"):
        return True
    has_other_title = entry.title and face.titles and entry.title.casefold() not in face.titles
    if not has_other_title:
        return True
    has_other_guid = entry.guid and face.guids and _bare_guid(entry) not in face.guids
    return not has_other_guid and make_url_key(entry.link) in face.links


def _drop_foreign(entry: Entry, led_to: Mapping[str, int], *, found: list[int]) -> Entry:
    """The entry, without a canonical address that is another item's."""
    owner = led_to.get(f"url:{make_url_key(entry.canonical)}") if entry.canonical else None
    return entry if owner is None or owner in found else replace(entry, canonical="")


def _bare_guid(entry: Entry) -> str:
    return drop_origin(entry.guid) or entry.guid
