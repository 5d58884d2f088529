"""Unsubscribe links: what they show, and what they do when acted upon. They need no login and never expire."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from publisher.app import App
from publisher.store import subscribers as store
from subscribers.model import Consent, Subscriber
from subscribers.schedule import Digest
from subscribers.tokens import read_unsubscribe_token

Scope = Literal["digest", "all"]
"""``digest``: every subscription of the cadence of the digest in whose message the link stood."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the person behind an unsubscribe link gets at this moment."""

    language: str
    digest_title: str
    """Of the digest in whose message the link stood; empty where it is not known any more."""
    gets_digest: bool
    gets_others: bool


def read_link(app: App, token: str) -> LinkState | None:
    """What an unsubscribe page shows; None for a token that is none of ours. Changes nothing."""
    with app.database.read() as tx:
        found = _follow(app, tx, token)
        return found and _link_state(tx, *found)


def unsubscribe(app: App, token: str, *, scope: Scope) -> LinkState | None:
    """End the subscriptions to that digest, or all, and say what is left; None for a token that is none of ours.

    May be repeated: what has ended stays as it is, and only what changes something is recorded.
    """
    now = app.clock()
    with app.database.write() as tx:
        found = _follow(app, tx, token)
        if found is None:
            return None
        _leave(tx, *found, scope=scope, now=now)
        return _link_state(tx, *found)


def _follow(app: App, tx: Connection, token: str) -> tuple[Subscriber, Digest | None] | None:
    said = read_unsubscribe_token(app.secret, token)
    person = store.read_subscriber(tx, said.subscriber_id) if said else None
    if said is None or person is None:
        return None
    return person, store.find_digest_by_number(tx, said.digest_number)


def _leave(tx: Connection, person: Subscriber, digest: Digest | None, *, scope: Scope, now: datetime) -> None:
    only = digest if scope == "digest" else None
    cadence, how = (only.cadence, f"link: {only.id}") if only else (None, "link: all")
    changed = store.end_subscriptions(tx, [person.id], reason="unsubscribed", now=now, cadence=cadence)
    if not store.count_active(tx, person.id):
        changed += store.mark_unsubscribed(tx, [person.id])
    if changed:
        store.record_consents(tx, [(person.id, Consent(now, "unsubscribed", how, "", person.language, "subscriber"))])


def _link_state(tx: Connection, person: Subscriber, digest: Digest | None) -> LinkState:
    active = store.count_active(tx, person.id)
    return LinkState(
        language=person.language,
        digest_title=digest.name(person.language) if digest else "",
        gets_digest=digest is not None and digest.cadence in active,
        gets_others=any(digest is None or cadence != digest.cadence for cadence in active),
    )
