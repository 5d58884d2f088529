"""URLs of items: cleaned for people, and reduced to the key by which an item is recognised."""

import re
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

LONGEST_URL = 2_000

TRACKING_PARAMETERS = frozenset(
    {
        "_ga", "_gl", "_hsenc", "_hsmi", "_ke", "at_campaign", "at_medium", "dclid", "fbclid", "gad_source", "gbraid",
        "gclid", "gclsrc", "igsh", "igshid", "li_fat_id", "mc_cid", "mc_eid", "mkt_tok", "ml_subscriber",
        "ml_subscriber_hash", "msclkid", "mtm_campaign", "mtm_medium", "mtm_source", "oly_anon_id", "oly_enc_id",
        "pk_campaign", "pk_kwd", "pk_medium", "pk_source", "rb_clickid", "s_cid", "ttclid", "twclid", "vero_conv",
        "vero_id", "wbraid", "wickedid", "yclid", "ysclid",
    }
)  # fmt: skip
"""Parameters that say where a reader came from, never what is shown; ``utm_…`` as a prefix too. Nothing else goes."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\\^`{|}\"<>]")
_NEED_NOT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~")
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")


def clean_url(url: str) -> str:
    """The URL as it is shown and linked: ASCII, no tracking, no fragment; ValueError where it is not http or https."""
    parts = _split(url)
    path = _quote(parts.path) or "/"
    return urlunsplit((parts.scheme, _clean_host(parts), path, _clean_query(parts.query), _clean_fragment(parts)))


def resolve_url(link: str, base: str) -> str | None:
    """The clean absolute URL of a link on the page ``base``; None where it leads nowhere on the web."""
    try:
        return clean_url(urljoin(base, link.strip())) if link.strip() else None
    except ValueError:
        return None


def make_url_key(url: str) -> str:
    """What two spellings of one address have in common: neither scheme nor trailing slash. ``url`` is clean."""
    parts = urlsplit(url)
    return urlunsplit(("", parts.netloc, parts.path.rstrip("/"), parts.query, parts.fragment))[2:]


def is_site_root(url: str) -> bool:
    """Whether the URL is a site's home page, which says nothing about an item."""
    parts = urlsplit(url)
    return parts.path in {"", "/"} and not parts.query and not parts.fragment


def host_of(url: str) -> str:
    """The host of a clean URL, without its port."""
    return urlsplit(url).hostname or ""


def drop_origin(url: str) -> str:
    """Path, query and fragment of an http or https URL; empty for anything else."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc:
        return ""
    return urlunsplit(("", "", parts.path or "/", parts.query, parts.fragment))


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST_URL:
        raise ValueError(f"URL is longer than {LONGEST_URL} characters")
    parts = urlsplit(url.strip())
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError(f"{url!r} is neither http nor https")
    if "@" in parts.netloc:
        raise ValueError(f"{url!r} contains a user name")
    return parts


def _clean_host(parts: SplitResult) -> str:
    host = _encode_host(parts.hostname or "")
    port = parts.port
    return host if port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{host}:{port}"


def _encode_host(host: str) -> str:
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        host = host.encode("idna").decode("ascii")  # UnicodeError is a ValueError
    host = host.lower().rstrip(".")
    if not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is not a host")
    return host


def _clean_query(query: str) -> str:
    return "&".join(_quote(part) for part in query.split("&") if part and not _is_tracking(part))


def _is_tracking(part: str) -> bool:
    name = unquote(part.partition("=")[0]).lower()
    return name.startswith("utm_") or name in TRACKING_PARAMETERS


def _clean_fragment(parts: SplitResult) -> str:
    """Fragments are places on a page, but for ``#!`` and ``#/``, by which some sites tell pages apart."""
    return _quote(parts.fragment) if parts.fragment.startswith(("!", "/")) else ""


def _quote(text: str) -> str:
    """Percent-encode what must not stand in a URL, with upper-case digits; what need not be encoded is not.

    RFC 3986 §6.2.2; dots stay as they are, for ``%2E%2E`` would become a step up.
    """
    safe = _UNSAFE.sub(lambda found: quote(found[0], safe="", errors="replace"), text)
    safe = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", safe)
    safe = re.sub(r"%[0-9A-Fa-f]{2}", _spell, safe)
    return quote(safe, safe="%/?#[]@!$&'()*+,;=:~-._", errors="replace")


def _spell(encoded: re.Match[str]) -> str:
    char = chr(int(encoded[0][1:], 16))
    return char if char in _NEED_NOT else encoded[0].upper()
