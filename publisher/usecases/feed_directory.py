"""The directory of feeds: for each language a page that leads to the pages of its feeds, and OPML."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from feeds.criteria import Criteria
from feeds.model import KINDS, Label
from feeds.paths import ROOT, page_path_of
from publisher import i18n
from publisher.app import App
from publisher.i18n import Interface, kind_name, mark
from publisher.mail.cleaning import one_line
from publisher.sections import Site
from publisher.store.feed_counts import Counts, count_by_feed
from publisher.templating import page_environment, read_style
from publisher.usecases.documents import Document
from publisher.usecases.feed_cards import (
    FormatLink,
    Tally,
    list_addresses,
    make_tally,
    name_feed,
    name_language,
    page_language,
    relative_path,
    say_rate,
)
from publisher.usecases.feed_opml import render_opml
from publisher.usecases.feeds import Catalogue

PAGE = "index.html"
OPML = "index.opml"
STYLE = "style.css"
"""Beside it the pages use the style sheet of all pages, ``../static/style.css``."""
SCRIPT = "copy.js"


@dataclass(frozen=True, slots=True)
class Entry:
    """One feed of the directory; ``href`` is that of its page, relative to the directory's."""

    name: str
    href: str
    rate: str


@dataclass(frozen=True, slots=True)
class Group:
    """The feeds of one axis."""

    id: str
    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """A language in its own words, and its directory."""

    code: str
    """Empty for all languages."""
    name: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Directory:
    """What a page of the directory shows, its form aside."""

    language: str | None
    root: str
    """From the page to ``/feeds/``: ``../``, or ``./``."""
    url: str
    languages: tuple[LanguageLink, ...]
    alternates: tuple[FormatLink, ...]
    """What feed readers find on it: the feed of everything."""
    everything: Entry | None = None
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers, each as code and name; None where nobody would answer it, as in a tree of files."""

    themes: tuple[tuple[str, str], ...]
    regions: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """How much each feed gets."""

    counts: Counts
    tally: Tally | None

    def say(self, criteria: Criteria, interface: Interface) -> str:
        """For a feed of at most one label."""
        return say_rate(interface, self.counts.get(criteria, 0), self.tally)


def compile_directory(app: App, catalogue: Catalogue, *, has_form: bool = True) -> dict[str, Document]:
    """Pages, OPML, style sheet and script by their names below ``/feeds/``: ``index.html``, ``fr/index.html``.

    Pages that are files have no form, and lead to no feed of kinds: a tree of files has neither.
    """
    site, rates = app.config.site, read_rates(app, catalogue)
    pages = {}
    for language in (None, *catalogue.languages):
        directory = _list_all(_open(site, catalogue, language), catalogue, rates=rates, has_kinds=has_form)
        choices = list_choices(catalogue, language) if has_form else None
        page = render_directory(site, directory, choices=choices)
        pages[directory_name(language)] = Document.of(page, "text/html; charset=utf-8")
    return pages | {
        OPML: Document.of(render_opml(site, catalogue), "text/x-opml; charset=utf-8"),
        STYLE: Document.of(read_style("feeds.css"), "text/css; charset=utf-8"),
        SCRIPT: Document.of(read_style("copy.js"), "text/javascript; charset=utf-8"),
    }


def directory_name(language: str | None) -> str:
    """The name of that language's page below ``/feeds/``; of all languages together for None."""
    return f"{language}/{PAGE}" if language else PAGE


def directory_path(language: str | None) -> str:
    """Where that page is: ``/feeds/fr/``."""
    return f"{ROOT}{language}/" if language else ROOT


def read_rates(app: App, catalogue: Catalogue) -> Rates:
    """The rates of all feeds, in one query."""
    tally = make_tally(app, catalogue)
    if tally is None:
        return Rates({}, None)
    with app.database.read() as tx:
        codes = [region.id for region in catalogue.regions]
        return Rates(count_by_feed(tx, tally.period, regions=codes), tally)


def make_directory(site: Site, catalogue: Catalogue, *, language: str | None, root: str) -> Directory:
    """The directory of one language without its lists."""
    everything = Criteria(language=language)
    interface = i18n.translator(page_language(catalogue, everything))
    return Directory(
        language=language,
        root=root,
        url=site.base_url + directory_path(language),
        languages=tuple(_list_languages(catalogue, language, root=root, interface=interface)),
        alternates=list_addresses(site, everything, interface=interface).everywhere,
    )


def list_choices(catalogue: Catalogue, language: str | None) -> Choices:
    """What can be ticked, in the words of that language."""
    interface = i18n.translator(page_language(catalogue, Criteria(language=language)))

    def name(labels: Sequence[Label]) -> tuple[tuple[str, str], ...]:
        return tuple((label.id, one_line(label.name(interface.language))) for label in labels)

    kinds = tuple((kind, kind_name(interface, kind)) for kind in KINDS)
    return Choices(name(catalogue.themes), name(catalogue.regions), kinds)


def render_directory(site: Site, directory: Directory, *, choices: Choices | None, **answer: object) -> bytes:
    """The page; ``answer`` is what the form was told and what came of it."""
    language = directory.language or site.languages[0]
    html = (
        page_environment(language)
        .get_template("feeds.html")
        .render(
            {"answer": None, "chosen": Criteria(), "text": ""} | answer,
            site_name=one_line(site.name),
            base_path=f"{directory.root}..",
            root=directory.root,
            directory=directory,
            choices=choices,
        )
    )
    return html.encode("utf-8", "replace")


def _open(site: Site, catalogue: Catalogue, language: str | None) -> Directory:
    return make_directory(site, catalogue, language=language, root="../" if language else "./")


def _list_all(directory: Directory, catalogue: Catalogue, *, rates: Rates, has_kinds: bool) -> Directory:
    """With its lists: each feed of at most one label."""
    language = directory.language
    interface = i18n.translator(page_language(catalogue, Criteria(language=language)))

    def entry(criteria: Criteria) -> Entry:
        name = name_feed(catalogue, criteria, interface=interface)
        return Entry(name, relative_path(page_path_of(criteria), directory.root), rates.say(criteria, interface))

    def group(axis: str, title: str, wishes: Iterable[Criteria]) -> Group:
        return Group(axis, interface.gettext(title), tuple(entry(criteria) for criteria in wishes))

    themes = (Criteria.of([theme.id], language=language) for theme in catalogue.themes)
    regions = (Criteria.of([], [region.id], language=language) for region in catalogue.regions)
    kinds = (Criteria.of(kinds=[kind], language=language) for kind in KINDS)
    groups = [group("themes", mark("Themes"), themes), group("regions", mark("Regions"), regions)]
    groups += [group("kinds", mark("Kinds"), kinds)] if has_kinds else []
    return replace(directory, everything=entry(Criteria(language=language)), groups=tuple(groups))


def _list_languages(
    catalogue: Catalogue, current: str | None, *, root: str, interface: Interface
) -> Iterator[LanguageLink]:
    codes: Sequence[str | None] = (None, *catalogue.languages)
    for code in codes:
        href = relative_path(directory_path(code), root)
        yield LanguageLink(code or "", name_language(interface, code), href, code == current)
