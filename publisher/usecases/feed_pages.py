"""The page of a feed: its items as a person reads them, its addresses, its neighbours."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from feeds.criteria import Criteria
from feeds.model import KINDS, Item, Label
from feeds.paths import ROOT, name_of, page_path_of
from publisher import i18n
from publisher.app import App
from publisher.i18n import Interface, kind_name, mark
from publisher.mail.cleaning import one_line, safe_url
from publisher.mail.views import ItemView, view_item
from publisher.sections import Site
from publisher.store.feed_counts import count_items
from publisher.store.feeds import select_feed_items
from publisher.templating import page_environment
from publisher.usecases.documents import Document
from publisher.usecases.feed_cards import (
    Addresses,
    list_addresses,
    make_tally,
    name_feed,
    name_language,
    page_language,
    relative_path,
    say_language,
    say_rate,
)
from publisher.usecases.feed_directory import directory_path
from publisher.usecases.feed_notices import make_ending
from publisher.usecases.feeds import ITEMS_PER_FEED, Catalogue, refuse_strangers
from publisher.usecases.page_gate import check_page

_NO_YEAR = 0
"""Every day is said with its year: nobody knows when a page is read."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another feed, or this one among the others; ``href`` is relative to the page."""

    name: str
    href: str
    is_current: bool
    language: str
    """Of the name."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The feeds that differ in one axis only."""

    id: str
    title: str
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class ShownItem:
    """One item, and where it stands in other languages: code, name, URL."""

    view: ItemView
    translations: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Everything that the template shows."""

    name: str
    in_language: str
    rate: str
    addresses: Addresses
    items: tuple[ShownItem, ...]
    axes: tuple[Axis, ...]
    url: str
    translations: tuple[tuple[str, str], ...]
    """Languages with the URL of the same page."""


def compile_page(app: App, catalogue: Catalogue, *, criteria: Criteria) -> Document:
    """The page at ``page_path_of(criteria)``: HTML that works under any path, from memory or as a file.

    Its links are relative, so that service and tree hold the same bytes. The same items give the same page. RenderError
    where it does not show them.
    """
    tally = make_tally(app, catalogue)
    with app.database.read() as tx:
        found = select_feed_items(tx, criteria, limit=ITEMS_PER_FEED)
        count = count_items(tx, criteria, period=tally.period) if tally else 0
    refuse_strangers(found, criteria)
    interface = i18n.translator(page_language(catalogue, criteria))
    ending = make_ending(app.config.site, criteria, catalogue.retired)
    items = [*([ending] if ending else []), *(item for item in found if item.withdrawn_at is None)]
    rate = say_rate(interface, count, tally)
    page = _make_page(app.config.site, catalogue, criteria=criteria, items=items, rate=rate)
    html = _render(app.config.site, criteria, page=page, interface=interface)
    headings = [(shown.view.title, shown.view.url or None) for shown in page.items]
    check_page(html, headings, name=name_of(criteria))
    return Document.of(html, "text/html; charset=utf-8")


def _make_page(site: Site, catalogue: Catalogue, *, criteria: Criteria, items: Sequence[Item], rate: str) -> FeedPage:
    interface = i18n.translator(page_language(catalogue, criteria))
    regions = tuple((region.id, region.name(interface.language)) for region in catalogue.regions)
    return FeedPage(
        name=name_feed(catalogue, criteria, interface=interface),
        in_language=say_language(interface, criteria.language),
        rate=rate,
        addresses=list_addresses(site, criteria, interface=interface),
        items=tuple(_show_item(item, interface, regions=regions) for item in items),
        axes=tuple(_list_axes(catalogue, criteria, interface=interface)),
        url=site.base_url + page_path_of(criteria),
        translations=tuple(_list_translations(site, criteria)),
    )


def _show_item(item: Item, interface: Interface, *, regions: tuple[tuple[str, str], ...]) -> ShownItem:
    translations = (
        (one.language, name_language(interface, one.language), safe_url(one.url)) for one in item.translations
    )
    return ShownItem(
        view_item(item, interface.language, regions=regions, year=_NO_YEAR),
        tuple(translation for translation in translations if translation[-1]),
    )


def _render(site: Site, criteria: Criteria, *, page: FeedPage, interface: Interface) -> bytes:
    root = _root_of(criteria)
    template = page_environment(interface.language).get_template("feed.html")
    html = template.render(
        site_name=one_line(site.name),
        base_path=f"{root}..",
        root=root,
        directory_href=relative_path(directory_path(criteria.language), root),
        page=page,
    )
    return html.encode("utf-8", "replace")


def _root_of(criteria: Criteria) -> str:
    """From the page to the directory: ``../../``."""
    path = page_path_of(criteria).partition("?")[0]
    return "../" * path.removeprefix(ROOT).count("/")


def _list_translations(site: Site, criteria: Criteria) -> Iterator[tuple[str, str]]:
    for language in site.languages:
        yield language, site.base_url + page_path_of(replace(criteria, language=language))
    yield "x-default", site.base_url + page_path_of(replace(criteria, language=None))


def _list_axes(catalogue: Catalogue, criteria: Criteria, *, interface: Interface) -> Iterator[Axis]:
    def axis(field: str, title: str, whole: str, labels: Sequence[Label]) -> Axis:
        labels = (Label("", {interface.language: interface.gettext(whole)}), *labels)
        return Axis(field, interface.gettext(title), tuple(_list_labels(criteria, field, labels, interface)))

    languages = tuple(_list_languages(catalogue, criteria, interface))
    yield Axis("languages", interface.gettext("Languages"), languages)
    yield axis("themes", mark("Themes"), mark("All themes"), catalogue.themes)
    yield axis("regions", mark("Regions"), mark("All regions"), catalogue.regions)
    if criteria.kinds:  # feeds of kinds are no files, so the pages of others do not lead to them
        kinds = [Label(kind, {interface.language: kind_name(interface, kind)}) for kind in KINDS]
        yield axis("kinds", mark("Kinds"), mark("All kinds"), kinds)


def _list_languages(catalogue: Catalogue, criteria: Criteria, interface: Interface) -> Iterator[Neighbour]:
    root = _root_of(criteria)
    for language in (None, *catalogue.languages):
        href = relative_path(page_path_of(replace(criteria, language=language)), root)
        name = name_language(interface, language)
        yield Neighbour(name, href, language == criteria.language, language or interface.language)


def _list_labels(criteria: Criteria, field: str, labels: Sequence[Label], interface: Interface) -> Iterator[Neighbour]:
    """This feed with each label on that axis; one without a code stands for the whole axis."""
    root, language = _root_of(criteria), interface.language
    for label in labels:
        other = Criteria.of(**_axes_of(criteria) | {field: [label.id]}, language=criteria.language)
        href = relative_path(page_path_of(other), root)
        yield Neighbour(one_line(label.name(language)), href, other == criteria, language)


def _axes_of(criteria: Criteria) -> dict[str, Iterable[str]]:
    return {"themes": criteria.themes, "regions": criteria.regions, "kinds": criteria.kinds}
