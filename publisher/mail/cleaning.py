"""Text from outside, made fit for a template or a header field."""

import re
import unicodedata
from ipaddress import ip_address
from urllib.parse import quote, urlsplit, urlunsplit

import idna

_UNWRITABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SUSPECT = re.compile(r"[^\x20-\x7e\xa0-\u061b\u061d-\u1fff\u2010-\u2027\u2030-\u205f\u2070-\ud7ff]| {2,}")
_URL_SAFE = "!$&'()*+,;=:@/?%-._~[]"


def one_line(text: str) -> str:
    """The text as one line of writable characters, without control and bidirectional control characters."""
    if _SUSPECT.search(text):
        text = re.sub(" {2,}", " ", "".join(_writable(char) for char in text))
    return text.strip()


def cut(text: str, length: int) -> str:
    """The text in at most ``length`` characters, cut between words where there is one, an ellipsis for the rest."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    kept = head[: head.rfind(" ")] if " " in head[length // 2 :] else head
    return kept.rstrip(" ,;:.–—-") + "…"


def cut_words(text: str, count: int) -> str:
    """The first words of the text, an ellipsis for the rest; a word counts for ten characters where it is longer."""
    words = text.split(" ", count)
    if len(words) > count:
        text = " ".join(words[:count]).rstrip(",;:.–—-") + "…"
    return cut(text, count * 10) if count else ""


def safe_url(url: str) -> str:
    """The URL in ASCII with its host as A-label; empty where it is no http or https URL."""
    try:
        parts = urlsplit(one_line(url))
        host, port = parts.hostname, parts.port
        if parts.scheme not in {"http", "https"} or not host:
            return ""
        netloc = ascii_domain(host) + (f":{port}" if port else "")
    except ValueError:
        return ""
    path, query, fragment = (quote(part, safe=_URL_SAFE) for part in parts[2:])
    return urlunsplit((parts.scheme, netloc, path, query, fragment))


def ascii_domain(domain: str) -> str:
    """The domain with A-labels (RFC 5890); ValueError where it cannot be one."""
    if domain.startswith("[") or ":" in domain:
        return f"[{ip_address(domain.strip('[]'))}]"
    if domain.isascii():
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", domain):
            raise ValueError("is not a domain name")
        return domain.lower()
    return idna.encode(domain, uts46=True).decode("ascii")


def _writable(char: str) -> str:
    if char in _DIRECTION_CONTROLS or ord(char) & 0xFFFE == 0xFFFE:
        return ""
    return " " if unicodedata.category(char) in _UNWRITABLE else char
