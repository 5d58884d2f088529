"""The gate of pages: what a page says when it is read back must be what it was to show."""

from collections.abc import Sequence

from lxml import etree, html

from publisher.errors import RenderError

Heading = tuple[str, str | None]
"""Title of an item, and where it leads; None: nowhere."""


def check_page(document: bytes, headings: Sequence[Heading], *, name: str) -> None:
    """RenderError unless the page can be read and shows exactly these items, in their order."""
    found = _read_headings(document)
    wanted = [(_plain(title), url) for title, url in headings]
    if found != wanted:
        difference = next((pair for pair in zip(found, wanted, strict=False) if pair[0] != pair[1]), None)
        what = f"says {difference[0]} instead of {difference[1]}" if difference else f"holds {len(found)} items"
        raise RenderError(f"The page of {name} {what}, of {len(wanted)}. See its items: publisher items")


def _read_headings(document: bytes) -> list[Heading]:
    try:
        root = html.document_fromstring(document, parser=html.HTMLParser(encoding="utf-8"))
    except (etree.ParserError, ValueError):
        return []
    return [_read_heading(heading) for heading in root.iterfind(".//article/h3")]


def _read_heading(heading: etree._Element) -> Heading:
    link = heading.find("a")
    return _plain("".join(map(str, heading.itertext()))), None if link is None else link.get("href")


def _plain(text: str) -> str:
    """Without what a template may add around it."""
    return " ".join(text.encode("utf-8", "replace").decode().split())
