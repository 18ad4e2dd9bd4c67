"""A trade typed at the broker, in a real Chromium on the real desk: pointed out, ignored, adopted, got out of."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.newcomer import SLOW_MS, add_the_simulators_accounts, set_up
from tests.browser.test_newcomer import SCREENSHOTS, free_port
from tests.contract.rest_setups import OPTION
from tests.desk_process import DeskProcess, desk_process
from tests.simulator_process import SimulatorProcess

OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NUMBER, UNITS = 1, 130


@pytest.fixture
def desk(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[DeskProcess]:
    with desk_process(simulator, tmp_path, free_port(), "gunicorn") as started:
        yield started


def test_pointed_out_ignored_adopted_and_closed(desk: DeskProcess, simulator: SimulatorProcess, page: Page) -> None:
    page.set_default_timeout(SLOW_MS)
    set_up(page, desk)
    add_the_simulators_accounts(page, desk)
    simulator.post("/foreign-order", account=NUMBER, **OPTION, action="SELL", quantity=UNITS)

    page.goto(desk.url)
    notice = page.locator(".notice").filter(has_text="1 foreign position in Simulator 1")
    expect(notice).to_be_visible(timeout=30_000)
    notice.get_by_role("link", name="Look at it").click()
    row = page.locator("tbody tr").filter(has_text="Simulator 1")
    expect(row).to_contain_text("foreign")

    row.get_by_role("button", name="Ignore").click()
    page.get_by_role("button", name="Ignore it").click()
    expect(row).to_contain_text("Ignored by newcomer, as long as it is -130")
    row.get_by_role("button", name="Ignore no more").click()
    expect(row).not_to_contain_text("Ignored by")

    row.get_by_role("button", name="Adopt").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The broker holds short 2 lots (130); our fills explain none of it.")
    expect(dialog).to_contain_text("No order is sent.")
    expect(dialog.locator(".mode")).to_have_text("SIM")
    _picture(page, "adopt-dialog")
    _fits_a_phone(page)
    dialog.get_by_role("button", name="Adopt 2 lots (130)").click()
    expect(row).to_contain_text("match", timeout=30_000)
    row.get_by_role("link", name=re.compile("run")).click()
    expect(page.locator("h1")).to_contain_text("Adopted NIFTY")
    expect(page.locator(".matrix td.leg-cell").filter(has_text="2 / 2")).to_have_count(1)
    expect(page.locator("body")).to_contain_text("newcomer adopted -130")
    _picture(page, "adopted-run")

    page.get_by_role("button", name=re.compile("^Exit all")).first.click()
    page.get_by_role("button", name="Close 1 position").first.click()
    expect(page.locator("body")).to_contain_text("Every account is flat", timeout=40_000)
    assert all(int(position["quantity"]) == 0 for position in simulator.truth(NUMBER)["positions"])


def _fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(OVERHANG) <= 0
    _picture(page, "adopt-phone")
    page.set_viewport_size({"width": 1440, "height": 900})


def _picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
