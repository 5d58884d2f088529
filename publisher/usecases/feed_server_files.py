"""What tells common web servers how feeds are given out: ``_headers`` and ``.htaccess``."""

from collections.abc import Mapping

from feeds.paths import FORMATS, ROOT
from feeds.render import MEDIA_TYPES

CACHE_CONTROL = "public, max-age=300, stale-if-error=86400"
"""Of feeds, as the service has it too."""

MARK = "# Written by: publisher feeds build. Remove this line to keep what you change here."

_MEDIA_TYPES: Mapping[str, str] = {**{str(form): MEDIA_TYPES[form] for form in FORMATS}, "opml": "text/x-opml"}

_COMMON = {
    "Cache-Control": CACHE_CONTROL,
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
}


def make_headers_file() -> bytes:
    """``_headers`` at the root, as Netlify, Cloudflare Pages and others read it; they compress by themselves."""
    rules = {f"{ROOT}*": _COMMON}
    rules |= {f"{ROOT}*.{suffix}": {"Content-Type": _media_type(suffix)} for suffix in (*FORMATS, "opml")}
    lines = [MARK]
    for path, headers in rules.items():
        lines += [path, *(f"  {name}: {value}" for name, value in headers.items())]
    return _to_file(lines)


def make_htaccess() -> bytes:
    """``feeds/.htaccess`` for Apache httpd: types, headers, and the compressed siblings."""
    types = [f'AddType "{_media_type(suffix)}" .{suffix}' for suffix in (*FORMATS, "opml")]
    return _to_file(
        [
            MARK,
            "DirectoryIndex index.html",
            "AddDefaultCharset utf-8",
            *types,
            "FileETag MTime Size",
            "<IfModule mod_headers.c>",
            *(f'  Header always set {name} "{value}"' for name, value in _COMMON.items()),
            "  Header always merge Vary Accept-Encoding",
            "</IfModule>",
            *_choose_sibling("br", ".br"),
            *_choose_sibling("zstd", ".zst"),
            *_choose_sibling("gzip", ".gz"),
        ]
    )


def _choose_sibling(coding: str, suffix: str) -> list[str]:
    """The first that the reader takes and that is there; a file has its own type, not that of its last suffix."""
    ending = suffix.replace(".", "\\.")
    typed = [f'  RewriteRule "\\.{one}{ending}$" "-" [T={_MEDIA_TYPES[one]},L]' for one in (*FORMATS, "opml")]
    return [
        "<IfModule mod_rewrite.c>",
        "  RewriteEngine On",
        f'  RewriteCond "%{{HTTP:Accept-Encoding}}" "\\b{coding}\\b(?!;\\s*q=0(\\.0*)?\\b)"',
        f'  RewriteCond "%{{REQUEST_FILENAME}}{suffix}" -f',
        f'  RewriteRule "^(.*[^/])$" "$1{suffix}" [L]',
        *typed,
        "</IfModule>",
        f'<FilesMatch "{ending}$">',
        f"  RemoveType {suffix}",
        "  RemoveLanguage .br",
        "  <IfModule mod_headers.c>",
        f'    Header set Content-Encoding "{coding}"',
        "  </IfModule>",
        "  <IfModule mod_env.c>",
        "    SetEnv no-gzip 1",
        "    SetEnv no-brotli 1",
        "  </IfModule>",
        "</FilesMatch>",
    ]


def _media_type(suffix: str) -> str:
    return f"{_MEDIA_TYPES[suffix]}; charset=utf-8"


def _to_file(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
