"""What tells common web servers how feeds are given out: ``_headers`` and ``.htaccess``."""

from collections.abc import Mapping

from feeds.paths import FORMATS, ROOT
from feeds.render import MEDIA_TYPES
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
    """``_headers`` at the root, as Netlify, Cloudflare Pages and others read it; they compress by themselves."""
    rules = {f"{ROOT}*": _COMMON}
    rules |= {f"{ROOT}*.{suffix}": {"Content-Type": _with_charset(one)} for suffix, one in _FEED_TYPES.items()}
    lines = [MARK]
    for path, headers in rules.items():
        lines += [path, *(f"  {name}: {value}" for name, value in headers.items())]
    return _to_file(lines)


def make_htaccess() -> bytes:
    """``feeds/.htaccess`` for Apache httpd: types, headers, and the compressed siblings."""
    lines = [MARK, "DirectoryIndex index.html", "FileETag MTime Size"]
    lines += ["RemoveType .br .zst .gz", "RemoveEncoding .br .zst .gz", "RemoveLanguage .br"]
    for suffix, media_type in {**_FEED_TYPES, **_PAGE_TYPES}.items():
        lines += _block(f'FilesMatch "\\.{suffix}(\\.br|\\.zst|\\.gz)?$"', [f'ForceType "{_with_charset(media_type)}"'])
    common = [f'Header always set {name} "{value}"' for name, value in _COMMON.items()]
    lines += _block("IfModule mod_headers.c", [*common, "Header always merge Vary Accept-Encoding"])
    for coding, suffix in SUFFIXES.items():
        lines += _give_sibling(coding, suffix)
    return _to_file(lines)


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
