"""The values that the packages exchange: item, match, criteria."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

GENERAL = "general"
"""The theme of what has no other theme."""

GLOBAL = "global"
"""The region that reaches every region."""

KINDS = ("call", "opinion", "appointment", "publication", "training", "event", "news")
"""The kinds of item, in the order in which they are tried: the first that fits is taken."""


@dataclass(frozen=True, slots=True)
class Match:
    """A label with the text that proves it, as the item prints it."""

    label: str
    """``axis:code``, e.g. ``theme:asylum``, ``country:MD``, ``region:africa``, ``kind:call``, ``deadline``."""
    text: str


@dataclass(frozen=True, slots=True)
class Classification:
    """What an item is about. Codes stand in the order of the taxonomy, countries in alphabetical order."""

    themes: tuple[str, ...] = (GENERAL,)
    primary_theme: str | None = GENERAL
    countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2."""
    regions: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    """As first printed."""
    kind: str = "news"
    deadline: date | None = None
    event_dates: tuple[date, date] | None = None
    """First and last day, both included."""
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that belongs to an item."""

    url: str
    """Absolute."""
    media_type: str
    """``image/…``; never empty."""
    size_bytes: int | None = None
    """As its source says; None where it does not."""


@dataclass(frozen=True, slots=True)
class Translation:
    """The same piece in another language."""

    language: str
    url: str
    uid: str = ""
    """Of the item, where it was collected; empty where only its address is known."""


@dataclass(frozen=True, slots=True)
class Item:
    """One collected piece, normalised and classified. All text is plain text unless its name says html."""

    id: int
    uid: str
    """Random and permanent; the ids of feed entries are made of it."""
    url: str
    """Canonical, absolute."""
    title: str
    summary: str
    language: str
    """BCP 47, e.g. ``en``."""
    day: date
    """The calendar day the source gives, else the day the item was first seen."""
    date_source: str
    """``source`` or ``first-seen``."""
    published_at: datetime
    """Aware, UTC. Midnight of ``day`` where the source gives a day only."""
    updated_at: datetime
    """Last change of what feeds show; aware, UTC."""
    content_html: str = ""
    """Sanitised body where the source gives one."""
    authors: tuple[str, ...] = ()
    category: str = ""
    """The source's own label, as printed."""
    images: tuple[Image, ...] = ()
    alternates: tuple[Translation, ...] = ()
    """Where its sources say that it stands in other languages."""
    translations: tuple[Translation, ...] = ()
    """Where it stands in other languages: what was collected, else what its sources say. One for each language."""
    withdrawn_at: datetime | None = None
    """From when on the publisher does not stand by it any more; aware, UTC."""
    withdrawn_reason: str = ""
    classification: Classification = field(default_factory=Classification)
    version: int = 1
    """Grows with each change."""
    former_deadline: date | None = None
    """The deadline it gave last, where it gives none any more."""
    former_event_dates: tuple[date, date] | None = None
    """Likewise."""


@dataclass(frozen=True, slots=True)
class Label:
    """A theme or region: its code and its name in each interface language."""

    id: str
    title: dict[str, str]

    def name(self, language: str) -> str:
        """The name in that language, else in English, else the code."""
        return self.title.get(language) or self.title.get("en") or self.id


def is_reached(
    classification: Classification,
    *,
    themes: Collection[str],
    regions: Collection[str],
) -> bool:
    """Whether an item of this classification reaches someone who asked for these themes and regions.

    An empty collection stands for ``*``. Both axes must be met. ``global`` reaches every region; an item without a
    region, and one whose theme is ``general``, reach only ``*`` or who named it.
    """
    return _is_theme_met(classification, themes) and _is_region_met(classification, regions)


def _is_theme_met(classification: Classification, themes: Collection[str]) -> bool:
    return not themes or any(theme in themes for theme in classification.themes)


def _is_region_met(classification: Classification, regions: Collection[str]) -> bool:
    if not regions or GLOBAL in classification.regions:
        return True
    return any(region in regions for region in classification.regions)
