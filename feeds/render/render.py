"""One door to all formats."""

from collections.abc import Callable, Mapping

from feeds.paths import Format
from feeds.render.atom import render_atom
from feeds.render.feed import Feed
from feeds.render.icalendar import render_calendar
from feeds.render.json_feed import render_json
from feeds.render.rss import render_rss

_RENDERERS: Mapping[Format, Callable[[Feed], bytes]] = {
    "atom": render_atom,
    "rss": render_rss,
    "json": render_json,
    "ics": render_calendar,
}


def render(feed: Feed, form: Format) -> bytes:
    """The document in UTF-8. Equal feeds give equal bytes."""
    return _RENDERERS[form](feed)
