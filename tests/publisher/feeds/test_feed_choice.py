"""The form of the directory: what is searched and ticked leads to a feed, without script."""

from collections.abc import Mapping
from urllib.parse import urljoin

import httpx
import pytest
from feed_newsroom import Newsroom
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html


def _ask(client: httpx.Client, **fields: str | list[str]) -> html.HtmlElement:
    return html.fromstring(client.get("/feeds/find", params=fields).raise_for_status().content)


def _names(page: html.HtmlElement) -> list[str]:
    return [link.text_content() for link in page.xpath("//section/h2/a")]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "/feeds/all/all"),
        ({"language": "all", "q": ""}, "/feeds/all/all"),
        ({"language": "fr"}, "/feeds/fr/all"),
        ({"language": "fr", "theme": "asylum", "region": "africa"}, "/feeds/fr/theme/asylum/region/africa"),
        ({"q": "asile afrique", "language": "fr"}, "/feeds/fr/theme/asylum/region/africa"),
        ({"q": "africa", "theme": "asylum"}, "/feeds/all/theme/asylum/region/africa"),
    ],
)
def test_a_choice_leads_to_its_feed(client: httpx.Client, fields: Mapping[str, str], path: str) -> None:
    # when
    page = _ask(client, **fields)
    # then
    assert page.xpath("//input[@readonly]/@value") == [
        f"https://harbour.example{path}.{form}" for form in ("atom", "rss", "json", "ics")
    ]
    (link,) = page.xpath("//section/h2/a/@href")
    assert urljoin("/feeds/find", link) == f"{path}.html"
    assert client.get(f"{path}.html").status_code == 200


def test_several_values_make_a_mix_and_stay_ticked(client: httpx.Client) -> None:
    # when
    page = _ask(client, theme=["border-visa", "asylum"], kind="call", language="en")
    # then
    url = "https://harbour.example/feeds/en/mix.atom?kind=call&theme=asylum&theme=border-visa"
    assert page.xpath("//input[@readonly]/@value")[0] == url
    assert client.get(url.removeprefix("https://harbour.example")).status_code == 200
    assert page.xpath("//input[@checked]/@value") == ["asylum", "border-visa", "call"]
    assert page.xpath("//option[@selected]/@value") == ["en"]
    assert page.xpath("//details[.//fieldset]/@open")


def test_a_feed_found_says_how_much_it_gets(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    for number in range(1, 15):
        newsroom.put(number)
    # when
    page = _ask(client, theme=["asylum", "trafficking"], kind="call")
    # then
    assert page.xpath("//section/p[1]/text()") == ["in all languages · about 7 items a week"]


def test_words_of_several_feeds_list_them(client: httpx.Client) -> None:
    # when
    page = _ask(client, q="migration", language="en")
    # then
    assert page.xpath("//h1/text()") == ["3 feeds found"]
    assert _names(page) == [
        "Irregular migration and return",
        "Migration and development",
        "Legal migration and integration",
    ]


def test_words_that_nothing_is_called_are_shown_as_text(client: httpx.Client) -> None:
    # when
    answer = client.get("/feeds/find", params={"q": "<script>zebra", "language": "fr"})
    # then
    assert answer.status_code == 200
    assert "<script>zebra" not in answer.text
    page = html.fromstring(answer.content)
    assert page.xpath("//h1/text()") == ["Aucun flux trouvé"]
    assert page.xpath("//main//bdi/text()")[0] == "<script>zebra"
    assert page.xpath("//input[@type='search']/@value") == ["<script>zebra"]


@pytest.mark.parametrize("fields", [{"theme": "nothing"}, {"language": "xx"}, {"region": "asylum"}, {"kind": "riddle"}])
def test_what_does_not_exist_is_not_found(client: httpx.Client, fields: dict[str, str]) -> None:
    # when
    answer = client.get("/feeds/find", params=fields)
    # then
    assert answer.status_code == 404
    assert html.fromstring(answer.content).xpath("//main//a/@href") == ["/feeds/"]


def test_answers_stay_out_of_search_engines_and_are_not_posted_to(client: httpx.Client) -> None:
    assert _ask(client, q="asylum").xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert client.post("/feeds/find").status_code == 405


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["q", "theme", "language", "other"]), st.text(max_size=150)), max_size=6))
def test_any_query_is_answered(client: httpx.Client, fields: list[tuple[str, str]]) -> None:
    # when
    answer = client.get("/feeds/find", params=fields)
    # then
    assert answer.status_code in {200, 404}
    assert html.fromstring(answer.content).xpath("//h1")
