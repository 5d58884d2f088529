"""A feed as pages introduce it: its name, what it gets, where it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlsplit

from feeds.criteria import Criteria
from feeds.paths import FORMATS, ROOT, Format, path_of
from feeds.render import MEDIA_TYPES
from publisher import i18n
from publisher.app import App
from publisher.i18n import Interface, mark
from publisher.mail.cleaning import one_line
from publisher.sections import Site
from publisher.store.feed_counts import Period, find_first_day
from publisher.usecases.feeds import Catalogue, title_feed

WEEKS = 12
"""Over which items are counted."""

_CALENDAR = "ics"

_FORMAT_NAMES = {"atom": "Atom", "rss": "RSS", "json": "JSON Feed", _CALENDAR: mark("Calendar (iCalendar)")}


@dataclass(frozen=True, slots=True)
class FormatLink:
    """A feed in one format; the URL is absolute, for it is copied elsewhere."""

    format: str
    name: str
    media_type: str
    url: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """A feed in all its formats, as a person copies them."""

    readers: tuple[FormatLink, ...]
    """For feed readers; all hold the same items."""
    calendars: tuple[FormatLink, ...]
    """For calendar programs; items with a deadline or days of an event."""

    @property
    def webcal(self) -> str:
        """A link that opens the calendar program; empty where there is no calendar."""
        urls = (urlsplit(link.url)._replace(scheme="webcal").geturl() for link in self.calendars)
        return next(urls, "")

    @property
    def everywhere(self) -> tuple[FormatLink, ...]:
        """All formats."""
        return (*self.readers, *self.calendars)


@dataclass(frozen=True, slots=True)
class Tally:
    """The period over which items are counted; no period where there is no item at all."""

    period: Period
    weeks: float
    """Its part that has items: a young newsroom has fewer."""


def page_language(catalogue: Catalogue, criteria: Criteria) -> str:
    """The language that the page of a feed speaks."""
    return criteria.language or catalogue.languages[0]


def name_feed(catalogue: Catalogue, criteria: Criteria, *, interface: Interface) -> str:
    """What the feed is about, in one line."""
    about = one_line(title_feed(catalogue, criteria, language=interface.language))
    return about or interface.gettext("Everything")


def name_language(interface: Interface, language: str | None) -> str:
    """The language by its own name; words for all of them."""
    if language is None:
        return interface.gettext("All languages")
    return i18n.own_name(language)


def say_language(interface: Interface, language: str | None) -> str:
    """In which language the items of a feed are."""
    return i18n.language_mark(interface, language) if language else interface.gettext("in all languages")


def list_addresses(site: Site, criteria: Criteria, *, interface: Interface) -> Addresses:
    """Where the feed is."""
    links = [_link(site, criteria, form=form, interface=interface) for form in FORMATS]
    readers = tuple(link for link in links if link.format != _CALENDAR)
    return Addresses(readers, tuple(link for link in links if link.format == _CALENDAR))


def list_alternates(site: Site, language: str) -> Iterator[FormatLink]:
    """What a page in that language offers to feed readers: everything in it, then everything."""
    interface = i18n.translator(language)
    known = [language] if language in site.languages else []
    for wanted in (*known, None):
        for link in list_addresses(site, Criteria(language=wanted), interface=interface).readers:
            name = f"{one_line(site.name)}: {name_language(interface, wanted)} ({link.name})"
            yield FormatLink(link.format, name, link.media_type, link.url)


def make_tally(app: App, catalogue: Catalogue) -> Tally | None:
    """The weeks before the newest change, whole days of UTC: the same items give the same counts on any day."""
    if catalogue.changed_at is None:
        return None
    with app.database.read() as tx:
        first = find_first_day(tx)
    until = datetime.combine(catalogue.changed_at.date() + timedelta(days=1), time(), UTC)
    age_weeks = (until - first) / timedelta(weeks=1) if first else 0
    return Tally(Period(until - timedelta(weeks=WEEKS), until), min(max(age_weeks, 1), WEEKS))


def say_rate(interface: Interface, count: int, tally: Tally | None) -> str:
    """How much a feed gets: ``about 3 items a week``."""
    if not count or tally is None:
        return interface.gettext("nothing new lately")
    per_week = round(count / tally.weeks)
    if not per_week:
        return interface.gettext("less than one item a week")
    said = interface.ngettext("about %(count)s item a week", "about %(count)s items a week", per_week)
    return said % {"count": per_week}


def relative_path(path: str, root: str) -> str:
    """A path below ``/feeds/`` as a page says it that reaches the directory by ``root``: ``../`` or ``./``."""
    return root + path.removeprefix(ROOT)


def _link(site: Site, criteria: Criteria, *, form: Format, interface: Interface) -> FormatLink:
    name = interface.gettext(_FORMAT_NAMES[form])
    return FormatLink(form, name, MEDIA_TYPES[form], site.base_url + path_of(criteria, form))
