"""The Jinja2 environments of messages and their web pages, one per language."""

import textwrap
from functools import lru_cache

from jinja2 import Environment

from publisher.mail.palette import DARK, LIGHT
from publisher.templating import make_environment

_SANS = "-apple-system,Segoe UI,Helvetica,Arial,sans-serif"
_SERIF = "Georgia,serif"


@lru_cache
def mail_environment(language: str) -> Environment:
    """The templates of messages and of their web pages; see ``make_environment``."""
    environment = make_environment(language, folders=("", "web"))
    environment.filters["wrap"] = _wrap
    start, end = ("right", "left") if environment.globals["direction"] == "rtl" else ("left", "right")
    environment.globals.update(light=LIGHT, dark=DARK, sans=_SANS, serif=_SERIF, start=start, end=end)
    return environment


@lru_cache(maxsize=4096)  # the variants of an edition share their items
def _wrap(text: str) -> str:
    """At most 72 characters a line; a word that is longer, as a URL may be, stays whole."""
    return textwrap.fill(text, 72, break_long_words=False, break_on_hyphens=False)
