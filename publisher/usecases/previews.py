"""Previews: what staff look at before they approve an edition, on a page or as files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from feeds.model import Item
from publisher.app import App
from publisher.mail.content import Rendered
from publisher.store import editions as store
from publisher.store.deliveries import count_states
from publisher.store.editions import Edition, Variant
from publisher.usecases.rendering import EditionRenderer


@dataclass(frozen=True, slots=True)
class Review:
    """An edition, and what became of it so far."""

    edition: Edition
    items: Sequence[Item]
    states: Mapping[str, int]
    errors: Sequence[Variant]


def review_edition(app: App, edition_id: str) -> Review:
    """The edition as of now; NotFoundError where there is none."""
    with app.database.read() as tx:
        return Review(
            edition=store.read_edition(tx, edition_id),
            items=[one.item for one in store.read_frozen_items(tx, edition_id)],
            states=count_states(tx, edition_id),
            errors=store.list_errors(tx, edition_id),
        )


def render_preview(app: App, edition_id: str, language: str, *, staff_path: str) -> Rendered:
    """The texts with all items. Links to what is made later, the web page and a person's token, lead to staff pages."""
    rendered = EditionRenderer(app, edition_id).render(language)
    base_url = app.config.site.base_url
    page = re.compile(re.escape(f"{base_url}/editions/{edition_id}/") + "[0-9a-f]+")

    def lead_to_staff(text: str, ending: str) -> str:
        text = text.replace(f"{base_url}/u/{rendered.placeholder}", f"{staff_path}/unsubscribe")
        return page.sub(f"{staff_path}/{language}.{ending}", text)

    return replace(rendered, html=lead_to_staff(rendered.html, "html"), text=lead_to_staff(rendered.text, "txt"))


def write_previews(app: App, edition_id: str, directory: Path) -> list[Path]:
    """Write ``EDITION.LANGUAGE.html`` and ``.txt`` with all items of the edition; the paths written."""
    renderer = EditionRenderer(app, edition_id)
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for language in app.config.site.languages:
        rendered = renderer.render(language)
        for ending, text in (("html", rendered.html), ("txt", rendered.text)):
            path = directory / f"{edition_id}.{language}.{ending}"
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written
