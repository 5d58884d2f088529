"""Items that the publisher itself writes into feeds: that an item was withdrawn, that a feed has ended."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from html import escape

from feeds.criteria import Criteria
from feeds.model import Classification, Item
from feeds.paths import ROOT, name_of, path_of
from feeds.render import Tombstone
from publisher.i18n import translator
from publisher.sections import Site
from publisher.store.retired import RetiredLabel


def show_withdrawals(items: Sequence[Item]) -> list[Item]:
    """The items, those withdrawn as an update that says so, for readers that do not know tombstones."""
    return [_show_withdrawal(item) if item.withdrawn_at else item for item in items]


def make_tombstones(items: Sequence[Item]) -> list[Tombstone]:
    """What says of withdrawn items that they are no more."""
    return [Tombstone(item.uid, _told_at(item), item.withdrawn_reason) for item in items if item.withdrawn_at]


def _show_withdrawal(item: Item) -> Item:
    """Nothing of the item stays but its title, which tells readers what is meant; staff can correct that too."""
    gettext = translator(item.language).gettext
    return replace(
        item,
        title=gettext("Withdrawn: %(title)s") % {"title": item.title},
        summary=" ".join(filter(None, [gettext("This item was withdrawn."), item.withdrawn_reason])),
        updated_at=_told_at(item),
        content_html="",
        authors=(),
        images=(),
        translations=(),
    )


def _told_at(item: Item) -> datetime:
    """When the last was said of a withdrawn item: staff may correct its title, or the reason, later."""
    return max(item.withdrawn_at or item.updated_at, item.updated_at)


def make_ending(site: Site, criteria: Criteria, retired: Sequence[RetiredLabel]) -> Item | None:
    """The last item of a feed that is about a theme or region which is no more; None for any other feed."""
    ended = next((one for one in retired if _is_about(criteria, one)), None)
    if ended is None:
        return None
    language = criteria.language or "en"
    gettext = translator(language).gettext
    url = _successor_url(site, criteria, ended)
    name = ended.label.name(language)
    told = gettext("This feed goes on as %(url)s.") % {"url": url} if url else gettext("It has no successor.")
    linked = escape(told).replace(escape(url), f'<a href="{escape(url)}">{escape(url)}</a>') if url else escape(told)
    return Item(
        id=0,
        uid=f"retired/{name_of(criteria)}",
        url=site.base_url + ROOT,
        title=gettext("This feed has ended: %(name)s") % {"name": name},
        summary=told,
        content_html=f"<p>{linked}</p>",
        language=language,
        day=ended.ended_at.date(),
        date_source="source",
        published_at=ended.ended_at,
        updated_at=ended.ended_at,
        classification=Classification(themes=(), primary_theme=None),
    )


def _is_about(criteria: Criteria, one: RetiredLabel) -> bool:
    return one.label.id in (criteria.themes if one.axis == "theme" else criteria.regions)


def _successor_url(site: Site, criteria: Criteria, ended: RetiredLabel) -> str:
    """The feed that takes its place; empty where there is none."""
    if ended.successor is None:
        return ""
    axis = "themes" if ended.axis == "theme" else "regions"
    codes = [ended.successor if code == ended.label.id else code for code in getattr(criteria, axis)]
    values = {"themes": criteria.themes, "regions": criteria.regions, axis: codes}
    successor = Criteria.of(values["themes"], values["regions"], kinds=criteria.kinds, language=criteria.language)
    return site.base_url + path_of(successor, "atom")
