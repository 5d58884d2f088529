"""The page of a feed: its items as a person reads them, its addresses, its neighbours."""

from datetime import date
from urllib.parse import urljoin

import httpx
import pytest
from feed_newsroom import NOON, Newsroom
from lxml import html

from feeds.model import Classification
from feeds.paths import FORMATS
from feeds.render import MEDIA_TYPES

PAGE = "/feeds/en/theme/asylum/region/africa.html"


def _open(client: httpx.Client, path: str = PAGE) -> html.HtmlElement:
    return html.fromstring(client.get(path).raise_for_status().content)


def test_a_page_shows_the_items_of_its_feed_the_newest_first(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    for number in (2, 1, 3):
        newsroom.put(number)
    newsroom.put(4, classification=Classification(("trafficking",), "trafficking"))
    newsroom.change(2, deadline=date(2026, 12, 15), event_start=date(2026, 12, 1), event_end=date(2026, 12, 3))
    # when
    page = _open(client)
    # then
    links = page.xpath("//article/h3/a")
    assert [link.get("href") for link in links] == [f"https://harbour.example/news/{number}" for number in (1, 2, 3)]
    assert links[0].text == "Ferry line 1 opens"
    first, second = (" ".join(article.text_content().split()) for article in page.xpath("//article")[:2])
    assert "Open call 20 November 2026 · Sub-Saharan Africa · Mali The council and the port open line 1." in first
    assert "Open call · 1–3 December 2026 · Apply by 15 December 2026" in second.replace("\u2009", "")


def test_a_page_names_its_feed_and_leads_to_it_in_every_format(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1)
    # when
    page = _open(client)
    # then
    assert page.xpath("//h1/text()") == ["Asylum and protection · Sub-Saharan Africa"]
    stem = "https://harbour.example/feeds/en/theme/asylum/region/africa"
    wanted = {MEDIA_TYPES[form]: f"{stem}.{form}" for form in FORMATS}
    found = {link.get("type"): link.get("href") for link in page.xpath("//head/link[@rel='alternate'][@type]")}
    assert found == wanted
    assert page.xpath("//input[@readonly]/@value") == list(wanted.values())
    assert page.xpath("//a[starts-with(@href, 'webcal:')]/@href") == [
        "webcal://harbour.example/feeds/en/theme/asylum/region/africa.ics"
    ]
    for url in wanted.values():
        assert client.get(url.removeprefix("https://harbour.example")).status_code == 200
    assert page.xpath("//link[@rel='canonical']/@href") == [f"{stem}.html"]
    languages = {link.get("hreflang"): link.get("href") for link in page.xpath("//link[@hreflang]")}
    assert languages == {
        code: f"https://harbour.example/feeds/{folder}/theme/asylum/region/africa.html"
        for code, folder in (("en", "en"), ("fr", "fr"), ("ru", "ru"), ("x-default", "all"))
    }


@pytest.mark.parametrize(
    ("path", "spoken"),
    [
        ("/feeds/fr/theme/asylum.html", ("fr", "Asile et protection", "en français · environ 1 actualité par semaine")),
        ("/feeds/ru/all.html", ("ru", "Всё", "на русском · в последнее время ничего нового")),
        ("/feeds/all/all.html", ("en", "Everything", "in all languages · about 1 item a week")),
        ("/feeds/all/region/africa.html", ("en", "Sub-Saharan Africa", "in all languages · about 1 item a week")),
        ("/feeds/en/mix.html?kind=call", ("en", "Open call", "in English · nothing new lately")),
    ],
)
def test_a_page_speaks_the_language_of_its_feed(
    newsroom: Newsroom, client: httpx.Client, path: str, spoken: tuple[str, str, str]
) -> None:
    # given
    newsroom.put(1, language="fr")
    # when
    page = _open(client, path)
    # then
    assert (page.get("lang"), *page.xpath("//h1/text() | //h1/following-sibling::p/text()")) == spoken


def test_an_item_in_another_language_says_so_to_eye_and_ear(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1, language="ar", title="افتتاح خط العبّارات")
    # when
    page = _open(client, "/feeds/all/all.html")
    # then
    (title,) = page.xpath("//article/h3")
    assert (title.get("lang"), title.get("dir")) == ("ar", "rtl")
    assert page.xpath("//article//i/text()") == ["in Arabic"]


def test_an_item_leads_to_its_translations(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1)
    newsroom.change(1, alternates=[{"language": "fr", "url": "https://harbour.example/fr/1"}])
    # when
    page = _open(client)
    # then
    (link,) = page.xpath("//article//a[@hreflang]")
    assert (link.get("href"), link.get("lang"), link.text_content()) == (
        "https://harbour.example/fr/1",
        "fr",
        "français",
    )


def test_a_withdrawn_item_is_not_on_the_page(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1)
    newsroom.put(2)
    # when
    newsroom.change(1, withdrawn_at=NOON, updated_at=NOON)
    # then
    assert _open(client).xpath("//article/h3/a/text()") == ["Ferry line 2 opens"]


def test_neighbours_differ_in_one_axis_and_this_one_is_marked(client: httpx.Client) -> None:
    # when
    page = _open(client)
    # then
    links = {link.text_content(): urljoin(PAGE, link.get("href")) for link in page.xpath("//nav//a")}
    assert links["français"] == "/feeds/fr/theme/asylum/region/africa.html"
    assert links["All themes"] == "/feeds/en/region/africa.html"
    assert links["Borders and visas"] == "/feeds/en/theme/border-visa/region/africa.html"
    assert links["Worldwide"] == "/feeds/en/theme/asylum/region/global.html"
    assert links["Feeds"] == "/feeds/en/"
    current = [link.text_content() for link in page.xpath("//a[@aria-current]")]
    assert current == ["English", "Asylum and protection", "Sub-Saharan Africa"]
    for path in links.values():
        assert client.get(path).status_code == 200


def test_neighbours_of_a_mix_keep_its_kinds(client: httpx.Client) -> None:
    # when
    page = _open(client, "/feeds/fr/mix.html?kind=call&kind=event&theme=asylum")
    # then
    links = {link.text_content(): link.get("href") for link in page.xpath("//main//nav//a")}
    assert links["Frontières et visas"].endswith("fr/mix.html?kind=call&kind=event&theme=border-visa")
    assert links["Tous les types"].endswith("fr/theme/asylum.html")
    assert links["Nomination"].endswith("fr/mix.html?kind=appointment&theme=asylum")


def test_a_feed_without_items_has_a_page(client: httpx.Client) -> None:
    assert "There is no item yet." in client.get(PAGE).text


def test_another_spelling_of_a_page_is_redirected_and_an_unknown_one_not_found(client: httpx.Client) -> None:
    # when
    spelt = client.get("/feeds/en/mix.html?theme=asylum&region=africa")
    # then
    assert (spelt.status_code, spelt.headers["location"]) == (301, PAGE)
    assert client.get("/feeds/en/theme/nothing.html").status_code == 404
    assert client.get("/feeds/xx/all.html").status_code == 404


def test_a_page_is_not_sent_twice_until_something_changes(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1)
    first = client.get(PAGE)
    # when
    again = client.get(PAGE, headers={"If-None-Match": first.headers["etag"]})
    newsroom.put(2)
    changed = client.get(PAGE, headers={"If-None-Match": first.headers["etag"]})
    # then
    assert first.headers["cache-control"].startswith("public, max-age=300")
    assert (again.status_code, changed.status_code) == (304, 200)
    assert "Ferry line 2 opens" in changed.text


def test_hostile_text_stays_text(newsroom: Newsroom, client: httpx.Client) -> None:
    # given
    newsroom.put(1, title="<script>alert(1)</script>\x1b\u202e", summary="<b>&", url="javascript:alert(1)")
    # when
    text = client.get(PAGE).text
    # then
    assert "<script>alert" not in text
    assert "javascript:" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not {"\x1b", "\u202e"} & set(text)
