"""All feeds as OPML 2.0, for feed readers."""

from lxml import etree

from feeds.criteria import Criteria
from feeds.paths import FORMATS, page_path_of, path_of
from feeds.text import LONGEST_TITLE, clean_text
from publisher import i18n
from publisher.sections import Site
from publisher.usecases.feed_cards import name_feed, name_language
from publisher.usecases.feeds import Catalogue, list_feeds


def render_opml(site: Site, catalogue: Catalogue) -> bytes:
    """OPML 2.0. It names each feed that has not ended once, as Atom: a reader follows one format."""
    root = etree.Element("opml", version="2.0")
    title = etree.SubElement(etree.SubElement(root, "head"), "title")
    title.text = clean_text(f"{site.name}: feeds", LONGEST_TITLE)
    body = etree.SubElement(root, "body")
    for language in (None, *catalogue.languages):
        outline = etree.SubElement(body, "outline", text=_name_language(language))
        offered = (found for found in list_feeds(catalogue) if not catalogue.has_ended(found))
        for criteria in (found for found in offered if found.language == language):
            etree.SubElement(outline, "outline", _outline(site, catalogue, criteria=criteria))
    document: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return document


def _outline(site: Site, catalogue: Catalogue, *, criteria: Criteria) -> dict[str, str]:
    interface = i18n.translator(criteria.language or "en")
    about = name_feed(catalogue, criteria, interface=interface)
    name = clean_text(f"{site.name}: {about} ({_name_language(criteria.language)})", LONGEST_TITLE)
    return {
        "type": "rss",
        "text": name,
        "title": name,
        "xmlUrl": site.base_url + path_of(criteria, FORMATS[0]),
        "htmlUrl": site.base_url + page_path_of(criteria),
        **({"language": criteria.language} if criteria.language else {}),
    }


def _name_language(language: str | None) -> str:
    return name_language(i18n.translator("en"), language)
