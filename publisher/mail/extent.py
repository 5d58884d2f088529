"""How much of an edition a message shows, so that mailbox providers do not clip it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from publisher.mail.cleaning import cut_words
from publisher.mail.views import DigestView, GroupView, ItemView

_MOST_LISTED = 400
"""More titles than these never fit into a message."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The first ``detailed`` items have a summary, the first ``listed`` at least their title."""

    listed: int
    detailed: int
    summary_words: int | None = None
    """Longer summaries are cut; None leaves them whole."""


def extents(item_count: int) -> Iterator[Extent]:
    """Ever less of that many items: shorter summaries, then titles only, then fewer titles, at last none."""
    listed = min(item_count, _MOST_LISTED)
    yield from (Extent(listed, listed, words) for words in (None, 60, 30))
    detailed = listed
    while detailed:
        detailed = detailed * 2 // 3
        yield Extent(listed, detailed, 30)
    while listed:
        listed = listed * 3 // 4
        yield Extent(listed, 0)


def trim(view: DigestView, extent: Extent) -> DigestView:
    """The view with that much of its items, counted over the groups; ``item_count`` stays what it was."""
    groups: list[GroupView] = []
    start = 0
    for group in view.groups:
        items = group.items[: max(0, extent.listed - start)]
        if items:
            trimmed = (_trim_item(item, extent, position=start + place) for place, item in enumerate(items))
            groups.append(GroupView(group.title, tuple(trimmed)))
        start += len(group.items)
    return replace(view, groups=tuple(groups))


def _trim_item(item: ItemView, extent: Extent, *, position: int) -> ItemView:
    if position >= extent.detailed:
        return replace(item, summary="")
    if extent.summary_words is None:
        return item
    return replace(item, summary=cut_words(item.summary, extent.summary_words))
