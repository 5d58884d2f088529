"""The catalogue: which feeds there are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product

from feeds.criteria import Criteria
from feeds.model import Label
from feeds.paths import KnownCodes
from publisher.app import App
from publisher.store.feed_records import count_archives
from publisher.store.feed_versions import Version, read_version
from publisher.store.newsroom import read_labels
from publisher.store.retired import RetiredLabel, list_retired


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What feeds can be about, at one state of the database."""

    themes: tuple[Label, ...]
    regions: tuple[Label, ...]
    languages: tuple[str, ...]
    version: Version
    changed_at: datetime | None
    """Newest change of any item; None where there is none."""
    dated_at: datetime | None = None
    """Never earlier than the last change that has a date, of an item or of a theme or region that ended."""
    retired: tuple[RetiredLabel, ...] = ()
    """Themes and regions that are no more; their feeds say so."""
    archives: Mapping[str, int] = field(default_factory=dict)
    """How many archives each feed has, by its name."""
    generation: int = 0
    """Of a catalogue that a shelf gave: which of its states that is."""

    @property
    def known(self) -> KnownCodes:
        """The codes that addresses may name."""
        themes = {theme.id for theme in (*self.themes, *self.retired_labels("theme"))}
        regions = {region.id for region in (*self.regions, *self.retired_labels("region"))}
        return KnownCodes(themes, regions, self.languages, archives=self.archives)

    def has_ended(self, criteria: Criteria) -> bool:
        """Whether the feed is about a theme or region that is no more."""
        axes = {"theme": criteria.themes, "region": criteria.regions}
        return any(one.label.id in axes[one.axis] for one in self.retired)

    def retired_labels(self, axis: str) -> tuple[Label, ...]:
        """Those themes or regions (``theme``, ``region``) that are no more."""
        return tuple(one.label for one in self.retired if one.axis == axis)


def read_catalogue(app: App) -> Catalogue:
    """The catalogue as of now."""
    with app.database.read() as tx:
        themes, regions = read_labels(tx)
        version, retired = read_version(tx), list_retired(tx)
        moments = filter(None, [version.changed_at, *(one.ended_at for one in retired)])
        return Catalogue(
            themes,
            regions,
            app.config.site.languages,
            version,
            version.changed_at,
            max(moments, default=None),
            retired,
            count_archives(tx),
        )


def list_feeds(catalogue: Catalogue) -> Iterator[Criteria]:
    """Every feed that has a path: all, each theme, each region, each pair; in all languages together, then in each.

    Those of themes and regions that are no more are among them.
    """
    themes = (None, *catalogue.themes, *catalogue.retired_labels("theme"))
    regions = (None, *catalogue.regions, *catalogue.retired_labels("region"))
    for language, theme, region in product((None, *catalogue.languages), themes, regions):
        yield criteria_of(theme, region, language=language)


def criteria_of(theme: Label | None, region: Label | None, *, language: str | None) -> Criteria:
    """The criteria of a theme, a region, a pair of them or everything."""
    return Criteria.of(
        [theme.id] if theme else [],
        [region.id] if region else [],
        language=language,
    )
