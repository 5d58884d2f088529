"""The public archive: editions that were sent, and their pages."""

import zlib
from dataclasses import dataclass
from datetime import date

from publisher.app import App
from publisher.errors import NotFoundError
from publisher.mail.views import window_days
from publisher.store import editions as store
from publisher.store.newsroom import list_digests
from publisher.usecases.planning import full_mask


@dataclass(frozen=True, slots=True)
class PastEdition:
    """An edition as the archive lists it."""

    id: str
    title: str
    day: date
    """Its cut-off by the site's calendar."""


def list_titles(app: App, language: str) -> list[str]:
    """The names of the digests that one can read."""
    with app.database.read() as tx:
        return [one.digest.name(language) for one in list_digests(tx)]


def list_past_editions(app: App, language: str) -> list[PastEdition]:
    """What was sent and can be read, newest cut-off first."""
    with app.database.read() as tx:
        published = store.list_published(tx)
        titles = {one.digest.id: one.digest.name(language) for one in list_digests(tx)}
    zone = app.config.site.zone
    return [
        PastEdition(
            one.id,
            titles.get(one.digest_id, one.digest_id),
            window_days(one.window_start, one.window_end, zone=zone)[1],
        )
        for one in published
    ]


def find_full_page(app: App, edition_id: str, language: str) -> str:
    """The uid of the page with all items of an edition; NotFoundError where there is none in that language."""
    with app.database.read() as tx:
        edition = store.read_edition(tx, edition_id)
        mask = full_mask(len(store.read_frozen_items(tx, edition_id)))
        variant = store.find_variant(tx, edition.id, language, mask=mask)
    if variant is None:
        raise NotFoundError(f"{edition_id} has no page in {language!r}")
    return variant.uid


def read_page(app: App, edition_id: str, uid: str) -> bytes:
    """The HTML of a variant's page; NotFoundError where there is none (yet)."""
    with app.database.read() as tx:
        page = store.read_page(tx, edition_id, uid)
    if page is None:
        raise NotFoundError(f"{edition_id} has no page {uid!r}")
    return zlib.decompress(page)


def check_database(app: App) -> None:
    """Ask the database for something; its error where it does not answer."""
    with app.database.read() as tx:
        tx.exec_driver_sql("SELECT 1")
