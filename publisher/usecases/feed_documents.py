"""A feed as documents, each of which was read back before anyone gets to see it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from feeds.model import Item
from feeds.paths import Format
from feeds.render import MEDIA_TYPES, Feed, FeedInfo, Tombstone, check_document, make_feed, render
from publisher.errors import RenderError
from publisher.usecases.documents import Document


@dataclass(frozen=True, slots=True)
class Shown:
    """What a feed shows."""

    info: FeedInfo
    items: Sequence[Item]
    tombstones: Sequence[Tombstone]
    changed_at: datetime | None
    """Never earlier than the last change of its documents that has a date; None where that is unknown."""


def render_documents(shown: Shown, formats: Sequence[Format]) -> dict[Format, Document]:
    """The documents of a feed; RenderError where one cannot be made, cannot be read back, or lost an item."""
    try:
        feed = make_feed(shown.info, shown.items, shown.tombstones)
        begun = {form: _begin(feed, form, changed_at=shown.changed_at) for form in formats}
    except (ValueError, TypeError) as error:
        raise RenderError(
            f"Feed {shown.info.name} cannot be rendered: {error}. See its items: publisher items"
        ) from error
    return {form: finish() for form, finish in begun.items()}


def _begin(feed: Feed, form: Format, *, changed_at: datetime | None) -> Callable[[], Document]:
    """What gives the document, which was read back; it is compressed while the next one is rendered."""
    body = render(feed, form)
    check_document(body, feed, form)
    return Document.begin(body, f"{MEDIA_TYPES[form]}; charset=utf-8", changed_at=changed_at)
