"""Every template with every sample: it renders, complains of nothing, and never scrolls sideways."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.browser.gallery_pages import PAGES
from tests.browser.witness import Witness

WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Elements that a screen reader would meet without a name.
NAMELESS = """
[...document.querySelectorAll("button, a[href], input:not([type=hidden]), select, textarea")].filter((element) =>
  !element.closest("template, [hidden], [aria-hidden=true]") &&
  !(element.getAttribute("aria-label") || element.textContent.trim() || element.title || element.labels?.length)
).map((element) => element.outerHTML.slice(0, 120))
"""
REPEATED_IDS = """
[...document.querySelectorAll("[id]")].map((element) => element.id)
  .filter((id, index, all) => all.indexOf(id) !== index)
"""


def context(chromium: Browser, witness: Witness, *, javascript: bool = True) -> BrowserContext:
    opened = chromium.new_context(reduced_motion="reduce", java_script_enabled=javascript)
    witness.watch(opened)
    return opened


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[tuple[Page, Witness]]:
    """One window for all pages, so that styles and fonts are loaded once, and who watches it."""
    watching = Witness()
    opened = context(chromium, watching)
    yield opened.new_page(), watching
    opened.close()


@pytest.fixture(scope="module")
def plain_window(chromium: Browser) -> Iterator[tuple[Page, Witness]]:
    """The same without JavaScript."""
    watching = Witness()
    opened = context(chromium, watching, javascript=False)
    yield opened.new_page(), watching
    opened.close()


REFITS_MS = 5000


@pytest.mark.parametrize("key", [page.key for page in PAGES])
def test_renders_fits_and_complains_of_nothing(key: str, window: tuple[Page, Witness], gallery: str) -> None:
    page, watching = window
    watching.complaints.clear()
    page.set_viewport_size(WIDE)
    answer = page.goto(f"{gallery}/gallery/{key}?still")
    assert answer is not None
    assert answer.status == 200
    assert page.title().endswith(" · AlgoMirror")
    assert page.locator("h1").count() == 1
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(REPEATED_IDS) == []
    assert page.evaluate(OVERHANG) <= 0
    page.set_viewport_size(PHONE)
    page.wait_for_function(f"{OVERHANG} <= 0", timeout=REFITS_MS)  # parts that fit themselves do so with the next frame
    assert watching.complaints == []


@pytest.mark.parametrize("key", ["desk-50", "chain-trouble", "builder", "preview", "run-trouble", "orders"])
def test_fits_between_phone_and_desk(key: str, window: tuple[Page, Witness], gallery: str) -> None:
    page, watching = window
    watching.complaints.clear()
    page.set_viewport_size(WIDE)
    page.goto(f"{gallery}/gallery/{key}")
    for width in (768, 1024, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        _wait_until_it_fits(page)
    assert watching.complaints == []


def _wait_until_it_fits(page: Page) -> None:
    """The table's own observer answers on a later frame. Not `wait_for_function`, which the pages' policy forbids."""
    deadline = time.monotonic() + 10.0
    while page.evaluate(OVERHANG) > 0:
        assert time.monotonic() < deadline, "it scrolls sideways"
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_a_chain_without_strikes_looks_again_by_itself(chromium: Browser, witness: Witness, gallery: str) -> None:
    opened = context(chromium, witness)
    page = opened.new_page()
    page.goto(f"{gallery}/gallery/chain-empty")
    with page.expect_navigation(url="**/gallery/chain-empty"):
        pass
    opened.close()


@pytest.mark.parametrize("key", ["desk", "chain", "builder", "preview", "run", "orders", "accounts", "login"])
def test_reads_without_javascript(key: str, plain_window: tuple[Page, Witness], gallery: str) -> None:
    page, watching = plain_window
    watching.complaints.clear()
    page.goto(f"{gallery}/gallery/{key}")
    assert page.locator("main").inner_text().strip()
    assert watching.complaints == []
