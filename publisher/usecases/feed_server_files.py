"""What tells common web servers how feeds are given out: ``_headers`` and ``.htaccess``."""

from collections.abc import Mapping, Sequence

from feeds.paths import FORMATS, ROOT
from feeds.render import MEDIA_TYPES
from publisher.config import Config
from publisher.usecases.documents import SUFFIXES

CACHE_CONTROL = "public, max-age=300, stale-if-error=86400"
"""Of feeds, as the service has it too."""

MARK = "# Written by: publisher feeds build. Remove this line to keep what you change here."

_FEED_TYPES: Mapping[str, str] = {**{str(form): MEDIA_TYPES[form] for form in FORMATS}, "opml": "text/x-opml"}
_PAGE_TYPES: Mapping[str, str] = {"html": "text/html", "css": "text/css", "js": "text/javascript"}

_COMMON = {
    "Cache-Control": CACHE_CONTROL,
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
}


def make_headers_file() -> bytes:
    """``_headers`` at the root, as Netlify, Cloudflare Pages and others read it; they compress by themselves.

    It names no hub: a rule for many files cannot say each one's own address, without which a hub means nothing
    (WebSub §4). Feeds name both in themselves.
    """
    rules = {f"{ROOT}*": _COMMON}
    rules |= {f"{ROOT}*.{suffix}": {"Content-Type": _with_charset(one)} for suffix, one in _FEED_TYPES.items()}
    lines = [MARK]
    for path, headers in rules.items():
        lines += [path, *(f"  {name}: {value}" for name, value in headers.items())]
    return _to_file(lines)


def make_htaccess(config: Config) -> bytes:
    """``feeds/.htaccess`` for Apache httpd: types, headers, hubs, the compressed siblings, and nothing hidden."""
    lines = [MARK, "DirectoryIndex index.html", "FileETag MTime Size"]
    lines += ["RemoveType .br .zst .gz", "RemoveEncoding .br .zst .gz", "RemoveLanguage .br"]
    for suffix, media_type in {**_FEED_TYPES, **_PAGE_TYPES}.items():
        lines += _block(f'FilesMatch "\\.{suffix}(\\.br|\\.zst|\\.gz)?$"', [f'ForceType "{_with_charset(media_type)}"'])
    common = [f'Header always set {name} "{value}"' for name, value in _COMMON.items()]
    lines += _block("IfModule mod_headers.c", [*common, "Header always merge Vary Accept-Encoding"])
    # Not "Require", which many hosts do not allow here.
    lines += _block("IfModule mod_rewrite.c", ["RewriteEngine On", 'RewriteRule "(^|/)\\." "-" [F]'])
    if config.web.hubs:
        lines += _name_hubs(config.web.hubs, config.site.base_url)
    for coding, suffix in SUFFIXES.items():
        lines += _give_sibling(coding, suffix)
    return _to_file(lines)


def _name_hubs(hubs: Sequence[str], base_url: str) -> list[str]:
    """``Link`` of what hubs are told of, with its own address, also where a sibling is given out in its place."""
    feed, end = "[^/]+/(all|theme/[^/]+|region/[^/]+|theme/[^/]+/region/[^/]+)", "(\\.br|\\.zst|\\.gz)?$"
    rule = f'RewriteRule "^({feed}\\.({"|".join(FORMATS)})){end}" "-" [E=PUBLISHER_FEED:$1]'
    links = [*(f'<{_quote(hub)}>; rel=\\"hub\\"' for hub in hubs)]
    links += [f'<{_quote(base_url + ROOT)}%{{PUBLISHER_FEED}}e>; rel=\\"self\\"']
    said = _block("IfModule mod_headers.c", [f'Header set Link "{", ".join(links)}" env=PUBLISHER_FEED'])
    return _block("IfModule mod_rewrite.c", ["RewriteEngine On", rule, *said])


def _quote(url: str) -> str:
    """Within a quoted format of mod_headers."""
    return url.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def _give_sibling(coding: str, suffix: str) -> list[str]:
    """In place of the file, where the reader takes that coding and it is there."""
    taken = f'"%{{HTTP:Accept-Encoding}}" "\\b{coding}\\b(?!\\s*;\\s*q=0(\\.0*)?\\b(?!\\.))"'
    rules = [
        "RewriteEngine On",
        f"RewriteCond {taken}",
        f'RewriteCond "%{{REQUEST_FILENAME}}{suffix}" -f',
        f'RewriteRule "^(.*[^/])$" "$1{suffix}" [L,E=no-gzip:1,E=no-brotli:1]',
    ]
    said = _block("IfModule mod_headers.c", [f'Header set Content-Encoding "{coding}"'])
    return [*_block("IfModule mod_rewrite.c", rules), *_block(f'FilesMatch "{_escape(suffix)}$"', said)]


def _block(opening: str, lines: list[str]) -> list[str]:
    return [f"<{opening}>", *(f"  {line}" for line in lines), f"</{opening.split(maxsplit=1)[0]}>"]


def _escape(suffix: str) -> str:
    return suffix.replace(".", "\\.")


def _with_charset(media_type: str) -> str:
    return f"{media_type}; charset=utf-8"


def _to_file(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
