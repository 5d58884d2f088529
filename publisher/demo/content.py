"""What the invented newsroom publishes, and what of it stands on its site at a given moment."""

import tomllib
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from publisher.demo.dates import ZONE, Offset, fill

LANGUAGES = ("en", "fr", "ru")


@dataclass(frozen=True, slots=True)
class Correction:
    """A later text of a story; what is None stays as it was."""

    hours_after: float
    note: str
    title: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """A story as its file has it, dates still open.

    It stands on the site from ``days_before`` the demo's start, at that time of day, or appears ``hours_after`` it.
    """

    slug: str
    language: str
    category: str
    title: str
    summary: str
    body: tuple[str, ...]
    sections: tuple[str, ...] = ("news",)
    days_before: int = 0
    at: time = time(9)
    hours_after: float | None = None
    dates: dict[str, Offset] = field(default_factory=dict)
    correction: Correction | None = None

    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Organisation:
    """The publisher of the stories and the words of its site, by language."""

    name: str
    address: str
    phrases: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Newsroom:
    """All that the invented organisation will ever say."""

    organisation: Organisation
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A story as the site shows it at one moment."""

    slug: str
    language: str
    sections: tuple[str, ...]
    category: str
    title: str
    summary: str
    body: tuple[str, ...]
    published_at: datetime
    updated_at: datetime
    correction: str | None = None

    @property
    def day(self) -> date:
        """The day of publication where the organisation sits."""
        return self.published_at.astimezone(ZONE).date()

    @property
    def changed_day(self) -> date:
        """The day of the last change of its text."""
        return self.updated_at.astimezone(ZONE).date()


@cache
def load_newsroom() -> Newsroom:
    """The newsroom that ships with the package."""
    organisation = TypeAdapter(Organisation).validate_python(_read("organisation.toml"))
    return Newsroom(organisation, tuple(story for language in LANGUAGES for story in _load_stories(language)))


def newsroom_toml(site_url: str) -> str:
    """The file that ``publisher apply`` takes for the site at that address."""
    return _text("newsroom.toml").replace("{site}", site_url.rstrip("/"))


def subscribers_csv() -> str:
    """The file that ``publisher subscribers import`` takes: invented people, all at example domains."""
    return _text("subscribers.csv")


def pages_at(stories: tuple[Story, ...], start: datetime, *, now: datetime) -> tuple[Page, ...]:
    """What stands on the site at ``now`` of a demo begun at ``start``, newest first."""
    pages = [_page(story, start, now=now) for story in stories if published_at(story, start) <= now]
    return tuple(sorted(pages, key=lambda page: (page.published_at, page.slug), reverse=True))


def published_at(story: Story, start: datetime) -> datetime:
    """The moment from which the story can be read; in the zone of ``start``."""
    if story.hours_after is not None:
        return start + timedelta(hours=story.hours_after)
    day = start.astimezone(ZONE).date() - timedelta(days=story.days_before)
    return datetime.combine(day, story.at, ZONE).astimezone(start.tzinfo)


def _page(story: Story, start: datetime, *, now: datetime) -> Page:
    appeared_at = published_at(story, start)
    page = _filled(story, appeared_at)
    if story.correction is None:
        return page
    corrected_at = start + timedelta(hours=story.correction.hours_after)
    return page if now < corrected_at else _corrected(page, story.correction, at=corrected_at)


def _filled(story: Story, appeared_at: datetime) -> Page:
    day = appeared_at.astimezone(ZONE).date()

    def filled(text: str) -> str:
        return fill(text, story.dates, day=day, language=story.language)

    return Page(
        slug=story.slug,
        language=story.language,
        sections=story.sections,
        category=story.category,
        title=filled(story.title),
        summary=filled(story.summary),
        body=tuple(filled(paragraph) for paragraph in story.body),
        published_at=appeared_at,
        updated_at=appeared_at,
    )


def _corrected(page: Page, correction: Correction, *, at: datetime) -> Page:
    return replace(
        page,
        title=correction.title or page.title,
        summary=correction.summary or page.summary,
        updated_at=at,
        correction=correction.note,
    )


def _load_stories(language: str) -> tuple[Story, ...]:
    rows = _read(f"stories_{language}.toml")["stories"]
    return TypeAdapter(tuple[Story, ...]).validate_python([{"language": language} | row for row in rows])


def _read(name: str) -> dict[str, Any]:  # Any: TOML, validated by the caller
    return tomllib.loads(_text(name))


def _text(name: str) -> str:
    return files("publisher.demo").joinpath("newsroom", name).read_text(encoding="utf-8")
