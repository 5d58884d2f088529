"""Items for staff: listing, showing, correcting; classifying anew when the rules have changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import pycountry
from sqlalchemy import Connection

from feeds.content import Content
from feeds.corrections import correct_content, read_correction
from feeds.criteria import Criteria
from feeds.merge import Known, merge_sightings
from feeds.model import Classification, Item
from feeds.text import LONGEST_SUMMARY, clean_text
from publisher.app import App
from publisher.errors import ConfigError
from publisher.store import item_changes
from publisher.store.batches import in_batches
from publisher.store.item_changes import Correction, change_item, put_correction, read_corrections
from publisher.store.items import read_item, read_items, read_source_ids, select_items
from publisher.store.newsroom import read_label_rules, read_labels
from publisher.store.sightings import read_known
from publisher.usecases.classifying import Classify, classify_content, load_classifier

RENEWED_AT_ONCE = 500
"""Items that one transaction classifies anew."""

JsonItem = dict[str, Any]
"""An item as ``--json`` prints it; of many types, hence ``Any``."""


def list_items(
    app: App, criteria: Criteria | None = None, *, since: date | None = None, limit: int | None = None
) -> list[JsonItem]:
    """The items that meet the criteria, dated ``since`` or later, the newest first; all of them without ``limit``."""
    wanted = criteria or Criteria()
    with app.database.read() as tx:
        _refuse_unknown(tx, wanted)
        items = _select(tx, criteria, since=since, limit=limit)
        sources = read_source_ids(tx, [item.id for item in items])
    return [_to_json(item, sources[item.id]) for item in items]


def _refuse_unknown(tx: Connection, wanted: Criteria) -> None:
    themes, regions = read_labels(tx)
    for axis, codes, labels in (("theme", wanted.themes, themes), ("region", wanted.regions, regions)):
        known = [label.id for label in labels]
        for code in set(codes) - set(known):
            raise ConfigError(f"There is no {axis} {code!r}. There are: {', '.join(known)}")


def show_item(app: App, item_id: int) -> JsonItem:
    """One item with what proves its labels and what staff corrected; NotFoundError where there is none."""
    with app.database.read() as tx:
        item = read_item(tx, item_id)
        sources = read_source_ids(tx, [item_id])
        corrections = read_corrections(tx, [item_id])[item_id]
    found = item.classification
    return _to_json(item, sources[item_id]) | {
        "authors": list(item.authors),
        "category": item.category,
        "projects": list(found.projects),
        "deadline": found.deadline and found.deadline.isoformat(),
        "event_dates": found.event_dates and [day.isoformat() for day in found.event_dates],
        "matches": [asdict(match) for match in found.matches],
        "corrections": corrections,
        "images": [asdict(image) for image in item.images],
        "translations": [{"language": one.language, "url": one.url} for one in item.translations],
        "withdrawn_reason": item.withdrawn_reason,
    }


def correct_item(app: App, item_id: int, field: str, *, value: str, actor: str) -> JsonItem:
    """The item with the word of staff about a field, which wins from now on; see ``feeds.corrections`` for values.

    ConfigError for an unknown field or value, NotFoundError for an unknown item. May be repeated.
    """
    now = app.clock()
    _warm_up(app, item_id)
    with app.database.write() as tx:
        read_item(tx, item_id)
        correction = Correction(field, _read_value(tx, field, value), actor)
        put_correction(tx, item_id, correction, now=now)
        _renew(tx, app, [item_id], classify=load_classifier(tx), now=now)
    return show_item(app, item_id)


def withdraw_item(app: App, item_id: int, *, reason: str = "") -> JsonItem:
    """The item, which the publisher does not stand by any more: feeds say so in its place. May be repeated.

    NotFoundError for an unknown item. It is not mailed any more where it is in no edition yet.
    """
    text = clean_text(reason, LONGEST_SUMMARY)
    with app.database.write() as tx:
        item_changes.withdraw_item(tx, item_id, reason=text, now=app.clock())
    return show_item(app, item_id)


def reinstate_item(app: App, item_id: int) -> JsonItem:
    """The item, whose withdrawal is taken back. May be repeated; NotFoundError for an unknown item."""
    with app.database.write() as tx:
        item_changes.reinstate_item(tx, item_id, now=app.clock())
    return show_item(app, item_id)


def reclassify_items(app: App) -> int:
    """Classify all items by the rules as they are now; how many have changed. May be repeated, and goes on from there.

    Items are written a batch at a time, and classified outside of the transactions that write.
    """
    now = app.clock()
    with app.database.read() as tx:
        ids = [item.id for item in select_items(tx)]
    return sum(_renew_batch(app, batch, now=now) for batch in in_batches(ids, size=RENEWED_AT_ONCE))


def _renew_batch(app: App, ids: Sequence[int], *, now: datetime) -> int:
    with app.database.read() as tx:
        rules = read_label_rules(tx)
        classify = cache(load_classifier(tx))
        stale = [item_id for item_id, _ in _find_stale(tx, app, ids, classify=classify)]
    if not stale:
        return 0
    with app.database.write() as tx:
        if read_label_rules(tx) != rules:
            return 0  # whoever changed them classifies anew
        return _renew(tx, app, stale, classify=classify, now=now)


def _warm_up(app: App, item_id: int) -> None:
    """Have the rules for the language of the item compiled, outside of a transaction that writes."""
    with app.database.read() as tx:
        _find_stale(tx, app, [item_id], classify=load_classifier(tx))


def _select(tx: Connection, criteria: Criteria | None, *, since: date | None, limit: int | None) -> list[Item]:
    """``since`` is a day as the sources print them, whatever their zones; hence the look further back."""
    if since is None:
        return select_items(tx, criteria=criteria, limit=limit)
    earliest = datetime.combine(since, time(), UTC) - timedelta(days=1)
    items = [item for item in select_items(tx, criteria=criteria, since=earliest) if item.day >= since]
    return items[:limit]


def _renew(tx: Connection, app: App, ids: Sequence[int], *, classify: Classify, now: datetime) -> int:
    """Write again, from sightings, corrections and rules, the items that would show something else; their number."""
    stale = _find_stale(tx, app, ids, classify=classify)
    for item_id, (content, classification) in stale:
        change_item(tx, item_id, content=content, classification=classification, now=now)
    return len(stale)


def _find_stale(
    tx: Connection, app: App, ids: Sequence[int], *, classify: Classify
) -> list[tuple[int, tuple[Content, Classification]]]:
    """The items that show something else than follows from what is known, with what follows."""
    known = read_known(tx, ids)
    derived = {item.id: (_derive(known[item.id], app, classify), item.classification) for item in read_items(tx, ids)}
    return [(item_id, due) for item_id, (due, shown) in derived.items() if due != (known[item_id].content, shown)]


def _derive(known: Known, app: App, classify: Classify) -> tuple[Content, Classification]:
    """What follows from sightings, corrections and rules."""
    content = correct_content(merge_sightings(known.sightings, zone=app.config.site.zone), known.corrections)
    return content, classify_content(content, known.corrections, classify)


def _read_value(tx: Connection, field: str, text: str) -> Any:
    try:
        return read_correction(field, text, _known_codes(tx))
    except ValueError as error:
        raise ConfigError(f"{field}: {error}") from error


def _known_codes(tx: Connection) -> Mapping[str, Collection[str]]:
    themes, regions = read_labels(tx)
    return {
        "themes": [label.id for label in themes],
        "regions": [label.id for label in regions],
        "countries": [country.alpha_2 for country in pycountry.countries],
    }


def _to_json(item: Item, source_ids: list[str]) -> JsonItem:
    found = item.classification
    return {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "summary": item.summary,
        "date": item.day.isoformat(),
        "date_source": item.date_source,
        "language": item.language,
        "themes": list(found.themes),
        "primary_theme": found.primary_theme,
        "regions": list(found.regions),
        "countries": list(found.countries),
        "kind": found.kind,
        "sources": source_ids,
        "withdrawn_at": item.withdrawn_at and item.withdrawn_at.isoformat(),
    }
