"""Feeds as validators see them: each case against grammar, schema and rules."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import fastjsonschema
import feedparser
import pytest
from feed_rules import find_atom_faults, find_rss_faults
from lxml import etree

from feeds.model import Image, Item, Translation
from feeds.paths import ARCHIVED_FORMATS
from feeds.render import Feed, FeedInfo, Tombstone, make_feed, render
from feeds.render.json_feed_schema import JSON_FEED_SCHEMA

READ_AT = datetime(2026, 11, 28, tzinfo=UTC)
MakeItem = Callable[..., Item]
Case = Callable[[FeedInfo, MakeItem], Feed]


def plain(info: FeedInfo, make_item: MakeItem) -> Feed:
    return make_feed(info, [make_item(number) for number in (1, 2, 3)])


def empty(info: FeedInfo, _make_item: MakeItem) -> Feed:
    return make_feed(replace(info, updated=datetime(2026, 1, 1, tzinfo=UTC)), [])


def with_images(info: FeedInfo, make_item: MakeItem) -> Feed:
    sized = Image("https://harbour.example/quay.jpg", "image/jpeg", 48_211)
    unsized = Image("https://harbour.example/ship.webp", "image/webp")
    images = [(sized,), (unsized,), (unsized, sized), (sized, replace(sized, url="https://harbour.example/two.jpg"))]
    return make_feed(info, [make_item(number, images=found) for number, found in enumerate(images, start=1)])


def in_other_scripts(info: FeedInfo, make_item: MakeItem) -> Feed:
    titles = {
        "ru": "Паром открыт",
        "ar": "افتتاح خط العبّارة",
        "zh": "渡轮航线开通",
        "fa": "خط کشتی",
        "el": "Νέα γραμμή",
    }
    items = [
        make_item(number, title=title, summary=f"{title} 👩‍👩‍👧", language=language, authors=(title,))
        for number, (language, title) in enumerate(titles.items(), start=1)
    ]
    return make_feed(replace(info, language=None, title="Порт"), items)


def with_withdrawals(info: FeedInfo, make_item: MakeItem) -> Feed:
    at = READ_AT - timedelta(days=1)
    notice = make_item(1, title="Withdrawn: line 1", updated_at=at, withdrawn_at=at, content_html="", authors=())
    tombstones = [Tombstone(notice.uid, at, "Wrong & <b>false</b>"), Tombstone("uid99", at)]
    return make_feed(replace(info, updated=at), [notice, make_item(2)], tombstones)


def an_archive(info: FeedInfo, make_item: MakeItem) -> Feed:
    base = "https://harbour.example/feeds/en/all"
    urls = {form: f"{base}/archive/2.{form}" for form in ARCHIVED_FORMATS}
    head = replace(
        info,
        name="feeds/en/all/archive/2",
        urls=urls,
        translations={},
        current={form: f"{base}.{form}" for form in ARCHIVED_FORMATS},
        previous={form: f"{base}/archive/1.{form}" for form in ARCHIVED_FORMATS},
    )
    return make_feed(head, [make_item(1), make_item(2)])


def with_an_archive(info: FeedInfo, make_item: MakeItem) -> Feed:
    previous = {form: f"https://harbour.example/feeds/en/all/archive/2.{form}" for form in ARCHIVED_FORMATS}
    return make_feed(replace(info, previous=previous), [make_item(1)])


def with_hubs_and_icon(info: FeedInfo, make_item: MakeItem) -> Feed:
    head = replace(info, hubs=("https://hub.example/", "https://hub.two.example/"), icon_url="https://h.example/i.png")
    return make_feed(head, [make_item(1)])


def with_translations(info: FeedInfo, make_item: MakeItem) -> Feed:
    others = (Translation("fr", "https://harbour.example/fr/1", "uid51"), Translation("ru", "https://h.example/ru/1"))
    return make_feed(info, [make_item(1, translations=others)])


def bare(info: FeedInfo, make_item: MakeItem) -> Feed:
    return make_feed(info, [make_item(1, summary="", content_html="", authors=(), title="")])


def at_odd_addresses(info: FeedInfo, make_item: MakeItem) -> Feed:
    items = [
        make_item(1, url="https://harbour.example/?f[a]=1"),
        make_item(2, url="https://xn--e1afmkfd.example/%D0%BF"),
    ]
    head = replace(info, name="feeds/all/mix?kind=call&theme=labour")
    return make_feed(head, items)


CASES: Mapping[str, Case] = {
    case.__name__: case
    for case in (
        *(plain, empty, with_images, in_other_scripts, with_withdrawals, an_archive, with_an_archive),
        *(with_hubs_and_icon, with_translations, bare, at_odd_addresses),
    )
}

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@each_case
def test_atom_is_what_its_grammar_allows(info: FeedInfo, make_item: MakeItem, case: Case) -> None:
    # when
    document = etree.fromstring(render(case(info, make_item), "atom"))
    # then
    grammar = load_grammar()
    assert grammar.validate(document), grammar.error_log


@each_case
def test_a_validator_finds_nothing_in_atom(info: FeedInfo, make_item: MakeItem, case: Case) -> None:
    assert find_atom_faults(render(case(info, make_item), "atom"), now=READ_AT) == []


@each_case
def test_a_validator_finds_nothing_in_rss(info: FeedInfo, make_item: MakeItem, case: Case) -> None:
    assert find_rss_faults(render(case(info, make_item), "rss"), now=READ_AT) == []


@each_case
def test_json_fits_its_schema(info: FeedInfo, make_item: MakeItem, case: Case) -> None:
    # when
    document = json.loads(render(case(info, make_item), "json"))
    # then
    fastjsonschema.validate(JSON_FEED_SCHEMA, document)


@each_case
@pytest.mark.parametrize("form", ["atom", "rss"])
def test_feedparser_finds_every_item(info: FeedInfo, make_item: MakeItem, case: Case, form: str) -> None:
    # given
    feed = case(info, make_item)
    # when
    parsed = feedparser.parse(render(feed, "atom" if form == "atom" else "rss"))
    # then
    assert not parsed.bozo
    assert [(entry.title, entry.link) for entry in parsed.entries] == [(item.title, item.url) for item in feed.items]
    assert [entry.id for entry in parsed.entries] == [f"tag:{info.authority}:{item.uid}" for item in feed.items]


BROKEN = {
    "MissingSelf": (b'rel="self"', b'rel="via"'),
    "InvalidFullLink": (b'href="https://harbour.example/news/1"', b'href="/news/1"'),
    "MissingElement: id": (b"<id>tag:harbour.example,2026:feeds/en/all</id>", b""),
    "DuplicateEntries": (b"uid02", b"uid01"),
    "InvalidDate": (b"2026-11-19T12:00:00+00:00", b"2026-11-19"),
    "ImplausibleDate": (b"<updated>2026-11-20T12", b"<updated>2027-11-20T12"),
    "SecurityRisk": (b"&lt;p&gt;", b"&lt;script&gt;"),
    "ContainsRelRef": (b"https://harbour.example/lines", b"lines"),
    "InvalidLanguage": (b'xml:lang="en"', b'xml:lang="english"'),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_rules_find_what_is_broken(info: FeedInfo, make_item: MakeItem, fault: str) -> None:
    # given
    document = render(plain(info, make_item), "atom")
    # when
    broken = document.replace(*BROKEN[fault])
    # then
    assert broken != document
    assert any(found.startswith(fault) for found in find_atom_faults(broken, now=READ_AT))


BROKEN_RSS = {
    "MissingAtomSelfLink": (b'rel="self"', b'rel="via"'),
    "InvalidPermalink": (b'isPermaLink="false"', b'isPermaLink="true"'),
    "IncorrectDOW": (b"Thu, 19 Nov", b"Fri, 19 Nov"),
    "InvalidPositiveInteger": (b"<ttl>5", b"<ttl>0"),
    "InvalidIntegerAttribute": (b'length="48211"', b'length="0"'),
    "UndefinedElement": (b"<docs>", b"<documents>"),
    "DuplicateValue": (b"uid02", b"uid01"),
}


@pytest.mark.parametrize("fault", BROKEN_RSS)
def test_the_rules_find_what_is_broken_in_rss(info: FeedInfo, make_item: MakeItem, fault: str) -> None:
    # given
    document = render(with_images(info, make_item), "rss")
    # when
    broken = document.replace(*BROKEN_RSS[fault]).replace(b"</docs>", b"</docs>")
    broken = broken.replace(b"</docs>", b"</documents>") if b"<documents>" in broken else broken
    # then
    assert fault in {found.partition(":")[0] for found in find_rss_faults(broken, now=READ_AT)}


@cache
def load_grammar() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(str(Path(__file__).with_name("atom.rng"))))
