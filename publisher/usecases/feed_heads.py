"""What a feed says of itself: its names, addresses and the names of its labels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from feeds.criteria import Criteria
from feeds.model import KINDS, Item, Label
from feeds.paths import ARCHIVED_FORMATS, FORMATS, Format, is_topic, name_of, page_path_of, path_of
from feeds.render import FeedInfo, authority_of
from publisher.config import Config
from publisher.i18n import kind_name, translator
from publisher.sections import Site
from publisher.usecases.catalogue import Catalogue

ICON = "/static/icon.png"

_NO_ITEMS_YET = datetime(2026, 1, 1, tzinfo=UTC)
"""Fixed, so that an empty feed keeps its bytes, and late enough for validators to believe it."""


def title_feed(catalogue: Catalogue, criteria: Criteria, *, language: str) -> str:
    """What the feed is about, in that language: ``Asylum · Africa``; empty for everything."""
    themes = (*catalogue.themes, *catalogue.retired_labels("theme"))
    regions = (*catalogue.regions, *catalogue.retired_labels("region"))
    axes = ((themes, criteria.themes), (regions, criteria.regions))
    names = [label.name(language) for labels, codes in axes for label in labels if label.id in codes]
    interface = translator(language)
    return " · ".join([*names, *(kind_name(interface, kind) for kind in criteria.kinds)])


def describe_feed(config: Config, catalogue: Catalogue, *, criteria: Criteria, items: Sequence[Item]) -> FeedInfo:
    """The head of the feed of these items."""
    site, name = config.site, name_of(criteria)
    last = catalogue.archives.get(name)
    return FeedInfo(
        authority=authority_of(site.base_url),
        name=name,
        **_texts(site, catalogue, criteria),
        urls=_urls(site, criteria),
        page_url=site.base_url + page_path_of(criteria),
        updated=max((item.updated_at for item in items), default=_NO_ITEMS_YET),
        translations=_translations(site, criteria),
        icon_url=site.base_url + ICON,
        hubs=config.web.hubs if is_topic(path_of(criteria, "atom")) else (),
        previous=_archive_urls(site, criteria, last),
    )


def freeze_head(site: Site, catalogue: Catalogue, criteria: Criteria) -> dict[str, Any]:  # Any: a JSON object
    """What archives of the feed say of themselves for good: all but addresses."""
    return {"authority": authority_of(site.base_url), **_texts(site, catalogue, criteria)}


def describe_archive(
    site: Site, head: Mapping[str, Any], *, criteria: Criteria, number: int, updated: datetime
) -> FeedInfo:
    """The head of that archive of the feed; ``head`` is frozen."""
    urls = _archive_urls(site, criteria, number)
    return FeedInfo(
        name=f"{name_of(criteria)}/archive/{number}",
        **head,
        urls=urls,
        page_url=site.base_url + page_path_of(criteria),
        updated=updated,
        previous=_archive_urls(site, criteria, number - 1),
        current={form: site.base_url + path_of(criteria, form) for form in urls},
    )


def _texts(site: Site, catalogue: Catalogue, criteria: Criteria) -> dict[str, Any]:
    language = criteria.language or "en"
    about = title_feed(catalogue, criteria, language=language)
    return {
        "title": f"{site.name}: {about}" if about else site.name,
        "subtitle": about or site.name,
        "site_name": site.name,
        "language": criteria.language,
        "rights": f"© {site.name}",
        "labels": name_labels(catalogue.themes, catalogue.regions, language),
    }


def _urls(site: Site, criteria: Criteria) -> dict[Format, str]:
    return {form: site.base_url + path_of(criteria, form) for form in FORMATS}


def _archive_urls(site: Site, criteria: Criteria, number: int | None) -> dict[Format, str]:
    """Of that archive; empty where there is none."""
    return {form: site.base_url + path_of(criteria, form, number) for form in ARCHIVED_FORMATS} if number else {}


def _translations(site: Site, criteria: Criteria) -> dict[str, dict[Format, str]]:
    others = [language for language in site.languages if language != criteria.language]
    return {language: _urls(site, replace(criteria, language=language)) for language in others}


def name_labels(themes: Sequence[Label], regions: Sequence[Label], language: str) -> dict[str, str]:
    """What categories are called in that language, by ``axis:code``; and what a deadline is."""
    interface = translator(language)
    return (
        {f"theme:{theme.id}": theme.name(language) for theme in themes}
        | {f"region:{region.id}": region.name(language) for region in regions}
        | {f"kind:{kind}": kind_name(interface, kind) for kind in KINDS}
        | {"deadline": interface.gettext("Deadline")}
    )
