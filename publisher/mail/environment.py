"""The Jinja2 environments of messages and their web pages, one per language."""

import textwrap
from functools import lru_cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape

from publisher import i18n
from publisher.mail.palette import DARK, LIGHT

_SANS = "-apple-system,Segoe UI,Helvetica,Arial,sans-serif"
_SERIF = "Georgia,serif"


@lru_cache
def mail_environment(language: str) -> Environment:
    """Templates that speak this language; everything but plain text is escaped."""
    interface = i18n.translator(language)
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("templates", ""), PackageLoader("templates", "web")]),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    i18n.install(environment, interface)
    environment.filters["wrap"] = _wrap
    start, end = ("right", "left") if interface.direction == "rtl" else ("left", "right")
    environment.globals.update(language=interface.language, direction=interface.direction)
    environment.globals.update(light=LIGHT, dark=DARK, sans=_SANS, serif=_SERIF, start=start, end=end)
    return environment


@lru_cache(maxsize=4096)  # the variants of an edition share their items
def _wrap(text: str) -> str:
    """At most 72 characters a line; a word that is longer, as a URL may be, stays whole."""
    return textwrap.fill(text, 72, break_long_words=False, break_on_hyphens=False)
