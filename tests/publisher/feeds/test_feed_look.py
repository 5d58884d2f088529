"""How pages of feeds look and are used in a real browser: every width, both palettes, by keyboard, without script."""

import shutil
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from feed_newsroom import NOON, Newsroom
from live_web import open_web, with_base_url
from playwright.sync_api import Browser, Page, sync_playwright

from feeds.model import Classification
from publisher.app import open_app

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (320, 600, 1280)
TALL = 900

FEED = "/feeds/all/all.html"
PAGES = {
    "directory": "/feeds/",
    "directory in Russian": "/feeds/ru/",
    "feed": FEED,
    "feed in French": "/feeds/fr/theme/asylum/region/africa.html",
    "mix": "/feeds/en/mix.html?kind=call&kind=event&theme=asylum",
    "feed found": "/feeds/find?language=fr&theme=asylum&theme=border-visa&kind=call",
    "feeds found": "/feeds/find?q=migration",
    "nothing found": "/feeds/find?q=" + "z" * 90,
    "no such feed": "/feeds/no/such.html",
}

FAULTS = """async () => {
  const result = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]});
  return result.violations.map((fault) => fault.id + ": " + fault.nodes.map((node) => node.html).join(" "));
}"""

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def url(empty_newsroom: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site whose items are as awkward as items get."""
    folder = shutil.copytree(empty_newsroom, tmp_path_factory.mktemp("look") / "newsroom")
    app = open_app(folder / "publisher.toml", clock=lambda: NOON)
    newsroom = Newsroom(app, folder / "publisher.toml")
    for number in range(1, 6):
        newsroom.put(number)
    newsroom.put(6, title="x" * 250, summary="y" * 400, classification=Classification(("asylum",), "asylum"))
    newsroom.put(7, title="افتتاح خط العبّارات الجديد", summary="أعلن المجلس عن الخط الجديد.", language="ar")
    newsroom.put(8, title="Ouverture de la ligne 8", language="fr")
    newsroom.change(1, deadline=date(2026, 12, 15), event_start=date(2026, 12, 1), event_end=date(2026, 12, 3))
    newsroom.change(2, alternates=[{"language": "ar", "url": "https://harbour.example/ar/2"}])
    with open_web(with_base_url(app, "https://a-long-name-of-a-host.harbour.example/news")) as client:
        yield str(client.base_url).rstrip("/")
    app.database.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 600, "height": TALL}, permissions=["clipboard-read", "clipboard-write"]
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_a_page_has_no_fault_that_axe_finds_and_never_scrolls_sideways(browser: Browser, url: str, path: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core (npm) is not installed")
    for width, scheme in product(WIDTHS, ("light", "dark")):
        # given
        page = browser.new_page(viewport={"width": width, "height": TALL}, color_scheme=scheme)
        # when
        page.goto(url + path)
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        # then
        assert page.evaluate(FAULTS) == [], (width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") == width, scheme
        page.close()


def test_an_address_is_copied_by_keyboard_and_the_reader_hears_of_it(page: Page, url: str) -> None:
    # given
    page.goto(url + FEED)
    # when
    page.get_by_role("textbox", name="Atom").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copied").wait_for()
    # then
    assert page.evaluate("navigator.clipboard.readText()") == page.get_by_role("textbox", name="Atom").input_value()
    assert page.get_by_role("status").text_content() == "The address is copied: Atom"
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Copy").first.wait_for()


def test_an_address_that_cannot_be_copied_is_selected_for_the_hand(page: Page, url: str) -> None:
    # given
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.add_init_script("document.execCommand = () => false")
    page.goto(url + FEED)
    # when
    page.get_by_role("button", name="Copy").first.click()
    # then
    assert page.get_by_role("status").text_content() == (
        "Nothing could be copied. The address is selected: copy it by hand."
    )
    assert page.evaluate("getSelection().toString() || document.activeElement.selectionEnd > 0")


def test_every_stop_of_the_tab_key_is_seen(page: Page, url: str) -> None:
    for path in ("/feeds/", FEED):
        # given
        page.goto(url + path)
        # when
        page.keyboard.press("Tab")
        # then
        assert page.evaluate("document.activeElement.className") == "skip"
        seen = set()
        while (stop := page.evaluate("document.activeElement.outerHTML")) not in seen and stop[:5] != "<body":
            seen.add(stop)
            style = page.evaluate(
                "(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])"
                "(getComputedStyle(document.activeElement))"
            )
            assert style == ["solid", "3px"], stop
            page.keyboard.press("Tab")
        assert len(seen) > 20


def test_a_feed_is_found_without_script(browser: Browser, url: str) -> None:
    # given
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{url}/feeds/")
    # when
    page.get_by_label("Search for").fill("asile afrique")
    page.get_by_label("Language", exact=True).select_option("fr")
    page.get_by_label("Search for").press("Enter")
    # then
    address = page.get_by_role("textbox", name="Atom")
    assert address.input_value().endswith("/news/feeds/fr/theme/asylum/region/africa.atom")
    assert page.get_by_role("button", name="Copier").count() == 0
    page.get_by_role("link", name="Asile et protection").click()
    assert page.get_by_role("heading", level=1).text_content() == "Asile et protection · Afrique subsaharienne"
    context.close()
