"""Feeds of others: RSS, Atom and JSON Feed, and what only looks like one."""

import codecs
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dates import GivenDate
from feeds.entries import Document, Entry, ParseError
from feeds.model import Image, Translation
from feeds.sources import Source
from feeds.syndication import parse_feed

URL = "https://harbour.example/feed"
SOURCE = Source("rss", "feed", URL, "en", 900)


def parse(body: str | bytes) -> Document:
    return parse_feed(body.encode() if isinstance(body, str) else body, SOURCE, url=URL)


def rss(*items: str) -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{"".join(items)}</channel></rss>'


def atom(entry: str) -> str:
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>News</title><entry>{entry}</entry></feed>'
    return '<?xml version="1.0"?>' + feed


def json_feed(**item: Any) -> str:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": [item]})


def only(document: Document) -> Entry:
    (entry,) = document.entries
    return entry


def test_an_rss_item_is_read_whole() -> None:
    entry = only(
        parse(
            rss("""<item><title>Fish &amp;amp; boats</title><link>https://harbour.example/fish?utm_source=rss</link>
            <guid isPermaLink="false">n-1</guid><category>Notices</category><author>press@harbour.example (Ann)</author>
            <description>&lt;p&gt;Two&lt;/p&gt;&lt;p&gt;lines &amp;amp; more&lt;/p&gt;</description>
            <pubDate>Sat, 07 Mar 2026 10:00:00 CEST</pubDate></item>""")
        )
    )

    assert entry.link == "https://harbour.example/fish"
    assert entry.guid == "n-1"
    assert entry.title == "Fish & boats"
    assert entry.summary == "Two lines & more"
    assert entry.category == "Notices"
    assert entry.given == GivenDate(date(2026, 3, 7), datetime(2026, 3, 7, 8, tzinfo=UTC))
    assert not entry.is_dated_by_update


def test_an_atom_entry_is_read_whole() -> None:
    entry = only(
        parse(
            atom("""<title type="html">The &lt;b&gt;quay&lt;/b&gt;</title><id>tag:harbour.example,2026:1</id>
            <link rel="self" href="https://harbour.example/api/1"/><link href="/quay"/>
            <published>2026-03-07T23:30:00-05:00</published><updated>2026-04-01T00:00:00Z</updated>
            <author><name>Ann Quill</name><email>ann@harbour.example</email></author>
            <content type="html">&lt;p onclick="x()"&gt;Open &lt;a href="map"&gt;now&lt;/a&gt;&lt;/p&gt;</content>""")
        )
    )

    assert entry.link == "https://harbour.example/quay"
    assert entry.title == "The quay"
    assert entry.authors == ("Ann Quill",)
    assert entry.given == GivenDate(date(2026, 3, 7), datetime(2026, 3, 8, 4, 30, tzinfo=UTC))
    assert entry.summary == "Open now"
    assert entry.content_html == ('<p>Open <a href="https://harbour.example/map" rel="noopener noreferrer">now</a></p>')


def test_a_json_feed_item_is_read_whole() -> None:
    entry = only(
        parse(
            json_feed(
                id=7,
                url="https://harbour.example/quay",
                title="The quay",
                content_html="<p>Open</p>",
                date_published="2026-03-07",
                authors=[{"name": "Ann Quill"}],
                tags=["Notices"],
                language="fr",
            )
        )
    )

    assert entry == Entry(
        link="https://harbour.example/quay",
        guid="7",
        title="The quay",
        summary="Open",
        content_html="<p>Open</p>",
        authors=("Ann Quill",),
        category="Notices",
        language="fr",
        given=GivenDate(date(2026, 3, 7)),
        date_text="2026-03-07",
    )


@pytest.mark.parametrize(
    "body",
    [
        atom('<title>T</title><id>1</id><link href="/a"/><updated>2026-03-07T00:00:00Z</updated>'),
        json_feed(id="1", url="/a", title="T", date_modified="2026-03-07T00:00:00Z"),
    ],
)
def test_the_date_of_a_change_is_marked_as_such(body: str) -> None:
    entry = only(parse(body))

    assert entry.given == GivenDate(date(2026, 3, 7), datetime(2026, 3, 7, tzinfo=UTC))
    assert entry.is_dated_by_update


def test_an_entry_says_its_own_language_and_not_that_of_its_feed() -> None:
    entry = '<title xml:lang="{}">T</title><id>1</id><link href="/a"/>'

    assert only(parse(atom(entry.format("fr")))).language == "fr"
    assert only(parse(atom(entry.format("en")))).language == ""


def test_a_guid_that_is_an_address_stands_in_for_a_missing_link() -> None:
    assert only(parse(rss("<item><title>T</title><guid>https://harbour.example/a</guid></item>"))).link.endswith("/a")


def test_the_id_of_a_json_feed_item_is_a_link_only_where_it_is_an_address() -> None:
    assert only(parse(json_feed(id="https://harbour.example/a", title="T"))).link == "https://harbour.example/a"
    assert parse(json_feed(id="item-42", title="T")) == Document((), ("1 entries without a link were left out",))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_json_feed_is_utf_8_whatever_its_html_says(encoding: str) -> None:
    body = json_feed(url="/a", title="Порт", content_html="<meta charset=windows-1251><p>Порт</p>")
    body = json.dumps(json.loads(body), ensure_ascii=False)

    entry = only(parse(body.encode(encoding)))

    assert (entry.title, entry.content_html) == ("Порт", "<p>Порт</p>")


@pytest.mark.parametrize(("language", "kept"), [("sr-Latn-RS", "sr-Latn-RS"), ("sl-rozaj-biske-1994", "")])
def test_a_language_is_as_long_as_an_item_can_keep(language: str, kept: str) -> None:
    assert only(parse(json_feed(url="/a", title="T", language=language))).language == kept


def test_entries_without_a_link_are_counted_and_left_out() -> None:
    document = parse(rss("<item><title>T</title></item>", "<item><title>U</title><link>/u</link></item>"))

    assert len(document.entries) == 1
    assert document.remarks == ("1 entries without a link were left out",)


def test_a_guid_that_stands_for_two_addresses_is_none() -> None:
    item = '<item><title>T{0}</title><link>/{0}</link><guid isPermaLink="false">same</guid></item>'

    assert [entry.guid for entry in parse(rss(item.format(1), item.format(2))).entries] == ["", ""]


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("ann@harbour.example", ""),
        ("ann@harbour.example (Ann Quill)", "Ann Quill"),
        ("Ann Quill &lt;ann@harbour.example&gt;", "Ann Quill"),
        ("Ann Quill", "Ann Quill"),
    ],
)
def test_the_author_is_a_name_without_an_address(author: str, name: str) -> None:
    entry = only(parse(rss(f"<item><link>/a</link><author>{author}</author></item>")))

    assert entry.authors == ((name,) if name else ())


def test_all_authors_of_an_entry_are_named() -> None:
    item = "<item><link>/a</link><dc:creator>Ann Quill</dc:creator><dc:creator>Bo Lund</dc:creator></item>"
    body = rss(item).replace("<rss", '<rss xmlns:dc="http://purl.org/dc/elements/1.1/"')

    assert only(parse(body)).authors == ("Ann Quill", "Bo Lund")


def test_images_of_rss_are_its_enclosures_and_media() -> None:
    media = '<media:content url="/two.png" type="image/png"/><media:content url="/talk" type="audio/mpeg"/>'
    enclosures = '<enclosure url="/one.jpg" length="17" type="image/jpeg"/><enclosure url="/x.mp3" type="audio/mpeg"/>'
    item = f"<item><title>T</title><link>/a</link>{enclosures}{media}</item>"
    body = rss(item).replace("<rss", '<rss xmlns:media="http://search.yahoo.com/mrss/"')

    one, two = (f"https://harbour.example/{name}" for name in ("one.jpg", "two.png"))
    assert only(parse(body)).images == (Image(one, "image/jpeg", 17), Image(two, "image/png"))


def test_images_of_a_json_feed_are_attachments_and_image() -> None:
    attachments = [{"url": "/one.jpg", "mime_type": "image/jpeg", "size_in_bytes": 17}, {"url": "/x"}, 7]
    entry = only(parse(json_feed(id="1", url="/a", title="T", attachments=attachments, image="/one.jpg")))

    assert entry.images == (Image("https://harbour.example/one.jpg", "image/jpeg", 17),)


def test_alternates_of_an_atom_entry_are_its_translations() -> None:
    links = '<link href="/quay"/><link rel="alternate" hreflang="fr" href="/fr/quay"/>'
    entry = only(parse(atom(f"<title>T</title><id>1</id>{links}<updated>2026-04-01T00:00:00Z</updated>")))

    assert entry.link == "https://harbour.example/quay"
    assert entry.alternates == (Translation("fr", "https://harbour.example/fr/quay"),)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<!DOCTYPE html><html><body>Not found</body></html>", "is HTML, not a feed"),
        ("\n<!-- x --><HTML lang=en><body></body></HTML>", "is HTML, not a feed"),
        ('<?xml version="1.0"?><!DOCTYPE html PUBLIC "x" "y"><html></html>', "is HTML, not a feed"),
        ("", "is empty"),
        ("  \n ", "is empty"),
        ("hello", "neither RSS nor Atom"),
        ("<note><to>you</to></note>", "neither RSS nor Atom"),
        ("{", "begins like JSON"),
        ('{"version": "2", "items": []}', "JSON, but not a JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/1.1"}', "JSON, but not a JSON Feed"),
        ('{"a":' * 100_000, "begins like JSON"),
    ],
)
def test_what_is_no_feed_says_what_it_is(body: str, message: str) -> None:
    with pytest.raises(ParseError, match=message) as error:
        parse(body)

    assert URL in str(error.value)


BOMB = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + rss()[21:]


@pytest.mark.parametrize(
    "body",
    [
        BOMB.encode(),
        BOMB.replace("DOCTYPE", "doctype").encode(),
        BOMB.replace('<?xml version="1.0"?>', "<!-- <rss> -->").encode(),
        BOMB.replace('<?xml version="1.0"?>', "").encode("utf-16"),
        BOMB.encode("utf-8-sig"),
        b" \n" + BOMB.encode("utf-8-sig"),
        BOMB.encode("utf-16"),
        codecs.BOM_UTF16_BE + BOMB.encode("utf-16-be"),
        BOMB.replace("?>", "?>\ufeff<!-- x -->", 1).encode(),
    ],
)
def test_entity_declarations_are_refused(body: bytes) -> None:
    with pytest.raises(ParseError, match="declares entities"):
        parse(body)


def test_an_old_document_type_without_entities_is_read() -> None:
    doctype = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://dtd.example/rss.dtd">'

    assert only(parse(rss("<item><title>T</title><link>/a</link></item>").replace("?><rss", f"?>{doctype}<rss")))


def test_a_feed_without_entries_is_a_feed() -> None:
    assert parse(rss()) == Document(())


def test_the_name_of_a_file_is_a_body_and_not_opened() -> None:
    with pytest.raises(ParseError, match="neither RSS nor Atom"):
        parse(b"/etc/hostname")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1251"])
def test_the_declared_encoding_counts(encoding: str) -> None:
    text = rss("<item><title>Новости порта</title><link>/a</link></item>").replace("?>", f' encoding="{encoding}"?>', 1)

    assert only(parse(text.encode(encoding))).title == "Новости порта"


@given(st.binary(max_size=500))
def test_random_bytes_are_a_feed_or_a_parse_error(body: bytes) -> None:
    for document in (body, b"<rss version='2.0'>" + body, b"{" + body):
        try:
            parse(document)
        except ParseError:
            continue


@given(st.text(alphabet="<>/itemlnkguda &;[]!C\"'=x\x00\ud800", max_size=200))
def test_random_markup_in_a_feed_is_read_or_a_parse_error(text: str) -> None:
    body = rss(f"<item><title>{text}</title><link>/a</link><description>{text}</description></item>")
    try:
        document = parse(body.encode("utf-8", "surrogatepass"))
    except ParseError:
        return
    for entry in document.entries:
        assert len(entry.title) <= 300
        entry.content_html.encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["id", "url", "title", "summary", "content_html", "date_published", "authors", "tags", "language"]
        ),
        json_values,
    )
)
def test_a_json_feed_of_wrong_types_breaks_nothing(item: dict[str, Any]) -> None:
    for entry in parse(json_feed(**item)).entries:
        assert entry.link.startswith("http")
