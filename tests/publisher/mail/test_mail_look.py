"""How a message looks: contrast in both palettes, narrow screens, and the layout as the official MJML reads it."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from feeds.model import Item
from publisher.mail.content import DigestContent
from publisher.mail.palette import DARK, LIGHT, Palette
from publisher.mail.render import render_layout, render_variant

CHROMIUM = shutil.which("chromium")
MJML = shutil.which("mjml") or shutil.which("mjml", path=str(Path(__file__).parents[3] / "node_modules" / ".bin"))

CONTRASTS = """() => {
  const luminance = (rgb) => rgb.map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const [r, g, b, a] = parse(getComputedStyle(node).backgroundColor);
      if (a !== 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const style = getComputedStyle(node);
    if (!walker.currentNode.data.trim() || !node.getClientRects().length || style.opacity === "0") continue;
    const pair = [parse(style.color).slice(0, 3), ground(node)].map(luminance).sort((a, b) => b - a);
    found.push([(pair[0] + 0.05) / (pair[1] + 0.05), walker.currentNode.data.trim()]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    dark, light = sorted((_luminance(first), _luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_colour_reaches_the_contrast_on_both_grounds(palette: Palette) -> None:
    # given
    texts = (palette.ink, palette.muted, palette.link, palette.accent, palette.urgent)

    # when
    contrasts = {
        (text, ground): _contrast(text, ground) for text, ground in product(texts, (palette.paper, palette.card))
    }

    # then
    assert {pair: contrast for pair, contrast in contrasts.items() if contrast < 4.5} == {}


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "fr", "ru"])
def test_a_browser_shows_enough_contrast_and_no_sideways_scrolling(
    browser: Browser, varied_content: DigestContent, language: str, scheme: str
) -> None:
    # given
    page = browser.new_page(viewport={"width": 320, "height": 700}, color_scheme=scheme)

    # when
    page.set_content(render_variant(varied_content, language).html)

    # then
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 30
    assert [found for found in contrasts if found[0] < 4.5] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.close()


@pytest.mark.browser
def test_a_word_without_end_does_not_widen_the_page(
    browser: Browser, make_item: Callable[..., Item], make_content: Callable[..., DigestContent]
) -> None:
    # given
    page = browser.new_page(viewport={"width": 320, "height": 700})
    endless = make_content(make_item(title="x" * 250, summary="y" * 250), site_name="z" * 250)

    # when
    page.set_content(render_variant(endless, "en").html)

    # then
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.close()


@pytest.mark.slow
@pytest.mark.skipif(MJML is None, reason="the official mjml (npm) is not installed")
@pytest.mark.parametrize("language", ["en", "ru"])
def test_official_mjml_accepts_the_layout(varied_content: DigestContent, language: str, tmp_path: Path) -> None:
    # given
    layout = tmp_path / "digest.mjml"
    layout.write_text(render_layout(varied_content, language), encoding="utf-8")

    # when
    command = [MJML, "--config.validationLevel=strict", str(layout), "-o", str(tmp_path / "digest.html")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    # then
    assert (run.returncode, run.stderr) == (0, "")
