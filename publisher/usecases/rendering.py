"""Rendering: the texts of an edition's variants, once each."""

import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from feeds.model import Label
from publisher.app import App
from publisher.config import Config
from publisher.errors import RenderError, StateError
from publisher.mail.compose import compose_frame
from publisher.mail.content import DigestContent, Rendered
from publisher.mail.headers import FixedHeaders, make_feedback_id
from publisher.mail.render import render_variant
from publisher.store import editions as store
from publisher.store.editions import Edition, Variant
from publisher.usecases.content import Content, content_hash, read_content
from publisher.usecases.editions import require_approval
from publisher.usecases.planning import full_mask, variant_uid
from subscribers.schedule import Digest
from subscribers.selection import mask_items

BATCH = 25
"""Variants rendered between two commits."""

COMPRESSION_LEVEL = 3


class EditionRenderer:
    """Renders variants of one edition; reads the edition once."""

    def __init__(self, app: App, edition_id: str) -> None:
        with app.database.read() as tx:
            self.edition = store.read_edition(tx, edition_id)
            items = [one.item for one in store.read_frozen_items(tx, edition_id)]
            self._seen = read_content(tx, self.edition.digest_id, items)
        self._app = app

    @property
    def is_as_approved(self) -> bool:
        """Whether what is rendered is what staff approved."""
        return self.edition.approved_hash == content_hash(self._app, self._seen)

    def render(self, language: str, *, mask: bytes | None = None) -> Rendered:
        """The texts of a variant; without a mask, of all items of the edition."""
        mask = full_mask(len(self._seen.items)) if mask is None else mask
        content = make_content(self._app.config, self.edition, self._seen, language=language, mask=mask)
        return render_variant(content, language)

    def pack(self, variant: Variant) -> dict[str, Any]:  # values of several column types
        """The row to store for a variant: its compressed message frame and page, or why there is none."""
        try:
            rendered = self.render(variant.language, mask=variant.mask)
            headers = make_headers(self._app.config, self.edition, self._seen.digest, language=variant.language)
            frame = compose_frame(rendered, headers)
        except RenderError as error:
            return {"variant_id": variant.id, "new_frame": None, "new_page": None, "new_error": str(error)}
        return {
            "variant_id": variant.id,
            "new_frame": zlib.compress(frame.to_bytes(), COMPRESSION_LEVEL),
            "new_page": zlib.compress(rendered.page_html.encode(), COMPRESSION_LEVEL),
            "new_error": None,
        }


def make_content(config: Config, edition: Edition, seen: Content, *, language: str, mask: bytes) -> DigestContent:
    """What goes into the rendering of a variant."""
    site, digest = config.site, seen.digest
    uid = variant_uid(edition.id, language, mask)
    return DigestContent(
        digest=Label(digest.id, digest.title),
        edition_id=edition.id,
        window=(edition.window_start, edition.window_end),
        zone=site.zone,
        items=tuple(seen.items[position] for position in mask_items(mask)),
        themes=tuple(seen.themes),
        regions=tuple(seen.regions),
        site_name=site.name,
        postal_address=site.postal_address,
        base_url=site.base_url,
        page_url=f"{site.base_url}/editions/{edition.id}/{uid}",
        archive_url=f"{site.base_url}/editions/",
        feeds_url=f"{site.base_url}/feeds/",
    )


def make_headers(config: Config, edition: Edition, digest: Digest, *, language: str) -> FixedHeaders:
    """The header fields that all messages of a variant share."""
    site, mail = config.site, config.mail
    return FixedHeaders(
        date=edition.planned_at or edition.opened_at,
        sender=mail.sender,
        list_title=digest.name("en"),
        list_id=f"{digest.id}.{urlsplit(site.base_url).hostname}",
        unsubscribe_prefix=f"{site.base_url}/u/",
        archive_url=f"{site.base_url}/editions/",
        help_url=f"{site.base_url}/",
        feedback_id=make_feedback_id(edition.id, digest.id, language=language, sender=site.name),
        reply_to=mail.reply_to,
    )


def render_variants(app: App, edition_id: str, *, stop: Callable[[], bool]) -> list[Variant]:
    """Render what waits to be rendered, a batch a transaction; what could not be rendered, with the error.

    May be repeated and stopped at any moment: what is rendered stays as it is. StateError where what waits would be
    rendered other than it was approved.
    """
    renderer: EditionRenderer | None = None
    while not stop():
        with app.database.read() as tx:
            batch = store.list_unrendered(tx, edition_id, limit=BATCH)
        if not batch:
            break
        renderer = renderer or _open_approved(app, edition_id)
        rows = [renderer.pack(variant) for variant in batch]
        with app.database.write() as tx:
            store.store_rendered(tx, rows)
    with app.database.read() as tx:
        return store.list_errors(tx, edition_id)


def _open_approved(app: App, edition_id: str) -> EditionRenderer:
    require_approval(app, edition_id)
    renderer = EditionRenderer(app, edition_id)
    if not renderer.is_as_approved:
        raise StateError(f"{edition_id} changed at this very moment. Repeat: publisher digest send {edition_id}")
    return renderer
