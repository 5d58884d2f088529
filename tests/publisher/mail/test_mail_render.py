"""What a person sees: each item once, in groups, in the reader's language; and what must never be there."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from feeds.model import Item, Label
from feeds.render import MEDIA_TYPES
from publisher.errors import RenderError
from publisher.mail.content import DigestContent
from publisher.mail.environment import mail_environment
from publisher.mail.render import AIM_BYTES, render_variant

MakeItem = Callable[..., Item]
MakeContent = Callable[..., DigestContent]

LANGUAGES = ("en", "fr", "ru")
ACTIVE = {"script", "form", "iframe", "object", "embed", "link", "img", "svg", "input", "base", "video", "audio"}


def _structure(html: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(str(node.tag), tuple(sorted(node.attrib))) for node in lxml_html.document_fromstring(html).iter("*")]


def _headings(html: str, tag: str) -> list[str]:
    return [node.text_content() for node in lxml_html.document_fromstring(html).iter(tag)]


def _words(language: str, count: int) -> str:
    words = {"en": "harbours and bridges open early ", "ru": "гавани и мосты открываются рано утром "}[language]
    return " ".join((words * count).split()[:count])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_item_stands_once_in_html_text_and_page(varied_content: DigestContent, language: str) -> None:
    # when
    rendered = render_variant(varied_content, language)

    # then
    for item in varied_content.items:
        assert rendered.html.count(f'href="{item.url}"') == 1
        assert rendered.page_html.count(f'href="{item.url}"') == 1
        assert len(re.findall(rf"^{re.escape(item.url)}$", rendered.text, re.MULTILINE)) == 1
        assert item.title in rendered.text


def test_themes_come_in_the_order_of_the_taxonomy_and_items_newest_first(varied_content: DigestContent) -> None:
    # when
    html = render_variant(varied_content, "en").html

    # then
    assert _headings(html, "h2") == ["Harbours", "Bridges", "General"]
    assert _headings(html, "h3")[:3] == ["Un appel à textes", "ورشة عمل في الميناء", "Older news of the pier"]


def test_an_item_goes_under_its_primary_theme_else_its_first(make_item: MakeItem, make_content: MakeContent) -> None:
    # given
    both = {"themes": ("harbours", "bridges"), "primary_theme": "bridges"}
    none = {"themes": ("harbours", "bridges"), "primary_theme": None}
    content = make_content(make_item(1, title="Both", about=both), make_item(2, title="None", about=none))

    # when
    html = render_variant(content, "en").html

    # then
    assert (_headings(html, "h2"), _headings(html, "h3")) == (["Harbours", "Bridges"], ["None", "Both"])


@pytest.mark.parametrize(
    ("language", "mark"), [("en", "in Arabic"), ("fr", "en arabe"), ("ru", "на арабском")], ids=LANGUAGES
)
def test_an_item_in_another_language_says_so_to_the_eye_and_to_software(
    varied_content: DigestContent, language: str, mark: str
) -> None:
    # when
    rendered = render_variant(varied_content, language)

    # then
    for html in (rendered.html, rendered.page_html):
        page = lxml_html.document_fromstring(html)
        (title,) = page.xpath("//h3[@lang='ar']")
        (summary,) = page.xpath("//p[@lang='ar']")
        assert title.get("dir") == summary.get("dir") == "rtl"
        (word,) = [node for node in page.iter("i") if node.text_content() == mark]
        assert not word.xpath("ancestor::*[@lang='ar']")
        assert not page.xpath(f"//h3[@lang='{language}']")
    assert mark in rendered.text


@pytest.mark.parametrize(
    ("language", "facts"),
    [
        ("en", ["Open call", "Apply by 15 January 2027", "25–27 November 2026", "Isles", "Lebanon and Cyprus"]),
        ("fr", ["Appel ouvert", "jusqu’au 15 janvier 2027", "25–27 novembre 2026", "Îles", "Liban et Chypre"]),
        ("ru", ["Открытый конкурс", "до 15 января 2027", "25–27 ноября 2026", "Острова", "Ливан и Кипр"]),
    ],
    ids=LANGUAGES,
)
def test_kind_deadline_days_and_places_are_said_in_the_readers_language(
    varied_content: DigestContent, language: str, facts: list[str]
) -> None:
    # when
    rendered = render_variant(varied_content, language)

    # then
    for text in (rendered.text, rendered.html, rendered.page_html):
        assert [fact for fact in facts if fact not in text.replace("\n", " ")] == []


def test_a_day_is_shown_only_where_the_source_gave_one(make_item: MakeItem, make_content: MakeContent) -> None:
    # given
    given_day = make_item(1, day=date(2026, 11, 18))
    first_seen = make_item(2, day=date(2026, 11, 19), date_source="first-seen")

    # when
    text = render_variant(make_content(given_day, first_seen), "en").text

    # then
    assert "18 November 2026" in text
    assert "19 November 2026" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_is_fit_for_screen_readers(varied_content: DigestContent, language: str) -> None:
    # when
    page = lxml_html.document_fromstring(render_variant(varied_content, language).html)

    # then
    (content,) = page.xpath("/html/body/div[@role='article']")
    assert (page.get("lang"), page.get("dir")) == (content.get("lang"), content.get("dir")) == (language, "ltr")
    assert page.findtext("head/title")
    assert len(page.xpath("//h1")) == 1
    levels = [int(node.tag[1]) for node in page.xpath("//h1|//h2|//h3|//h4")]
    assert all(level <= before + 1 for before, level in pairwise(levels))
    assert page.xpath("//table[not(@role='presentation')]") == []
    assert all(link.text_content().strip() for link in page.iter("a"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_brings_nothing_active_and_loads_nothing(varied_content: DigestContent, language: str) -> None:
    # when
    html = render_variant(varied_content, language).html

    # then
    page = lxml_html.document_fromstring(html)
    assert ACTIVE.isdisjoint(node.tag for node in page.iter("*"))
    assert re.search(r"@import|@font-face|url\(|fonts\.", html) is None
    assert {link.get("href").split("/")[2] for link in page.iter("a")} == {"lantern.example", "news.lantern.example"}


def test_unsubscribing_stands_at_the_top_at_the_bottom_and_in_the_text(varied_content: DigestContent) -> None:
    # when
    rendered = render_variant(varied_content, "en")

    # then
    link = f"https://news.lantern.example/u/{rendered.placeholder}"
    first, last = (found.start() for found in re.finditer(re.escape(link), rendered.html))
    assert first < rendered.html.index("<h1") < rendered.html.rindex("<h3") < last
    assert re.findall(rf"^{re.escape(link)}$", rendered.text, re.MULTILINE)
    for text in (rendered.text, rendered.html):
        assert "4 Quay Street, 9000 Port Amber" in text
        assert "https://news.lantern.example/editions/weekly-2026-11-23/4f1c9a" in text


def test_the_web_page_has_nothing_personal(varied_content: DigestContent) -> None:
    # when
    rendered = render_variant(varied_content, "en")

    # then
    assert rendered.placeholder not in rendered.page_html
    assert "/u/" not in rendered.page_html


def test_the_web_page_finds_its_stylesheet_below_a_path(varied_content: DigestContent) -> None:
    # given
    content = replace(varied_content, base_url="https://lantern.example/news")

    # when
    page = lxml_html.document_fromstring(render_variant(content, "en").page_html)

    # then
    assert page.xpath("//link[@rel='stylesheet']/@href") == ["/news/static/style.css"]


def test_feed_readers_find_the_feed_of_its_language_on_the_web_page(varied_content: DigestContent) -> None:
    # when
    page = lxml_html.document_fromstring(render_variant(varied_content, "fr").page_html)

    # then
    links = {link.get("type"): link.get("href") for link in page.xpath("//link[@rel='alternate']")}
    assert links == {MEDIA_TYPES[form]: f"{varied_content.feeds_url}fr/all.{form}" for form in ("atom", "rss", "json")}


def test_the_text_part_is_no_html(varied_content: DigestContent, make_item: MakeItem) -> None:
    # given
    plain = make_item(9, title="Fish & chips at the “Anchor”", summary="1 < 2")

    # when
    text = render_variant(replace(varied_content, items=(plain,)), "en").text

    # then
    assert "Fish & chips at the “Anchor”" in text
    assert "1 < 2" in text
    assert re.search(r"<\w|&\w+;|&#", text) is None


def test_the_same_content_renders_to_the_same_text(varied_content: DigestContent) -> None:
    assert render_variant(varied_content, "ru") == render_variant(varied_content, "ru")


def test_no_item_can_hold_the_placeholder_of_its_own_message(make_item: MakeItem, make_content: MakeContent) -> None:
    # given
    known = render_variant(make_content(make_item()), "en").placeholder
    lure = make_item(1, url=f"https://evil.example/{known}", title=known)

    # when
    rendered = render_variant(make_content(lure), "en")

    # then
    assert rendered.html.count(rendered.placeholder) == 2
    assert f"evil.example/{rendered.placeholder}" not in rendered.html + rendered.text


HOSTILE = [
    '<script>alert(1)</script>"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} {% raw %} ${x} &lt;b&gt; ]]> <!-- --> </mj-text></div>",
    "a\u202eb\u2066c\x00\x1b[31m\x85\u2028d\ud800\ufffe",
    "=?utf-8?q?x?=\r\nBcc: all@lantern.example",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_only_text(make_item: MakeItem, make_content: MakeContent, text: str) -> None:
    # given
    benign = render_variant(make_content(make_item()), "en")
    hostile = make_content(
        make_item(title=text, summary=text), site_name=text, postal_address=text, digest=Label("weekly", {"en": text})
    )

    # when
    rendered = render_variant(hostile, "en")

    # then
    assert _structure(rendered.html) == _structure(benign.html)
    assert _structure(rendered.page_html) == _structure(benign.page_html)
    for output in (rendered.html, rendered.text, rendered.page_html, rendered.subject):
        assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", output) is None
    assert "\n" not in rendered.subject


@settings(max_examples=40, deadline=None)
@given(title=st.text(), summary=st.text(), name=st.text())
def test_whatever_the_text_the_structure_stays(
    make_item: MakeItem, make_content: MakeContent, title: str, summary: str, name: str
) -> None:
    # given
    benign = render_variant(make_content(make_item()), "en")
    content = make_content(make_item(title="T" + title, summary="S" + summary), site_name="N" + name)

    # when
    rendered = render_variant(content, "en")

    # then
    assert _structure(rendered.html) == _structure(benign.html)
    assert _structure(rendered.page_html) == _structure(benign.page_html)
    rendered.text.encode()


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//lantern.example", "https:///x", "http://["]
)
def test_only_web_addresses_become_links(make_item: MakeItem, make_content: MakeContent, url: str) -> None:
    # when
    rendered = render_variant(make_content(make_item(url=url)), "en")

    # then
    assert url not in rendered.html
    assert _headings(rendered.html, "h3") == ["A quiet week at the harbour"]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_forty_items_with_summaries_of_sixty_words_fit_whole(
    make_item: MakeItem, make_content: MakeContent, language: str
) -> None:
    # given
    summary = _words(language, 60)
    items = [make_item(n, title=_words(language, 10), summary=summary, language=language) for n in range(40)]

    # when
    rendered = render_variant(make_content(*items), language)

    # then
    assert rendered.html.count(summary) == 40
    assert len(rendered.html.encode()) <= AIM_BYTES


@pytest.mark.parametrize(("count", "length"), [(120, 60), (40, 400), (600, 60), (3, 200_000)])
def test_a_big_edition_stays_small_and_the_text_holds_all_of_it(
    make_item: MakeItem, make_content: MakeContent, count: int, length: int
) -> None:
    # given
    items = [make_item(n, title=f"Item {n}", summary=_words("ru", length), language="ru") for n in range(count)]

    # when
    rendered = render_variant(make_content(*items), "en")

    # then
    shown = len(_headings(rendered.html, "h3"))
    size_bytes = len(rendered.html.encode())
    assert size_bytes <= AIM_BYTES
    assert shown == count or size_bytes > AIM_BYTES * 0.6
    assert (f"{count - shown} more items on the web page" in rendered.html) == (shown < count)
    assert all(item.url in rendered.text and item.url in rendered.page_html for item in items)


def test_a_message_too_big_without_any_item_is_refused(make_item: MakeItem, make_content: MakeContent) -> None:
    with pytest.raises(RenderError, match="weekly-2026-11-23 in en: the message has"):
        render_variant(make_content(make_item(), postal_address="x" * 100_000), "en")


def test_a_template_that_fails_in_one_language_holds_that_language_only(
    varied_content: DigestContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setitem(mail_environment("fr").globals, "light", None)

    # then
    with pytest.raises(RenderError, match="weekly-2026-11-23 in fr"):
        render_variant(varied_content, "fr")
    assert render_variant(varied_content, "en").html


def test_the_subject_names_digest_and_days(varied_content: DigestContent) -> None:
    # when
    subjects = [render_variant(varied_content, language).subject for language in LANGUAGES]

    # then
    assert subjects == [
        "Lantern weekly, 16–22 November 2026",
        "La semaine du phare, 16–22 novembre 2026",
        "Маяк за неделю, 16–22 ноября 2026\u202fг.",
    ]
