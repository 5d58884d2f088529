"""Feeds: which there are, and their documents."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product

from feeds.criteria import Criteria
from feeds.model import KINDS, Item, Label
from feeds.paths import FORMATS, ROOT, Address, Format, KnownCodes, name_of, path_of
from feeds.render import MEDIA_TYPES, FeedInfo, authority_of, make_feed, render
from publisher.app import App
from publisher.config import Site
from publisher.errors import RenderError
from publisher.i18n import kind_name, translator
from publisher.store.feeds import Version, read_version
from publisher.store.items import select_items
from publisher.store.newsroom import read_labels
from publisher.usecases.documents import Document

ITEMS_PER_FEED = 50

_NO_ITEMS_YET = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What feeds can be about, at one state of the database."""

    themes: tuple[Label, ...]
    regions: tuple[Label, ...]
    languages: tuple[str, ...]
    version: Version
    """Differs whenever some feed may differ."""
    changed_at: datetime | None
    """Newest change of any item; None where there is none."""

    @property
    def known(self) -> KnownCodes:
        """The codes that addresses may name."""
        themes = {theme.id for theme in self.themes}
        regions = {region.id for region in self.regions}
        return KnownCodes(themes, regions, self.languages)


def read_catalogue(app: App) -> Catalogue:
    """The catalogue as of now."""
    with app.database.read() as tx:
        themes, regions = read_labels(tx)
        version = read_version(tx)
    return Catalogue(themes, regions, app.config.site.languages, version, version.changed_at)


def list_feeds(catalogue: Catalogue) -> Iterator[Criteria]:
    """Every feed that has a path: all, each theme, each region, each pair; in all languages together, then in each."""
    themes = (None, *catalogue.themes)
    regions = (None, *catalogue.regions)
    for language, theme, region in product((None, *catalogue.languages), themes, regions):
        yield criteria_of(theme, region, language=language)


def criteria_of(theme: Label | None, region: Label | None, *, language: str | None) -> Criteria:
    """The criteria of a theme, a region, a pair of them or everything."""
    return Criteria.of(
        [theme.id] if theme else [],
        [region.id] if region else [],
        language=language,
    )


def compile_feed(app: App, catalogue: Catalogue, *, address: Address) -> Document:
    """The document at that address; RenderError where it cannot be made."""
    return compile_formats(app, catalogue, criteria=address.criteria, formats=[address.format])[address.format]


def compile_formats(
    app: App, catalogue: Catalogue, *, criteria: Criteria, formats: Sequence[Format] = FORMATS
) -> dict[Format, Document]:
    """One feed in several formats, of the same items."""
    with app.database.read() as tx:
        items = select_items(tx, criteria=criteria, limit=ITEMS_PER_FEED)
    info = _describe(app.config.site, catalogue, criteria=criteria, items=items)
    try:
        feed = make_feed(info, items)
        bodies = {form: render(feed, form) for form in formats}
    except (ValueError, TypeError) as error:
        raise RenderError(f"Feed {info.name} cannot be rendered: {error}. See its items: publisher items") from error
    return {form: _document(body, form, catalogue=catalogue) for form, body in bodies.items()}


def title_feed(catalogue: Catalogue, criteria: Criteria, *, language: str) -> str:
    """What the feed is about, in that language: ``Asylum · Africa``; empty for everything."""
    axes = ((catalogue.themes, criteria.themes), (catalogue.regions, criteria.regions))
    names = [label.name(language) for labels, codes in axes for label in labels if label.id in codes]
    interface = translator(language)
    return " · ".join([*names, *(kind_name(interface, kind) for kind in criteria.kinds)])


def _describe(site: Site, catalogue: Catalogue, *, criteria: Criteria, items: Sequence[Item]) -> FeedInfo:
    language = criteria.language or "en"
    about = title_feed(catalogue, criteria, language=language)
    return FeedInfo(
        authority=authority_of(site.base_url),
        name=name_of(criteria),
        title=f"{site.name}: {about}" if about else site.name,
        subtitle=about or site.name,
        urls=_urls(site, criteria),
        site_url=site.base_url + ROOT,
        site_name=site.name,
        updated=max((item.updated_at for item in items), default=_NO_ITEMS_YET),
        language=criteria.language,
        rights=f"© {site.name}",
        labels=_label_names(catalogue, language),
        translations=_translations(site, criteria),
    )


def _urls(site: Site, criteria: Criteria) -> dict[Format, str]:
    return {form: site.base_url + path_of(criteria, form) for form in FORMATS}


def _translations(site: Site, criteria: Criteria) -> dict[str, dict[Format, str]]:
    others = [language for language in site.languages if language != criteria.language]
    return {language: _urls(site, replace(criteria, language=language)) for language in others}


def _label_names(catalogue: Catalogue, language: str) -> dict[str, str]:
    interface = translator(language)
    return (
        {f"theme:{theme.id}": theme.name(language) for theme in catalogue.themes}
        | {f"region:{region.id}": region.name(language) for region in catalogue.regions}
        | {f"kind:{kind}": kind_name(interface, kind) for kind in KINDS}
    )


def _document(body: bytes, form: Format, *, catalogue: Catalogue) -> Document:
    # Not dated by the items it holds: one that leaves a feed would put its date back.
    return Document.of(body, f"{MEDIA_TYPES[form]}; charset=utf-8", changed_at=catalogue.changed_at)
