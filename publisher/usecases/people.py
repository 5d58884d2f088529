"""Whom an address means."""

from sqlalchemy import Connection

from publisher.app import App
from publisher.errors import ConfigError, NotFoundError
from publisher.store.subscribers import find_subscriber, find_suppression
from subscribers.addresses import Address, parse_address
from subscribers.model import Subscriber


def read_address(text: str) -> Address:
    """The address that somebody has typed; ConfigError where it is none."""
    try:
        return parse_address(text)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def find_person(tx: Connection, app: App, address: Address) -> Subscriber:
    """Who has this address; NotFoundError says where it is suppressed without anybody having it."""
    person = find_subscriber(tx, address.key)
    if person is None:
        suppression = find_suppression(tx, app.secret, address_key=address.key)
        known = f"it is suppressed ({suppression.reason})" if suppression else "see publisher subscribers export"
        raise NotFoundError(f"Nobody has the address {address.email}; {known}")
    return person
