"""The directory of feeds: a page for people, and OPML for feed readers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from babel import Locale
from lxml import etree

from feeds.criteria import Criteria
from feeds.model import Label
from feeds.paths import ALL_LANGUAGES, FORMATS, ROOT, path_of
from feeds.render import MEDIA_TYPES
from feeds.text import LONGEST_TITLE, clean_text
from publisher.app import App
from publisher.config import Site
from publisher.i18n import direction
from publisher.templating import page_environment, read_style
from publisher.usecases.documents import Document
from publisher.usecases.feeds import Catalogue, criteria_of, title_feed

PAGE = "index.html"
OPML = "index.opml"
STYLE = "style.css"
"""Beside it the page uses the style sheet of all pages, ``../static/style.css``."""

_FORMAT_NAMES = {"atom": "Atom", "rss": "RSS", "json": "JSON", "ics": "iCalendar"}


@dataclass(frozen=True, slots=True)
class Link:
    """One feed in one format; ``href`` is relative to the directory, so that the page works wherever it is served."""

    format: str
    media_type: str
    href: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One feed of the directory."""

    name: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A theme with the feeds of its regions."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """All feeds of one language."""

    id: str
    title: str
    language: str
    """In which its names are written."""
    direction: str
    everything: Entry
    themes: tuple[Entry, ...]
    regions: tuple[Entry, ...]
    pairs: tuple[Group, ...]

    @property
    def entries(self) -> Iterator[Entry]:
        """All of them, in the order of the page."""
        yield self.everything
        yield from self.themes
        yield from self.regions
        for group in self.pairs:
            yield from group.entries


def compile_directory(app: App, catalogue: Catalogue) -> dict[str, Document]:
    """Page, OPML and style sheet by their names below ``/feeds/``."""
    sections = [_section(catalogue, language) for language in (None, *catalogue.languages)]
    site = app.config.site
    return {
        PAGE: Document.of(_render_page(site.name, sections), "text/html; charset=utf-8"),
        OPML: Document.of(_render_opml(site, sections), "text/x-opml; charset=utf-8"),
        STYLE: Document.of(read_style("feeds.css"), "text/css; charset=utf-8"),
    }


def _section(catalogue: Catalogue, language: str | None) -> Section:
    def entry(theme: Label | None = None, region: Label | None = None) -> Entry:
        return _entry(catalogue, criteria_of(theme, region, language=language))

    def group(theme: Label) -> Group:
        return Group(entry(theme).name, tuple(entry(theme, region) for region in catalogue.regions))

    shown = language or "en"
    return Section(
        id=language or ALL_LANGUAGES,
        title=Locale.parse(language).get_display_name() or language if language else "All languages",
        language=shown,
        direction=direction(shown),
        everything=entry(),
        themes=tuple(entry(theme) for theme in catalogue.themes),
        regions=tuple(entry(None, region) for region in catalogue.regions),
        pairs=tuple(group(theme) for theme in catalogue.themes),
    )


def _entry(catalogue: Catalogue, criteria: Criteria) -> Entry:
    name = title_feed(catalogue, criteria, language=criteria.language or "en")
    return Entry(name or "Everything", tuple(_links(criteria)))


def _links(criteria: Criteria) -> Iterator[Link]:
    for form in FORMATS:
        yield Link(_FORMAT_NAMES[form], MEDIA_TYPES[form], path_of(criteria, form).removeprefix(ROOT))


def _render_page(site_name: str, sections: Sequence[Section]) -> bytes:
    template = page_environment("en").get_template("feeds.html")
    page = template.render(site_name=site_name, sections=sections, base_path="..")
    return page.encode("utf-8", "replace")


def _render_opml(site: Site, sections: Sequence[Section]) -> bytes:
    """OPML 2.0. It names each feed once, as Atom: a reader follows one format."""
    root = etree.Element("opml", version="2.0")
    title = etree.SubElement(etree.SubElement(root, "head"), "title")
    title.text = clean_text(f"{site.name}: feeds", LONGEST_TITLE)
    body = etree.SubElement(root, "body")
    for section in sections:
        outline = etree.SubElement(body, "outline", text=section.title)
        for entry in section.entries:
            etree.SubElement(outline, "outline", _outline(entry, section, site=site))
    document: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return document


def _outline(entry: Entry, section: Section, *, site: Site) -> dict[str, str]:
    name = clean_text(f"{site.name}: {entry.name} ({section.title})", LONGEST_TITLE)
    root_url = site.base_url + ROOT
    url = root_url + entry.links[0].href
    return {
        "type": "rss",
        "text": name,
        "title": name,
        "xmlUrl": url,
        "htmlUrl": root_url,
        **({} if section.id == ALL_LANGUAGES else {"language": section.language}),
    }
