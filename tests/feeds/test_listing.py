"""Listings and article pages: read by selectors, whatever the page does."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.articles import read_article
from feeds.dates import GivenDate
from feeds.entries import Entry, ParseError
from feeds.listing import parse_listing
from feeds.sources import Select, Source

URL = "https://harbour.example/news/"
SELECT = Select(
    item="li.story",
    title="h2",
    link="h2 a",
    date=".when",
    date_formats=("%d %B %Y",),
    summary=".lead",
    category=".label",
    next="a[rel=next]",
)
SOURCE = Source("news", "listing", URL, "en", 1_800, select=SELECT)
STORY = """
<li class="story"><span class="label">Notices</span><h2><a href="quay?utm_source=list">The quay   opens</a></h2>
<p class="when">7 March 2026</p><p class="lead">Boats may <b>moor</b>.</p><p class="lead wide">Boats may moor.</p></li>
"""


def page(*stories: str, rest: str = "") -> str:
    return f"<html><body><ul>{''.join(stories)}</ul>{rest}</body></html>"


def with_select(**changes: object) -> Source:
    return replace(SOURCE, select=replace(SELECT, **changes))


def test_an_item_is_read_by_its_selectors_and_what_is_printed_twice_once() -> None:
    listing = parse_listing(page(STORY), SOURCE, url=URL)

    assert listing.entries == (
        Entry(
            link="https://harbour.example/news/quay",
            title="The quay opens",
            summary="Boats may moor.",
            category="Notices",
            given=GivenDate(date(2026, 3, 7)),
            date_text="7 March 2026",
        ),
    )
    assert listing.next_url is None


def test_a_selector_that_finds_nothing_in_an_item_leaves_the_field_empty() -> None:
    entry = parse_listing(page('<li class="story"><h2><a href="x">X</a></h2></li>'), SOURCE, url=URL).entries[0]

    assert (entry.summary, entry.category, entry.given, entry.date_text) == ("", "", None, "")


def test_the_next_page_is_resolved_against_the_page() -> None:
    listing = parse_listing(page(STORY, rest='<a rel="next" href="?page=2">older</a>'), SOURCE, url=URL)

    assert listing.next_url == "https://harbour.example/news/?page=2"


def test_the_base_of_a_page_counts() -> None:
    text = '<html><head><base href="https://harbour.example/fr/"></head>' + page(STORY)

    assert parse_listing(text, SOURCE, url=URL).entries[0].link == "https://harbour.example/fr/quay"


def test_a_selector_that_matches_nothing_is_an_error_that_names_source_selector_and_address() -> None:
    with pytest.raises(ParseError, match=r"sources\.news\.select\.item: 'li\.story' matched nothing on https://harb"):
        parse_listing("<html><body><p>We have moved</p></body></html>", SOURCE, url=URL)


def test_items_that_all_lead_nowhere_are_an_error() -> None:
    with pytest.raises(ParseError, match=r"sources\.news\.select\.link: 'h2 a' found no link in the 1 items"):
        parse_listing(page('<li class="story"><h2><a href="javascript:open()">X</a></h2></li>'), SOURCE, url=URL)


def test_an_item_that_leads_nowhere_is_counted_and_left_out() -> None:
    listing = parse_listing(page(STORY, '<li class="story">Advertisement</li>'), SOURCE, url=URL)

    assert len(listing.entries) == 1
    assert listing.unlinked == 1


@pytest.mark.parametrize("text", ["", "   ", "<!-- only a comment -->", "\0"])
def test_an_empty_page_is_an_error(text: str) -> None:
    with pytest.raises(ParseError):
        parse_listing(text, SOURCE, url=URL)


def test_what_is_to_be_dropped_is_not_read() -> None:
    story = '<li class="story"><h2><a href="x">Title <span class="new">new!</span> here</a></h2></li>'

    entry = parse_listing(page(story), with_select(drop=".new"), url=URL).entries[0]

    assert entry.title == "Title here"


def test_the_date_pattern_takes_the_date_out_of_its_neighbours() -> None:
    story = STORY.replace("7 March 2026", "Port office | 7 March 2026")

    entry = parse_listing(page(story), with_select(date_pattern=r"\|\s*(.+)$"), url=URL).entries[0]

    assert entry.given == GivenDate(date(2026, 3, 7))
    assert entry.date_text == "Port office | 7 March 2026"


def test_a_date_in_another_form_is_not_guessed_but_its_text_is_kept() -> None:
    entry = parse_listing(page(STORY.replace("7 March 2026", "03/07/2026")), SOURCE, url=URL).entries[0]

    assert entry.given is None
    assert entry.date_text == "03/07/2026"


def test_a_time_element_may_say_the_date_to_machines() -> None:
    story = STORY.replace(
        '<p class="when">7 March 2026</p>', '<time class="when" datetime="2026-03-07">last week</time>'
    )

    assert parse_listing(page(story), SOURCE, url=URL).entries[0].given == GivenDate(date(2026, 3, 7))


def test_without_a_title_selector_the_link_is_the_title_unless_the_article_page_gives_it() -> None:
    listed = parse_listing(page(STORY), with_select(title=""), url=URL).entries[0]
    followed = parse_listing(page(STORY), replace(with_select(title=""), follow=True), url=URL).entries[0]

    assert listed.title == "The quay opens"
    assert followed.title == ""


def test_an_item_that_is_itself_the_link_is_read() -> None:
    source = with_select(item="a.card", link="a", title="b")

    entry = parse_listing('<a class="card" href="/x"><b>Whole card</b></a>', source, url=URL).entries[0]

    assert (entry.link, entry.title) == ("https://harbour.example/x", "Whole card")


ARTICLE = """<html><head><title>Quay | Harbour News</title>
<link rel="canonical" href="/news/quay">
<meta property="og:title" content="The quay, for sharing"><meta property="og:description" content="What is open.">
<script type="application/ld+json">{"@graph": [{"@type": "WebSite", "name": "Harbour"},
 {"@type": "NewsArticle", "headline": "The quay, for machines", "datePublished": "2026-03-07T09:00:00+01:00"}]}</script>
</head><body><header><h1>Harbour News</h1></header><main><h1>The quay opens</h1></main></body></html>"""


def read(text: str, url: str = "https://harbour.example/news/quay?from=list") -> Entry:
    return read_article(text, link=url, url=url, zone=UTC)


def test_an_article_page_gives_title_summary_date_and_canonical_address() -> None:
    entry = read(ARTICLE)

    assert entry.title == "The quay opens"
    assert entry.summary == "What is open."
    assert entry.given == GivenDate(date(2026, 3, 7), datetime(2026, 3, 7, 8, tzinfo=UTC))
    assert entry.canonical == "https://harbour.example/news/quay"


@pytest.mark.parametrize(
    ("gone", "title"),
    [
        (["<h1>The quay opens</h1>"], "Harbour News"),
        (["<main><h1>The quay opens</h1></main>", "<h1>Harbour News</h1>"], "The quay, for sharing"),
        (["<h1>The quay opens</h1>", "<h1>Harbour News</h1>", "og:title"], "The quay, for machines"),
        (["<h1>The quay opens</h1>", "<h1>Harbour News</h1>", "og:title", "headline"], "Quay | Harbour News"),
    ],
)
def test_the_title_is_the_best_that_the_page_has(gone: list[str], title: str) -> None:
    text = ARTICLE
    for part in gone:
        text = text.replace(part, "")

    assert read(text).title == title


@pytest.mark.parametrize(
    "canonical", ["https://elsewhere.example/quay", "/", "https://harbour.example", "mailto:x@y.example", ""]
)
def test_a_canonical_address_that_is_not_the_page_of_this_site_is_not_taken(canonical: str) -> None:
    assert read(ARTICLE.replace("/news/quay", canonical)).canonical == ""


VIDEO = '{"@type": "VideoObject", "headline": "Tour", "datePublished": "2020-01-01"}'
PAGE = '{"@type": "WebPage", "datePublished": "2021-01-01"}'
RELATED = '{"@type": "NewsArticle", "headline": "Fish", "datePublished": "2022-01-01"}'
OWN = '{"@type": ["schema:BlogPosting"], "headline": "the Quay", "datePublished": "2023-01-01"}'
OTHER = '{"@type": "Thing", "headline": "The quay", "datePublished": "2024-01-01"}'


@pytest.mark.parametrize(
    ("nodes", "year"),
    [
        ([VIDEO, PAGE, RELATED, OWN], 2023),
        ([VIDEO, PAGE, RELATED], 2022),
        ([VIDEO, PAGE, OTHER], 2024),
        ([VIDEO, PAGE], 2021),
        ([VIDEO], None),
    ],
)
def test_the_date_is_that_of_the_article_not_of_what_else_the_page_describes(nodes: list[str], year: int) -> None:
    given = read(f'<h1>The quay</h1><script type="application/ld+json">[{",".join(nodes)}]</script>').given

    assert (given and given.day.year) == year


@pytest.mark.parametrize(("language", "kept"), [("pt-BR", "pt-BR"), ("sl-rozaj-biske-1994", ""), ("Polish", "")])
def test_the_language_of_a_story_is_a_code_that_an_item_can_keep(language: str, kept: str) -> None:
    story = STORY.replace("<li ", f'<li lang="{language}" ')

    assert parse_listing(page(story), SOURCE, url=URL).entries[0].language == kept


@pytest.mark.parametrize("data", ["{", "[" * 100_000, '{"datePublished": ["2026"]}', "null", '{"@graph": {"a": 1}}'])
def test_broken_structured_data_says_nothing(data: str) -> None:
    entry = read(f'<script type="application/ld+json">{data}</script><h1>Title</h1>')

    assert entry.title == "Title"
    assert entry.given is None


@given(st.text(alphabet="<>/li clas=\"'storyhref&;#x\x00\ud800 -!", max_size=400))
def test_no_page_breaks_the_reader(text: str) -> None:
    for stories in (text, f'<li class="story"><h2><a href="x">{text}</a></h2></li>'):
        try:
            listing = parse_listing(stories, SOURCE, url=URL)
        except ParseError:
            continue
        assert all(entry.link.startswith("http") for entry in listing.entries)


@given(st.text(max_size=400))
def test_no_article_breaks_the_reader(text: str) -> None:
    try:
        entry = read(text)
    except ParseError:
        return
    assert isinstance(entry.title, str)
