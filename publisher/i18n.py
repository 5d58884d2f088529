"""What the interface says in each language: texts, plural forms, dates, names of languages and countries.

Catalogues are the ``.po`` files of ``publisher/locale``, compiled in memory when first asked for. Message ids are
English.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment

from publisher.config_types import INTERFACE_LANGUAGES

_DATE_LOCALES = {"en": "en_GB"}
"""Day before month in English too: most readers are not in the United States."""


def mark(text: str) -> str:
    """The text itself; tells the extractor that it is looked up later."""
    return text


_KINDS = {
    "call": mark("Open call"),
    "opinion": mark("Opinion"),
    "appointment": mark("Appointment"),
    "publication": mark("Publication"),
    "training": mark("Training"),
    "event": mark("Event"),
    "news": mark("News"),
}

_LANGUAGE_MARKS = {  # whole phrases, because Russian inflects the name
    "ar": mark("in Arabic"),
    "de": mark("in German"),
    "en": mark("in English"),
    "es": mark("in Spanish"),
    "fa": mark("in Persian"),
    "fr": mark("in French"),
    "it": mark("in Italian"),
    "pt": mark("in Portuguese"),
    "ru": mark("in Russian"),
    "tr": mark("in Turkish"),
    "uk": mark("in Ukrainian"),
    "zh": mark("in Chinese"),
}


@dataclass(frozen=True, slots=True)
class Interface:
    """One language of the interface; made once per process by ``translator``."""

    language: str
    direction: str
    """``ltr`` or ``rtl``."""
    locale: Locale
    translations: NullTranslations

    def gettext(self, text: str) -> str:
        """The text in this language."""
        return self.translations.gettext(text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The form that this count takes in this language."""
        return self.translations.ngettext(one, many, count)


@lru_cache
def translator(language: str) -> Interface:
    """The interface in that language; English for a language that the interface does not speak."""
    known = language if language in INTERFACE_LANGUAGES else "en"
    locale = Locale.parse(_DATE_LOCALES.get(known, known))
    return Interface(known, direction(known), locale, _read_catalogue(known))


def install(environment: Environment, interface: Interface) -> None:
    """Let the templates of that environment speak this language: ``{% trans %}``, ``_``, ``ngettext``, ``| day``."""
    environment.filters["day"] = partial(format_day, interface)
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(  # type: ignore[attr-defined]  # put there by the extension
        interface.translations, newstyle=True
    )


def direction(language: str) -> str:
    """``rtl`` for Arabic, Persian, Hebrew and the like, else ``ltr``."""
    locale = _parse_locale(language)
    return locale.text_direction if locale else "ltr"


def kind_name(interface: Interface, kind: str) -> str:
    """The kind of item as readers know it."""
    return interface.gettext(_KINDS[kind]) if kind in _KINDS else kind


def language_mark(interface: Interface, language: str) -> str:
    """The word for the eye on an item in another language: "in English"."""
    base = _base_language(language)
    if base in _LANGUAGE_MARKS:
        return interface.gettext(_LANGUAGE_MARKS[base])
    name = interface.locale.languages.get(base, language)
    return interface.gettext("language: %(name)s") % {"name": name}


def own_name(language: str) -> str:
    """The language as it calls itself: ``français``; its code where CLDR does not know it."""
    locale = _parse_locale(language)
    return (locale and locale.language_name) or language


def is_same_language(first: str, second: str) -> bool:
    """Whether both are the same language, whatever their region or script."""
    return _base_language(first) == _base_language(second)


def country_name(interface: Interface, code: str) -> str:
    """The country of an ISO 3166-1 alpha-2 code, by CLDR; the code itself where there is none."""
    return interface.locale.territories.get(code) or code


def join(interface: Interface, words: Sequence[str]) -> str:
    """``a, b and c``."""
    return format_list(words, locale=interface.locale)


def format_day(interface: Interface, day: date, *, in_year: int | None = None) -> str:
    """``4 April 2026``; without the year where it is ``in_year``."""
    if day.year == in_year:
        return format_skeleton("MMMMd", day, locale=interface.locale)
    return format_date(day, "long", locale=interface.locale)


def format_days(interface: Interface, first: date, last: date) -> str:
    """``16–22 November 2026``: both days included, what they share said once."""
    if first == last:
        return format_day(interface, first)
    pattern = interface.locale.interval_formats["yMMMd"][_greatest_difference(first, last)]
    start, end = (part.replace("MMM", "MMMM") for part in pattern)  # CLDR has intervals with short months only
    return format_date(first, start, interface.locale) + format_date(last, end, interface.locale)


def _greatest_difference(first: date, last: date) -> str:
    if first.year != last.year:
        return "y"
    return "M" if first.month != last.month else "d"


def _base_language(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()


@lru_cache(maxsize=256)
def _parse_locale(language: str) -> Locale | None:
    try:
        return Locale.parse(_base_language(language))
    except (UnknownLocaleError, ValueError):
        return None


def _read_catalogue(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    source = files("publisher") / "locale" / f"{language}.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
