"""The kill switch in a real Chromium on the real desk: one click away, pressed, watched until flat, released."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.newcomer import (
    PASSWORD,
    SLOW_MS,
    add_the_simulators_accounts,
    build_a_straddle_and_preview,
    send_and_see_ten_fills,
    set_up,
)
from tests.browser.test_newcomer import SCREENSHOTS, free_port
from tests.desk_process import DeskProcess, desk_process
from tests.simulator_process import SimulatorProcess

OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[DeskProcess]:
    with desk_process(simulator, tmp_path, free_port(), "gunicorn") as started:
        yield started


def test_pressed_watched_until_flat_and_released(desk: DeskProcess, simulator: SimulatorProcess, page: Page) -> None:
    page.set_default_timeout(SLOW_MS)
    set_up(page, desk)
    add_the_simulators_accounts(page, desk)
    build_a_straddle_and_preview(page, desk, expiry="next_week")
    send_and_see_ten_fills(page)
    run = page.url

    page.get_by_role("link", name="Kill switch").click()
    live = page.locator("#kill-live")
    expect(live).to_contain_text("closes 10 positions (650 units) in 5 accounts")
    _picture(page, "kill-before")
    page.get_by_role("button", name="Halt, cancel and close").click()
    expect(page.locator(".halt-strip")).to_contain_text("Trading is halted for everything, by newcomer")
    expect(live).to_contain_text(re.compile(r"Everything of ours in its scope was flat \d+ s later"), timeout=60_000)
    expect(live.locator("tbody tr").filter(has_text="Flat")).to_have_count(5)
    for number in range(1, 6):
        assert all(int(position["quantity"]) == 0 for position in simulator.truth(number)["positions"])
    _picture(page, "kill-flat")
    _fits_a_phone(page)

    page.goto(run)
    expect(page.locator(".halt-strip")).to_contain_text("Trading is halted")
    page.locator(".halt-strip").get_by_role("link", name="Kill switch").click()
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Release").click()
    expect(page.locator(".toasts")).to_contain_text("Still halted. This is not your password.")
    page.wait_for_timeout(1100)  # the slow-down after a wrong password
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Release").click()
    expect(page.locator(".toasts")).to_contain_text("Released: entries are taken again.")
    expect(page.locator(".halt-strip")).to_have_count(0)


def _fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(OVERHANG) <= 0
    button = page.locator(".kill-link").bounding_box()
    assert button is not None
    assert button["x"] + button["width"] <= 390, "the switch is whole on a phone"
    _picture(page, "kill-phone")
    page.set_viewport_size({"width": 1440, "height": 900})


def _picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
