"""Takes the README's pictures of the real desk on the simulator: `make pictures` writes docs/pictures/*.png anew."""

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.newcomer import (
    SLOW_MS,
    add_the_simulators_accounts,
    build_a_straddle_and_preview,
    send_and_see_ten_fills,
    set_up,
    watch_the_chain_move,
)
from tests.browser.test_newcomer import free_port
from tests.desk_process import DeskProcess, desk_process
from tests.simulator_process import SimulatorProcess, start_simulator
from tools import browser
from tools.steps import ROOT

FOLDER = ROOT / "docs" / "pictures"
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
BOOKS = {
    "trading/orders": False,
    "trading/trades": True,
    "trading/positions": False,
    "trading/funds": True,
    "activity": False,
}
"""The tables, and which of them are shown in the light theme."""


def main() -> None:
    program = browser.find()
    if program is None:
        sys.exit(browser.NOT_FOUND)
    FOLDER.mkdir(parents=True, exist_ok=True)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder, start_simulator() as simulator, sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(program), args=[*FLAGS, *sandbox])
        with desk_process(simulator, Path(folder), free_port(), "gunicorn") as desk:
            take(started, desk, simulator)
        started.close()


def take(browser_: Browser, desk: DeskProcess, simulator: SimulatorProcess) -> None:
    """The newcomer's way, with a picture of every main page on it."""
    context = browser_.new_context(viewport=DESKTOP, locale="en-IN", timezone_id="Asia/Kolkata")
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    set_up(page, desk)
    add_the_simulators_accounts(page, desk)
    expect(page.get_by_text("In sync")).to_have_count(5, timeout=SLOW_MS)
    expect(page.get_by_text("Feed live")).to_be_visible(timeout=SLOW_MS)
    _dismiss(page)
    _shoot(page, "accounts")
    watch_the_chain_move(page, desk)
    _shoot(page, "chain")
    _in_light(page, desk, light=True)
    build_a_straddle_and_preview(page, desk, expiry="next_week", underneath=lambda: _shoot(page, "builder"))
    _shoot(page, "preview")
    _in_light(page, desk, light=False)
    send_and_see_ten_fills(page)
    simulator.move_index("NIFTY", points=12)
    expect(page.locator(".run-figures .value-run")).not_to_have_text("0")
    _shoot(page, "run")
    run = page.url
    for book, light in BOOKS.items():
        _in_light(page, desk, light=light)
        page.goto(f"{desk.url}/{book}")
        _shoot(page, book.rpartition("/")[2])
    _in_light(page, desk, light=False)
    page.goto(desk.url)
    # The funds as they are since the entry: those are read less often than the rest.
    expect(page.locator(".desk-banner .meter-fill")).not_to_have_attribute("width", "0", timeout=3 * SLOW_MS)
    _shoot(page, "desk")
    page.set_viewport_size(PHONE)
    page.goto(run)
    _shoot(page, "run-phone")
    context.close()


def _in_light(page: Page, desk: DeskProcess, *, light: bool) -> None:
    """From the next page on."""
    page.context.add_cookies([{"name": "theme", "value": "light" if light else "dark", "url": desk.url}])


def _dismiss(page: Page) -> None:
    for button in page.get_by_role("button", name="Dismiss").all():
        if button.is_visible():
            button.click()


def _shoot(page: Page, name: str) -> None:
    page.evaluate("document.fonts.ready")
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
