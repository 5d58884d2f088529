"""Translations as sources tell of them: one piece in several languages, which feeds show as one."""

import json

import pytest
from local_web import Web
from newsroom_steps import feed, items, listing, page, quick, set_up

from feeds.criteria import Criteria
from feeds.model import Item
from publisher.app import App
from publisher.usecases.feeds import compile_formats, read_catalogue
from publisher.usecases.items import show_item, withdraw_item


def atom(*entries: str) -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>N</title>{"".join(entries)}</feed>'


def entry(language: str, *, to: str = "", day: int = 1) -> str:
    """The story ``quay`` in a language, and where it says that it stands in another."""
    other = f'<link rel="alternate" hreflang="{to}" href="/{to}/quay"/>' if to else ""
    return (
        f'<entry xml:lang="{language}"><id>{language}</id><title>Quay in {language}</title>'
        f'<link href="/{language}/quay"/>{other}<published>2026-03-0{day}T00:00:00Z</published></entry>'
    )


def found(app: App) -> dict[str, Item]:
    return {item.language: item for item in items(app)}


def shown(app: App, language: str | None) -> list[str]:
    documents = compile_formats(app, read_catalogue(app), criteria=Criteria(language=language))
    return [item["title"] for item in json.loads(documents["json"].plain.body)["items"]]


@pytest.mark.parametrize("order", [("en", "fr"), ("fr", "en")])
@pytest.mark.parametrize("teller", ["en", "fr"])
def test_whoever_tells_of_the_other_both_are_one_piece(app: App, web: Web, order: tuple[str, str], teller: str) -> None:
    # given
    set_up(app, *(feed(web, language, language=language) for language in ("en", "fr")))
    for language, other, day in (("en", "fr", 1), ("fr", "en", 2)):
        web.put(f"/{language}", atom(entry(language, to=other if language == teller else "", day=day)))
    # when
    for language in order:
        quick(app, [language])
    # then
    assert shown(app, None) == ["Quay in en"]
    assert shown(app, "fr") == ["Quay in fr"]
    english, french = found(app)["en"], found(app)["fr"]
    assert [(one.language, one.url, one.uid) for one in english.translations] == [("fr", french.url, french.uid)]
    assert [(one.language, one.url, one.uid) for one in french.translations] == [("en", english.url, english.uid)]


def test_a_translation_that_was_not_collected_is_told_of_by_its_address(app: App, web: Web) -> None:
    # given
    set_up(app, feed(web, "en"))
    web.put("/en", atom(entry("en", to="ar")))
    # when
    quick(app)
    # then
    (item,) = items(app)
    assert [(one.language, one.url, one.uid) for one in item.translations] == [("ar", f"{web.url}/ar/quay", "")]
    assert show_item(app, item.id)["translations"] == [{"language": "ar", "url": f"{web.url}/ar/quay"}]


def test_pages_tell_of_translations_by_their_links(app: App, web: Web) -> None:
    # given
    select = {"item": "li", "title": "b", "link": "a", "date": "i", "date_format": "%d %B %Y"}
    set_up(app, *(listing(web, code, language=code, follow=True, select=select) for code in ("en", "fr")))
    for language, other in (("en", "fr"), ("fr", "en")):
        web.put(f"/{language}/", page(f"{language}/quay").replace("1 March 2026", "01/03/2026"))
        head = (
            f'<link rel="alternate" hreflang="{other}" href="/{other}/quay"><meta property="og:image" content="/q.jpg">'
        )
        web.put(f"/{language}/quay", f"<html><head>{head}</head><body><h1>Quay in {language}</h1></body></html>")
    # when
    quick(app)
    # then
    assert [len(item.translations) for item in items(app)] == [1, 1]
    assert len(shown(app, None)) == 1
    assert [image.url for image in items(app)[0].images] == [f"{web.url}/q.jpg"]


def test_a_withdrawn_translation_is_not_led_to(app: App, web: Web) -> None:
    # given
    set_up(app, *(feed(web, language, language=language) for language in ("en", "fr")))
    web.put("/en", atom(entry("en", day=1)))
    web.put("/fr", atom(entry("fr", to="en", day=2)))
    quick(app)
    # when
    withdraw_item(app, found(app)["fr"].id)
    # then
    assert found(app)["en"].translations == ()


def test_a_source_that_takes_its_word_back_parts_what_it_joined(app: App, web: Web) -> None:
    # given
    set_up(app, *(feed(web, language, language=language) for language in ("en", "fr")))
    web.put("/en", atom(entry("en", day=1)))
    web.put("/fr", atom(entry("fr", to="en", day=2)))
    quick(app)
    assert shown(app, None) == ["Quay in en"]
    # when
    web.put("/fr", atom(entry("fr", to="ar", day=2)))
    quick(app, ["fr"])
    # then
    assert shown(app, None) == ["Quay in fr", "Quay in en"]
