"""Personal feeds: a subscriber's own mix, under an address that nobody can guess and that can be taken away.

Only a hash of the address is kept: it has 192 random bits, so that a plain hash is as good as the address is secret,
and finding it by an index tells nobody how close a guess was.
"""

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from feeds.criteria import Criteria
from feeds.paths import FORMATS, ROOT, Format
from feeds.render import FeedInfo, authority_of
from publisher.app import App
from publisher.errors import NotFoundError, StateError
from publisher.i18n import translator
from publisher.sections import Site
from publisher.store import personal_feeds as store
from publisher.store.feed_versions import read_version
from publisher.store.newsroom import read_labels
from publisher.store.personal_feeds import PersonalFeed
from publisher.store.subscribers import find_suppressed, list_subscriptions
from publisher.usecases.documents import Document
from publisher.usecases.feed_documents import Shown, render_documents
from publisher.usecases.feed_heads import ICON, name_labels
from publisher.usecases.feed_notices import make_tombstones, show_withdrawals
from publisher.usecases.feeds import ITEMS_PER_CALENDAR, ITEMS_PER_FEED
from publisher.usecases.people import find_person, read_address

PATH = ROOT + "personal/"
CAPACITY_BYTES = 16 * 1024 * 1024
"""Of documents in memory, beside those of all feeds."""

_TOKEN_BYTES = 24
_LONGEST_TOKEN = 100


def issue_feed(app: App, address: str) -> dict[Format, str]:
    """A new address of the subscriber's own feed, by format; the one before leads nowhere from now on.

    It is told only once. StateError for somebody who is to get nothing.
    """
    wanted = read_address(address)
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), app.clock()
    with app.database.write() as tx:
        person = find_person(tx, app, wanted)
        if person.status != "confirmed" or find_suppressed(tx, [person.id]):
            raise StateError(f"{wanted.email} gets nothing. See: publisher subscribers show {wanted.email}")
        store.put_personal_feed(tx, person.id, token_hash=_hash(token), now=now)
    return _urls(app.config.site, token)


def revoke_feed(app: App, address: str) -> None:
    """Take the address of the subscriber's own feed away; NotFoundError where there is none."""
    wanted = read_address(address)
    with app.database.write() as tx:
        if not store.revoke_personal_feed(tx, find_person(tx, app, wanted).id, now=app.clock()):
            raise NotFoundError(f"{wanted.email} has no personal feed. Issue one: publisher subscribers feed …")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a document is made of, beside the items."""

    feed: PersonalFeed
    wishes: tuple[Criteria, ...]
    version: Hashable
    """Differs whenever some feed may differ."""
    changed_at: datetime


_Key = tuple[str, Format]
"""Hash of the token, and the format."""


class PersonalShelf:
    """The personal feeds that were asked for last, for many threads; who waits for one gets it compiled once."""

    def __init__(self, app: App, *, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._app = app
        self._capacity_bytes = capacity_bytes
        self._size_bytes = 0
        self._kept: OrderedDict[_Key, tuple[_Asked, Document]] = OrderedDict()
        self._lock = threading.Lock()
        """Held for moments only; whoever compiles holds the lock of the document."""
        self._making: WeakValueDictionary[_Key, threading.Lock] = WeakValueDictionary()

    def feed(self, token: str, form: Format) -> Document | None:
        """The feed with that address as of now; None where there is none. RenderError where it cannot be made."""
        asked = _find(self._app, token)
        if asked is None:
            return None
        key = (asked.feed.token_hash, form)
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            kept = self._find_kept(key, asked)
            if kept is None:
                kept = _compile(self._app, asked, token=token, form=form)
                self._keep(key, asked, document=kept)
            return kept

    def _find_kept(self, key: _Key, asked: _Asked) -> Document | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept[0] != asked:
                return None
            self._kept.move_to_end(key)
            return kept[1]

    def _keep(self, key: _Key, asked: _Asked, *, document: Document) -> None:
        with self._lock:
            _, old = self._kept.pop(key, (None, None))
            self._kept[key] = (asked, document)
            self._size_bytes += document.size_bytes - (old.size_bytes if old else 0)
            while self._size_bytes > self._capacity_bytes and len(self._kept) > 1:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._size_bytes -= dropped.size_bytes


def _find(app: App, token: str) -> _Asked | None:
    if len(token) > _LONGEST_TOKEN:
        return None
    with app.database.read() as tx:
        feed = store.find_personal_feed(tx, _hash(token))
        if feed is None:
            return None
        subscriptions = list_subscriptions(tx, [feed.subscriber_id])
        version = read_version(tx)
    wishes = {one.criteria for one in subscriptions if one.is_active}
    if not wishes:
        return None
    # A subscription that came or ended changes the feed as an item does.
    moments = [moment for one in subscriptions for moment in (one.created_at, one.ended_at) if moment]
    changed_at = max(feed.created_at, *moments, version.changed_at or _LONG_AGO)
    return _Asked(feed, tuple(sorted(wishes, key=lambda wish: wish.text)), version, changed_at)


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _compile(app: App, asked: _Asked, *, token: str, form: Format) -> Document:
    language, is_calendar = asked.feed.language, form == "ics"
    limit = ITEMS_PER_CALENDAR if is_calendar else ITEMS_PER_FEED
    with app.database.read() as tx:
        items = store.select_personal_items(tx, asked.wishes, language=language, is_calendar=is_calendar, limit=limit)
        themes, regions = read_labels(tx)
    shown = show_withdrawals(items)
    about = translator(language).gettext("Your own mix")
    title = f"{app.config.site.name}: {about}"
    info = FeedInfo(
        authority=authority_of(app.config.site.base_url),
        # Of the hash and not of the address: an id is copied where the address should not be.
        name=f"personal/{asked.feed.token_hash[:32]}",
        title=title,
        subtitle=title,
        urls=_urls(app.config.site, token),
        page_url=app.config.site.base_url + ROOT,
        site_name=app.config.site.name,
        updated=max((item.updated_at for item in shown), default=_LONG_AGO),
        rights=f"© {app.config.site.name}",
        icon_url=app.config.site.base_url + ICON,
        labels=name_labels(themes, regions, language),
    )
    return render_documents(Shown(info, shown, make_tombstones(items), asked.changed_at), [form])[form]


def _urls(site: Site, token: str) -> dict[Format, str]:
    return {form: f"{site.base_url}{PATH}{token}.{form}" for form in FORMATS}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
