"""Jinja2 environments, one per language, and the style sheets of web pages."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape

from publisher import i18n


@lru_cache
def page_environment(language: str) -> Environment:
    """The templates of pages, escaping everything, speaking that language."""
    return make_environment(language, folders=("web",))


def make_environment(language: str, *, folders: Sequence[str]) -> Environment:
    """Templates of these folders, of the first that has one, in this language; all but plain text is escaped."""
    interface = i18n.translator(language)
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("templates", folder) for folder in folders]),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    i18n.install(environment, interface)
    environment.globals.update(language=interface.language, direction=interface.direction)
    return environment


def read_style(name: str) -> bytes:
    """The style sheet of that name in ``templates/web``."""
    return (files("templates") / "web" / name).read_bytes()


def read_icon() -> bytes:
    """The icon of feeds, a PNG."""
    return (files("publisher") / "data" / "icon.png").read_bytes()
