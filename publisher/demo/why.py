"""Who got what of an edition, and why: one line for each subscriber, one page for one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from feeds.criteria import Criteria
from publisher.app import App
from publisher.demo.overview import MOST_SUBSCRIBERS, SENT_STATES, newest_weekly
from publisher.errors import NotFoundError
from publisher.store import editions as store
from publisher.store.editions import Edition
from publisher.store.newsroom import read_labels
from publisher.store.subscribers import list_editions_of, list_subscribers, list_subscriptions, read_subscriber
from publisher.usecases.reports import WhyReport, explain_edition
from subscribers.model import Subscriber, Subscription

EDITIONS_TO_CHOOSE = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """A subscription in words."""

    cadence: str
    themes: str
    regions: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber with what he or she chose and got of an edition."""

    subscriber: Subscriber
    choices: Sequence[Choice]
    report: WhyReport

    @property
    def got_count(self) -> int:
        return sum(item.is_in for item in self.report.items)


@dataclass(frozen=True, slots=True)
class Everybody:
    """All subscribers and one edition."""

    edition: Edition
    item_count: int
    reached: Sequence[Person]
    others: Sequence[Person]
    editions: Sequence[Edition]
    """The newest that were sent, to choose another."""


def read_everybody(app: App, edition_id: str | None) -> Everybody:
    """Everybody and that edition, by default the newest weekly one; NotFoundError where it does not exist."""
    with app.database.read() as tx:
        sent = store.list_editions(tx, states=SENT_STATES)
        edition = store.read_edition(tx, edition_id) if edition_id else newest_weekly(sent)
        subscribers = list_subscribers(tx, after=0, limit=MOST_SUBSCRIBERS)
        choices = {one.id: _choices(tx, one) for one in subscribers}
    people = [Person(one, choices[one.id], explain_edition(app, one.email, edition.id)) for one in subscribers]
    return Everybody(
        edition=edition,
        item_count=len(people[0].report.items),
        reached=[person for person in people if person.got_count],
        others=[person for person in people if not person.got_count],
        editions=sent[:EDITIONS_TO_CHOOSE],
    )


def read_person(app: App, subscriber_id: int, edition_id: str | None) -> tuple[Person, Sequence[str]]:
    """One subscriber with an edition, by default the last that he or she got, and the names of all of these."""
    with app.database.read() as tx:
        subscriber = read_subscriber(tx, subscriber_id)
        if subscriber is None or not subscriber.email:
            raise NotFoundError(f"There is no subscriber {subscriber_id}")
        got = [name for name, _state in list_editions_of(tx, subscriber_id)][::-1]
        default = got[0] if got else newest_weekly(store.list_editions(tx, states=SENT_STATES)).id
        choices = _choices(tx, subscriber)
    return Person(subscriber, choices, explain_edition(app, subscriber.email, edition_id or default)), got


def _choices(tx: Connection, subscriber: Subscriber) -> list[Choice]:
    names = {label.id: label.name("en") for labels in read_labels(tx) for label in labels}
    return [_choice(one, names) for one in list_subscriptions(tx, [subscriber.id])]


def _choice(subscription: Subscription, names: Mapping[str, str]) -> Choice:
    wanted: Criteria = subscription.criteria
    return Choice(
        cadence=subscription.cadence,
        themes=", ".join(names[code] for code in wanted.themes) or "all themes",
        regions=", ".join(names[code] for code in wanted.regions) or "all regions",
        is_active=subscription.is_active,
    )
