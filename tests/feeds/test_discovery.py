"""Which hub a document names: in its header, else in itself (WebSub §4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.discovery import Advertised, find_hub, read_link_header

URL = "https://news.example/feed"
HUB = "https://hub.example/"


@pytest.mark.parametrize(
    ("header", "links"),
    [
        ('<https://hub.example/>; rel="hub"', [("hub", HUB)]),
        ("<https://hub.example/>;rel=hub", [("hub", HUB)]),
        ('<https://hub.example/>; title="a, b"; REL="Hub self"', [("hub", HUB), ("self", HUB)]),
        (f'<{HUB}>; rel="hub", <{URL}>; rel="self"', [("hub", HUB), ("self", URL)]),
        ("<https://hub.example/>", []),
        ("https://hub.example/; rel=hub", []),
        ("", []),
    ],
)
def test_a_link_header_is_read(header: str, links: list[tuple[str, str]]) -> None:
    assert list(read_link_header(header)) == links


@pytest.mark.parametrize(
    ("header", "body", "found"),
    [
        ([("hub", HUB), ("self", "https://a.example/f")], [], Advertised(HUB, "https://a.example/f")),
        ([], [("self", "/f"), ("hub", "/hub")], Advertised("https://news.example/hub", "https://news.example/f")),
        ([("hub", HUB)], [("hub", "https://other.example/")], Advertised(HUB, URL)),
        ([], [("hub", "javascript:alert(1)"), ("hub", HUB)], Advertised(HUB, URL)),
        ([], [("hub", "https://user:pw@hub.example/")], None),
        ([], [("hub", "https://hub.example/\r\nX: y")], None),
        ([], [("hub", "https://hub.example/" + "x" * 3_000)], None),
        ([("self", URL)], [], None),
    ],
)
def test_the_header_counts_before_the_document(
    header: list[tuple[str, str]], body: list[tuple[str, str]], found: Advertised | None
) -> None:
    assert find_hub(header, body, url=URL) == found


@given(st.text(alphabet=st.sampled_from('<>;,="rel hubself\\: /.htps\r\n') | st.characters(), max_size=200))
def test_any_header_is_read_without_an_error(header: str) -> None:
    found = find_hub(list(read_link_header(header)), [], url=URL)
    assert found is None or found.hub.startswith(("http://", "https://"))
