"""A variant's subject, HTML, text and web page: Jinja2 makes MJML, MJML makes HTML that every mail client reads."""

import base64
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from jinja2 import TemplateError
from mjml import mjml2html

from publisher.errors import RenderError
from publisher.i18n import translator
from publisher.mail.cleaning import cut, one_line
from publisher.mail.content import DigestContent, Rendered
from publisher.mail.environment import mail_environment
from publisher.mail.extent import Extent, extents, trim
from publisher.mail.views import DigestView, view_digest

AIM_BYTES = 80 * 1024
"""The HTML shows shorter summaries, then fewer, then fewer items, until it is this small."""

REFUSE_BYTES = 95 * 1024
"""No message above this size is made: Gmail clips near 102 KB, unsubscribe link and all."""

PLACEHOLDER_LENGTH = 27
"""As long as an unsubscribe token."""


@dataclass(frozen=True, slots=True)
class _Parts:
    view: DigestView
    subject: str
    placeholder: str
    unsubscribe_url: str
    base_path: str
    """Where the web pages stand on their host, without a slash at its end."""


def render_variant(content: DigestContent, language: str) -> Rendered:
    """The texts of that variant in that language, the same for the same content; RenderError says what failed."""
    try:
        parts = _gather_parts(content, language)
        html, extent = _render_within_limit(parts)
        text = _fill_template("email/digest.txt", parts, shown=_all_listed(parts.view, extent))
        page_html = _fill_template("web/edition.html", parts, shown=parts.view)
    except (TemplateError, ValueError, LookupError, TypeError) as error:  # a wrong value in a translation is a KeyError
        raise RenderError(f"edition {content.edition_id} in {language}: {error}") from error
    return Rendered(parts.view.language, parts.subject, html, text, page_html, parts.placeholder)


def render_layout(content: DigestContent, language: str) -> str:
    """The MJML of the variant at full extent, for validators: ours accepts anything."""
    parts = _gather_parts(content, language)
    return _fill_template("email/digest.mjml", parts, shown=parts.view)


def _gather_parts(content: DigestContent, language: str) -> _Parts:
    view = view_digest(content, translator(language))
    placeholder = _make_placeholder(content, language)
    return _Parts(
        view=view,
        subject=one_line(f"{view.title}, {view.window}"),
        placeholder=placeholder,
        unsubscribe_url=f"{content.base_url}/u/{placeholder}",
        base_path=urlsplit(content.base_url).path,
    )


def _make_placeholder(content: DigestContent, language: str) -> str:
    """Made of the content's hash, so that no content can hold it and lure a person's token into its own text."""
    digest = hashlib.sha256(f"{language}\n{content!r}".encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest)[:PLACEHOLDER_LENGTH].decode("ascii")


def _render_within_limit(parts: _Parts) -> tuple[str, Extent]:
    for extent in extents(parts.view.item_count):
        html = _render_html(parts, extent)
        size_bytes = len(html.encode())
        if size_bytes <= AIM_BYTES:
            return html, extent
    if size_bytes > REFUSE_BYTES:
        raise ValueError(f"the message has {size_bytes} bytes without any item. Shorten names and addresses")
    return html, extent


def _render_html(parts: _Parts, extent: Extent) -> str:
    hidden_count = parts.view.item_count - extent.listed
    layout = _fill_template("email/digest.mjml", parts, shown=trim(parts.view, extent), hidden_count=hidden_count)
    # White space in runs means nothing in HTML, and without it no signature needs to canonicalise the body.
    return re.sub(r"[ \t]+", " ", mjml2html(layout, fonts={})).replace(" \n", "\n")


def _all_listed(view: DigestView, extent: Extent) -> DigestView:
    return trim(view, Extent(view.item_count, extent.detailed, extent.summary_words))


def _fill_template(name: str, parts: _Parts, *, shown: DigestView, hidden_count: int = 0) -> str:
    template = mail_environment(parts.view.language).get_template(name)
    return template.render(
        view=parts.view,
        shown=shown,
        hidden_count=hidden_count,
        subject=parts.subject,
        preheader=_preheader(shown),
        unsubscribe_url=parts.unsubscribe_url,
        site_name=parts.view.site_name,
        base_path=parts.base_path,
    )


def _preheader(shown: DigestView) -> str:
    titles = [item.title for group in shown.groups for item in group.items[:1]]
    return cut(" · ".join(titles[:4]), 140)
