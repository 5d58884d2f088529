"""What the start page says of the demo at this moment."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.dates import format_datetime
from sqlalchemy import Connection

from publisher.demo.dates import ZONE
from publisher.demo.past import CORRECTED_STORY
from publisher.demo.setting import CONFIG_FILE
from publisher.demo.stage import Stage
from publisher.store import deliveries as ledger
from publisher.store import editions as store
from publisher.store.editions import Edition
from publisher.store.items import select_items
from publisher.store.newsroom import list_digests, read_digest
from publisher.store.subscribers import list_subscribers
from subscribers.model import Subscriber
from subscribers.tokens import make_unsubscribe_token

MOST_SUBSCRIBERS = 1000

SENT_STATES = ("planned", "done")


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures and addresses of the start page."""

    item_count: int
    message_count: int
    sent_count: int
    newest: Edition
    """The newest weekly edition that was sent: the others are small, or wait."""
    waiting: Edition | None
    digest_titles: Mapping[str, str]
    readers: Sequence[Subscriber]
    """One of each language who got the newest edition."""
    unsubscribe_token: str
    corrected_item_id: int
    program: str
    """The command of this installation, which need not be on the PATH."""
    config_file: str


def read_overview(stage: Stage) -> Overview:
    """The demo as it is now. Its past must have been lived through."""
    with stage.app.database.read() as tx:
        editions = store.list_editions(tx)
        sent = [edition for edition in editions if edition.state in SENT_STATES]
        newest = newest_weekly(sent)
        readers = _readers_of(tx, newest)
        items = select_items(tx)
        return Overview(
            item_count=len(items),
            message_count=len(stage.mailbox),
            sent_count=len(sent),
            newest=newest,
            waiting=next((edition for edition in editions if edition.state == "open"), None),
            digest_titles={one.digest.id: one.digest.name("en") for one in list_digests(tx)},
            readers=readers,
            unsubscribe_token=_unsubscribe_token(tx, stage, newest, reader=readers[0]),
            corrected_item_id=next(item.id for item in items if item.url.endswith(CORRECTED_STORY)),
            program=str(Path(sys.executable).with_name("publisher")),
            config_file=str(stage.app.config.folder / CONFIG_FILE),
        )


def newest_weekly(editions: Sequence[Edition]) -> Edition:
    """The newest of the weekly digest's."""
    return next(edition for edition in editions if edition.digest_id == "weekly")


def format_moment(stage: Stage) -> str:
    """The demo's time where the organisation sits: ``Monday 2 November 2026, 07:00``."""
    return format_datetime(stage.clock().astimezone(ZONE), "EEEE d MMMM y, HH:mm", locale="en_GB")


def _readers_of(tx: Connection, edition: Edition) -> list[Subscriber]:
    reached = {row["subscriber_id"] for row in ledger.list_deliveries(tx, edition.id)}
    by_language: dict[str, Subscriber] = {}
    for subscriber in list_subscribers(tx, after=0, limit=MOST_SUBSCRIBERS):
        if subscriber.id in reached:
            by_language.setdefault(subscriber.language, subscriber)
    return list(by_language.values())


def _unsubscribe_token(tx: Connection, stage: Stage, edition: Edition, *, reader: Subscriber) -> str:
    number = read_digest(tx, edition.digest_id).number
    return make_unsubscribe_token(stage.app.secret, subscriber_id=reader.id, digest_number=number)
