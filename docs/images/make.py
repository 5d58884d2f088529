"""Takes the pictures of the documentation from a running demo: ``python docs/images/make.py [URL of its start page]``.

Needs Playwright (``requirements-dev.lock``) and Debian's Chromium.
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FOLDER = Path(__file__).parent


def main(base_url: str = "http://127.0.0.1:8000") -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        _take(browser, f"{base_url}/", "start.png", size=(1280, 1030))
        staff = _find_link(browser, base_url, '.card.call a[href^="/staff/editions/"]')
        _take(browser, staff, "staff-preview.png", size=(1280, 1060))
        digest = _find_link(browser, base_url, 'a[href$="/en.html"]')
        _take(browser, digest, "digest.png", size=(600, 1150))
        browser.close()


def _find_link(browser: Browser, base_url: str, selector: str) -> str:
    page = browser.new_page()
    page.goto(base_url)
    target = page.locator(selector).first.get_attribute("href")
    page.close()
    return f"{base_url}{target}"


def _take(browser: Browser, url: str, name: str, *, size: tuple[int, int]) -> None:
    """The upper part of a page, as large as the window."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme="light")
    page.goto(url, wait_until="networkidle")
    page.screenshot(path=FOLDER / name)
    page.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
