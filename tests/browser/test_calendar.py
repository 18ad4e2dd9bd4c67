"""An admin closes today in a real Chromium on the real desk: the top bar says so, and takes it back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.newcomer import SLOW_MS, add_the_simulators_accounts, set_up
from tests.browser.test_newcomer import SCREENSHOTS, free_port
from tests.desk_process import DeskProcess, desk_process
from tests.simulator_process import SimulatorProcess

OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[DeskProcess]:
    simulator.fault("timings_utc_shift")
    with desk_process(simulator, tmp_path, free_port(), "gunicorn") as started:
        yield started


def test_today_is_closed_by_an_admin_and_given_back(desk: DeskProcess, simulator: SimulatorProcess, page: Page) -> None:
    page.set_default_timeout(SLOW_MS)
    set_up(page, desk)
    add_the_simulators_accounts(page, desk)
    note = page.locator("[data-key='clock.note']")
    expect(note).to_contain_text("closes in", timeout=30_000)
    page.get_by_role("link", name="IST").click()
    expect(page.locator("h1")).to_have_text("Calendar")
    expect(page.locator(".notice").filter(has_text="5 h 30 min late")).to_be_visible()
    today = page.locator("tbody tr").filter(has_text="today")
    expect(today).to_contain_text("09:15 to 15:40")
    expect(today).to_contain_text("gateway")

    day = simulator.get("/clock")["trading_date"]
    page.get_by_label("Date").fill(day)
    page.get_by_label("Exchange").select_option("both")
    page.get_by_label("Why").fill("Exercise")
    page.get_by_role("button", name="Set it").click()
    expect(today).to_contain_text("newcomer set this: Exercise")
    expect(note).to_contain_text("Market closed", timeout=10_000)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(OVERHANG) <= 0
    page.set_viewport_size({"width": 1440, "height": 900})
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "calendar-real.png", full_page=True)

    for _ in range(2):
        page.get_by_role("button", name="Remove").first.click()
        page.get_by_role("button", name="Remove it").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("body")).to_contain_text("No day is overridden")
    expect(note).to_contain_text("closes in", timeout=10_000)
