"""Who got what, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from feeds.model import Label
from publisher.app import App
from publisher.store import deliveries as ledger
from publisher.store import editions as store
from publisher.store import figures
from publisher.store.editions import Edition, FrozenItem
from publisher.store.figures import Span
from publisher.store.newsroom import read_digest, read_labels
from publisher.store.subscribers import list_subscriptions
from publisher.usecases.addressing import message_id
from publisher.usecases.people import find_person, read_address
from subscribers.model import Subscriber, Subscription
from subscribers.selection import Rule, explain, mask_items

MOST_SHOWN = 20
"""Domains and kinds of reply that a report names."""

_SHORTEST_SPAN = timedelta(seconds=1)
"""Of a shorter run nobody can say how many messages a second it makes."""


@dataclass(frozen=True, slots=True)
class ItemReason:
    """Whether a person's message holds an item, and the rule for it in words."""

    title: str
    url: str
    is_in: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyReport:
    """What one person got of one edition."""

    edition: str
    email: str
    status: str
    delivery: str
    """State of the delivery, or why there is none."""
    reply: str
    items: tuple[ItemReason, ...]


def list_deliveries(app: App, edition_id: str) -> Iterator[dict[str, Any]]:
    """``{"email", "state", "message_id", "reply", "attempts"}`` for every delivery of an edition."""
    with app.database.read() as tx:
        store.read_edition(tx, edition_id)
        for row in ledger.list_deliveries(tx, edition_id):
            yield {
                "email": row["email"],
                "state": row["state"],
                "message_id": message_id(app, edition_id, row["subscriber_id"]),
                "reply": row["reply"],
                "attempts": row["attempts"],
            }


@dataclass(frozen=True, slots=True)
class Figures:
    """An edition in numbers."""

    planned_at: datetime | None
    done_at: datetime | None
    messages_per_second: float | None
    """Over those that were sent at once, from the first to the last of them; None where that says nothing."""
    domains: dict[str, dict[str, int]]
    """By recipient domain and state; the most frequent, and ``other``."""
    replies: dict[str, dict[str, int]]
    """By kind of reply and state, likewise."""


def count_figures(app: App, edition_id: str) -> Figures:
    """The figures of an edition, counted from its rows."""
    with app.database.read() as tx:
        edition = store.read_edition(tx, edition_id)
        return Figures(
            planned_at=edition.planned_at,
            done_at=edition.done_at,
            messages_per_second=_rate(figures.measure_span(tx, edition_id)),
            domains=figures.count_domains(tx, edition_id, limit=MOST_SHOWN),
            replies=figures.count_replies(tx, edition_id, limit=MOST_SHOWN),
        )


def _rate(span: Span) -> float | None:
    if span.first_at is None or span.last_at is None or span.last_at - span.first_at < _SHORTEST_SPAN:
        return None
    return round(span.count / (span.last_at - span.first_at).total_seconds(), 1)


def explain_edition(app: App, address: str, edition_id: str) -> WhyReport:
    """Which items of the edition that person got or did not get, and the rule for each."""
    typed = read_address(address)
    with app.database.read() as tx:
        edition = store.read_edition(tx, edition_id)
        subscriber = find_person(tx, app, typed)
        delivery = ledger.find_delivery(tx, edition_id, subscriber.id)
        cadence = read_digest(tx, edition.digest_id).digest.cadence
        wanted = [one for one in list_subscriptions(tx, [subscriber.id]) if one.cadence == cadence]
        frozen = store.read_frozen_items(tx, edition_id)
        names = _names(*read_labels(tx))
    got = frozenset(mask_items(delivery.mask)) if delivery else frozenset()
    return WhyReport(
        edition=edition_id,
        email=subscriber.email,
        status=subscriber.status,
        delivery=delivery.state if delivery else _why_none(edition, subscriber, wanted),
        reply=delivery.reply if delivery else "",
        items=tuple(_item_reason(one, wanted, names, is_in=place in got) for place, one in enumerate(frozen)),
    )


def _names(themes: Sequence[Label], regions: Sequence[Label]) -> dict[str, str]:
    return {label.id: label.name("en") for label in (*themes, *regions)}


def _why_none(edition: Edition, subscriber: Subscriber, wanted: Sequence[Subscription]) -> str:
    if edition.planned_at is None:
        return "none yet: the edition is not planned"
    if subscriber.status != "confirmed":
        return f"none: the subscriber is {subscriber.status}"
    if not any(one.is_active for one in wanted):
        return "none: no active subscription of this cadence"
    if all(one.created_at > edition.opened_at for one in wanted if one.is_active):
        return "none: subscribed after the edition was opened"
    return "none: no item in it for this person"


def _item_reason(
    frozen: FrozenItem, wanted: Sequence[Subscription], names: Mapping[str, str], *, is_in: bool
) -> ItemReason:
    judged = explain(frozen.item, wanted, released_at=frozen.released_at)
    relevant = [one for one in judged if one.is_included == is_in]
    words = [_word(rule, names) for one in relevant for rule in one.rules]
    if not words:
        words = (
            ["the subscriptions have changed since"]
            if is_in
            else ["owed by an earlier edition, or no message was planned"]
        )
    return ItemReason(frozen.item.title, frozen.item.url, is_in, tuple(dict.fromkeys(words)))


def _word(rule: Rule, names: Mapping[str, str]) -> str:
    codes = ", ".join(names.get(code, code) for code in rule.codes)
    return _WORDS[rule.name].format(codes=codes)


_WORDS = {
    "theme": "theme chosen: {codes}",
    "any-theme": "all themes chosen",
    "region": "region chosen: {codes}",
    "any-region": "all regions chosen",
    "global": "a global item reaches every region",
    "other-theme": "theme not chosen: {codes}",
    "general": "a general item reaches only who chose all themes",
    "other-region": "region not chosen: {codes}",
    "no-region": "an item without a region reaches only who chose all regions",
    "other-kind": "kind not chosen: {codes}",
    "other-language": "language not chosen: {codes}",
    "before-coverage": "released before the subscription began",
    "ended": "the subscription has ended",
}
