"""The Jinja2 environments of web pages, one per language, and their style sheets."""

from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from publisher import i18n


@lru_cache
def page_environment(language: str) -> Environment:
    """The templates of pages, escaping everything, speaking that language."""
    interface = i18n.translator(language)
    environment = Environment(
        loader=PackageLoader("templates", "web"),
        autoescape=True,
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
