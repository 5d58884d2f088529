"""Text from outside, cleaned: plain text without surprises, and HTML that can do no harm."""

import codecs
import html as html_entities
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit

import nh3
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from feeds.urls import LONGEST_URL, resolve_url

LONGEST_TITLE = 300
LONGEST_SUMMARY = 2_000
LONGEST_LABEL = 200
LONGEST_CONTENT = 200_000

# Controls but tab, newline and return (blanks, below); bidirectional controls; invisible fillers; surrogates; what
# XML 1.0 forbids. Joiners (U+200C, U+200D) stay: Persian and emoji need them.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffc\ufffe\uffff\ufdd0-\ufdef\ud800-\udfff\U000e0000-\U000e007f]"
)
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "cite", "code", "dd", "dl", "dt", "em", "h2", "h3", "h4", "hr", "i", "li",
    "ol", "p", "pre", "q", "s", "small", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}}
_SILENT = frozenset({"script", "style", "template", "noscript", "svg", "math", "head", "title", "iframe", "object"})
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "mark", "q", "s", "small", "span", "strong"}
    | {"sub", "sup", "time", "u", "wbr"}
)
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
# The encodings that browsers know (WHATWG Encoding); anything else would let a page hide text from us.
_WEB_CODECS = frozenset(
    {"utf-8", "cp866", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "gbk", "gb18030", "big5", "euc_jp", "shift_jis"}
    | {"iso2022_jp", "euc_kr", "utf-16-le", "utf-16-be", "cp874"}
    | {f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)}
    | {f"cp{page}" for page in range(1250, 1259)}
)
LANGUAGE = re.compile(r"(?=.{2,16}\Z)[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
"""Codes of languages (BCP 47) that an item can keep."""
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|&(?:#\d+|#[xX][0-9A-Fa-f]+|[A-Za-z]+\d*);")


def clean_text(text: str, limit: int) -> str:
    """One line of plain text: composed, no control characters, blanks collapsed, cut at a word within ``limit``."""
    text = _FORBIDDEN.sub("", text[: limit * 20])
    return shorten(" ".join(unicodedata.normalize("NFC", text).split()), limit)


def clean_language(text: str) -> str:
    """The code of a language; empty where it is none, or longer than an item can keep."""
    language = text.strip().replace("_", "-")
    return language if LANGUAGE.fullmatch(language) else ""


def shorten(text: str, limit: int) -> str:
    """The text itself, or its beginning with an ellipsis, ``limit`` characters at most."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    cut = head.rpartition(" ")[0] if " " in head[limit // 2 :] else head
    return cut.rstrip(" ,;:.–—-") + "…"


def read_html(markup: str, limit: int) -> str:
    """The plain text of an HTML fragment; scripts and styles say nothing."""
    if not _MARKUP.search(markup):
        return clean_text(html_entities.unescape(markup), limit)
    element = parse_html(markup[:LONGEST_CONTENT])
    return "" if element is None else read_element(element, limit)


def read_element(element: HtmlElement, limit: int) -> str:
    """The plain text of an element: words of different blocks never run together."""
    return clean_text("".join(_texts(element)), limit)


def parse_html(markup: str | bytes) -> HtmlElement | None:
    """The document element of HTML as browsers read it, fetching nothing; None where there is no element at all.

    Bytes must be UTF-8. ValueError where the parser gives up.
    """
    data = markup.encode("utf-8", "replace") if isinstance(markup, str) else markup
    parser = HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        return document_fromstring(data.replace(b"\0", b""), parser=parser)
    except etree.ParserError:
        return None
    except (etree.LxmlError, AssertionError) as error:
        raise ValueError(f"HTML cannot be parsed ({error})") from error


def decode_page(body: bytes, charset: str | None = None) -> str:
    """The text of an HTML page: by its byte order mark, else ``charset`` (of HTTP), else its meta element, else UTF-8.

    Bytes that are wrong in that encoding become U+FFFD.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    declared = _META_CHARSET.search(body[:4_096])
    for name in (charset, declared and declared[1].decode("ascii")):
        encoding = _find_encoding(name or "")
        if encoding:
            return body.decode(encoding, "replace")
    return body.decode("utf-8", "replace")


def _find_encoding(name: str) -> str:
    """The codec of an encoding label as the web means it; empty where there is none that makes text of bytes."""
    label = name.strip().strip("\"'").lower()
    try:
        "".encode(label)  # a codec that is no text encoding (hex, zlib) refuses here
        codec = codecs.lookup(label).name
    except (LookupError, ValueError):
        return ""
    return "cp1252" if codec in {"iso8859-1", "ascii"} else codec if codec in _WEB_CODECS else ""


def sanitise_html(markup: str, base: str) -> str:
    """The HTML with text, lists, tables and links to the web only; links absolute, from the page ``base``."""
    if not markup.strip():
        return ""
    safe = nh3.clean(
        _FORBIDDEN.sub("", markup[:LONGEST_CONTENT]),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer",
        attribute_filter=lambda tag, name, value: _resolve(value, base) if (tag, name) == ("a", "href") else value,
    )
    return _FORBIDDEN.sub("", safe).strip()  # once more: a character reference hides them from the first look


def _resolve(link: str, base: str) -> str | None:
    """Absolute, its fragment kept: a sanitised body is read by people, not compared."""
    return _resolve_short(link, base) if len(link) <= LONGEST_URL else None


@lru_cache(maxsize=2_048)
def _resolve_short(link: str, base: str) -> str | None:
    """Remembered, because a body is sanitised again for each feed that shows it."""
    url = resolve_url(link, base)
    fragment = urlsplit(link).fragment if url else ""
    return f"{url}#{fragment}" if url and fragment and "#" not in url else url


def _texts(root: HtmlElement) -> Iterator[str]:
    """The texts below an element, with a blank wherever a block begins or ends; no recursion, however deep it is."""
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        yield "" if element.tag in _INLINE else " "
        if event == "end":
            yield "" if element is root else element.tail or ""
        elif element.tag in _SILENT:
            walk.skip_subtree()
        else:
            yield element.text or ""
