"""Interface languages: every text translated, plural forms, dates and names as each language writes them."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from publisher import i18n
from publisher.config_types import INTERFACE_LANGUAGES

ROOT = Path(__file__).parents[2]
LOCALE = ROOT / "publisher" / "locale"
PLURAL_FORMS = {"fr": 2, "ru": 3}


def _used_messages() -> Iterator[tuple[str, ...]]:
    """What templates and code ask for: (msgid,) or (msgid, plural)."""
    with (LOCALE / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {**DEFAULT_KEYWORDS, "mark": None}
    found = extract_from_dir(ROOT, methods, options, keywords, directory_filter=_is_ours)
    for _path, _line, message, _comments, _context in found:
        yield (message,) if isinstance(message, str) else tuple(message[:2])


def _is_ours(folder: str) -> bool:
    top = Path(folder).relative_to(ROOT).parts[:1]
    return top in {(), ("publisher",), ("templates",)}


def _read(name: str) -> Catalog:
    with (LOCALE / name).open("rb") as file:
        return read_po(file)


@pytest.mark.parametrize("language", ["fr", "ru"])
def test_every_text_is_translated_with_all_its_plural_forms(language: str) -> None:
    # given
    catalogue = _read(f"{language}.po")

    # when
    untranslated = set()
    for message_id, *plural in set(_used_messages()):
        message = catalogue.get(message_id)
        forms = message.string if message and isinstance(message.string, tuple) else (message and message.string,)
        if not all(forms) or len(forms) != (PLURAL_FORMS[language] if plural else 1):
            untranslated.add(message_id)

    # then
    assert untranslated == set()


@pytest.mark.parametrize("language", ["fr", "ru"])
def test_no_translation_loses_or_invents_a_value(language: str) -> None:
    # when
    errors = {message.id: errors for message, errors in _read(f"{language}.po").check() if errors}

    # then
    assert errors == {}


def test_the_catalogues_hold_no_fuzzy_and_no_unused_text() -> None:
    # given
    used = {message[0] for message in _used_messages()}

    # then
    for language in ("fr", "ru"):
        catalogue = _read(f"{language}.po")
        held = {message.id[0] if isinstance(message.id, tuple) else message.id for message in catalogue if message.id}
        assert held - used == set()
        assert not [message.id for message in catalogue if message.fuzzy and message.id]


@pytest.mark.parametrize(
    ("language", "count", "text"),
    [
        ("en", 1, "1 item"),
        ("en", 5, "5 items"),
        ("fr", 0, "0 actualité"),
        ("fr", 2, "2 actualités"),
        ("ru", 1, "1 материал"),
        ("ru", 3, "3 материала"),
        ("ru", 11, "11 материалов"),
        ("ru", 21, "21 материал"),
    ],
)
def test_counts_take_the_form_of_the_language(language: str, count: int, text: str) -> None:
    # when
    form = i18n.translator(language).ngettext("%(count)s item", "%(count)s items", count)

    # then
    assert form % {"count": count} == text


@pytest.mark.parametrize(
    ("first", "last", "english", "french", "russian"),
    [
        ((2026, 11, 16), (2026, 11, 22), "16–22 November 2026", "16–22 novembre 2026", "16–22 ноября 2026 г."),
        (
            (2026, 11, 30),
            (2026, 12, 6),
            "30 November – 6 December 2026",
            "30 novembre – 6 décembre 2026",
            "30 ноября – 6 декабря 2026 г.",
        ),
        (
            (2026, 12, 28),
            (2027, 1, 3),
            "28 December 2026 – 3 January 2027",
            "28 décembre 2026 – 3 janvier 2027",
            "28 декабря 2026 г. – 3 января 2027 г.",
        ),
        ((2026, 5, 1), (2026, 5, 1), "1 May 2026", "1 mai 2026", "1 мая 2026 г."),
    ],
)
def test_days_are_written_as_the_language_writes_them(
    first: tuple[int, int, int], last: tuple[int, int, int], english: str, french: str, russian: str
) -> None:
    # when
    written = [
        i18n.format_days(i18n.translator(language), date(*first), date(*last)) for language in INTERFACE_LANGUAGES
    ]

    # then
    narrow_and_thin = str.maketrans("\u202f\u2009\xa0", "   ")
    assert [text.translate(narrow_and_thin) for text in written] == [english, french, russian]


def test_a_day_leaves_out_the_year_that_goes_without_saying() -> None:
    # given
    interface = i18n.translator("en")

    # then
    assert i18n.format_day(interface, date(2026, 4, 4), in_year=2026) == "4 April"
    assert i18n.format_day(interface, date(2027, 4, 4), in_year=2026) == "4 April 2027"


@pytest.mark.parametrize(
    ("language", "of_item", "words"),
    [
        ("en", "fr", "in French"),
        ("fr", "en-GB", "en anglais"),
        ("ru", "en", "на английском"),
        ("en", "sw", "language: Swahili"),
        ("ru", "sw", "язык: суахили"),
        ("en", "x-unknown", "language: x-unknown"),
    ],
)
def test_an_item_in_another_language_has_words_for_it(language: str, of_item: str, words: str) -> None:
    assert i18n.language_mark(i18n.translator(language), of_item) == words


@pytest.mark.parametrize(
    ("language", "direction"),
    [("en", "ltr"), ("ar", "rtl"), ("fa-IR", "rtl"), ("he", "rtl"), ("ru", "ltr"), ("", "ltr"), ("no such", "ltr")],
)
def test_each_language_has_its_direction(language: str, direction: str) -> None:
    assert i18n.direction(language) == direction


def test_lists_and_countries_are_named_in_the_language() -> None:
    # given
    russian = i18n.translator("ru")

    # when
    words = i18n.join(russian, [i18n.country_name(russian, code) for code in ("MD", "GE", "ZZ9")])

    # then
    assert words == "Молдова, Грузия и ZZ9"


def test_a_language_that_the_interface_does_not_speak_is_answered_in_english() -> None:
    assert i18n.translator("de").language == "en"


def test_an_unknown_kind_keeps_its_code() -> None:
    assert i18n.kind_name(i18n.translator("fr"), "riddle") == "riddle"
    assert i18n.kind_name(i18n.translator("fr"), "event") == "Événement"
