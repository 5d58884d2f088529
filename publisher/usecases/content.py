"""What every reader of an edition sees: it is what staff approve."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from feeds.model import GENERAL, Item, Label
from publisher.app import App
from publisher.store.frozen import freeze_item
from publisher.store.newsroom import read_digest, read_labels
from subscribers.schedule import Digest


@dataclass(frozen=True, slots=True)
class Content:
    """The frozen items of an edition, and the titles that its digest, themes and regions have now."""

    digest: Digest
    items: Sequence[Item]
    themes: Sequence[Label]
    """All, in the order of the taxonomy."""
    regions: Sequence[Label]


def read_content(tx: Connection, digest_id: str, items: Sequence[Item]) -> Content:
    """What readers of these items in that digest see now."""
    themes, regions = read_labels(tx)
    return Content(read_digest(tx, digest_id).digest, items, themes, regions)


def content_hash(app: App, content: Content) -> str:
    """Of the items and everything else that readers see: titles, sender, site, the languages it is written in."""
    site, mail = app.config.site, app.config.mail
    used = {GENERAL}.union(*(_codes(item) for item in content.items))
    seen = {
        "digest": content.digest.title,
        "items": [freeze_item(item) for item in content.items],
        "labels": [(one.id, one.title) for one in (*content.themes, *content.regions) if one.id in used],
        "site": [site.name, site.postal_address, site.base_url, site.timezone, site.languages],
        "mail": [mail.sender, mail.reply_to],
    }
    return hashlib.sha256(json.dumps(seen, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _codes(item: Item) -> set[str]:
    found = item.classification
    return {*found.themes, *found.regions} | ({found.primary_theme} if found.primary_theme else set())
