"""The steps of somebody new to the desk, in a browser; for the test of the whole way and the README's pictures."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.desk_process import DeskProcess

PASSWORD = "a calm desk in the morning"
SLOW_MS = 20_000


def set_up(page: Page, desk: DeskProcess) -> None:
    page.goto(desk.url)
    expect(page).to_have_url(re.compile(r"/auth/setup"))
    page.get_by_label("Setup token").fill(desk.token)
    page.get_by_label("Username").fill("newcomer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create the admin").click()
    expect(page).to_have_url(re.compile(re.escape(desk.url) + "/"))
    expect(page.get_by_role("link", name="Accounts").first).to_be_visible()


def add_the_simulators_accounts(page: Page, desk: DeskProcess) -> None:
    page.goto(f"{desk.url}/accounts/")
    page.get_by_role("button", name="Add the simulator's accounts").first.click()
    expect(page.locator("tbody tr")).to_have_count(5)
    expect(page.get_by_text("Simulator 5").first).to_be_visible()


def watch_the_chain_move(page: Page, desk: DeskProcess, underlying: str = "NIFTY") -> None:
    """Spot and an option's price change under the reader's eyes; the strike at the money is in view."""
    page.goto(f"{desk.url}/trading/chain/{underlying}")
    spot = page.locator('[data-key="spot.ltp"]').first
    expect(spot).to_have_text(re.compile(r"\d"), timeout=SLOW_MS)
    at_the_money = page.locator("tr.atm")
    expect(at_the_money).to_be_in_viewport()
    before = spot.inner_text()
    expect(spot).not_to_have_text(before, timeout=SLOW_MS)
    price = at_the_money.locator("td.ltp").first
    expect(price).to_have_text(re.compile(r"\d"), timeout=SLOW_MS)
    shown = price.inner_text()
    expect(price).not_to_have_text(shown, timeout=SLOW_MS)


def build_a_straddle_and_preview(
    page: Page, desk: DeskProcess, *, expiry: str | None = None, underneath: Callable[[], None] = lambda: None
) -> None:
    """From the template; `underneath` is called when the form is filled in and not yet sent."""
    page.goto(f"{desk.url}/strategies/new")
    page.get_by_role("button", name="Straddle").first.click()
    expect(page.locator("tr[data-leg-row]")).to_have_count(2)
    payoff = page.get_by_role("region", name="Payoff")
    expect(payoff).to_contain_text(re.compile(r"Max loss\s*unlimited"), timeout=SLOW_MS)
    page.get_by_label("Name").fill("First straddle")
    page.get_by_label("Structures").fill("1")
    page.get_by_label("Max loss, ₹", exact=True).fill("10000")
    for box in page.locator('input[name="accounts"]').all():
        box.check()
    for choice in page.locator('select[data-part="expiry"]').all() if expiry else []:
        if choice.is_visible():
            choice.select_option(expiry)
    underneath()
    page.get_by_role("button", name="Save and preview").click()
    expect(page).to_have_url(re.compile(r"/strategies/previews/\d+"))
    expect(page.locator("body")).to_contain_text("10 orders")


def send_and_see_ten_fills(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"^Send SIM, 10 orders")).click()
    expect(page).to_have_url(re.compile(r"/trading/runs/\d+"))
    expect(page.locator(".matrix td.leg-cell").filter(has_text="1 / 1")).to_have_count(10, timeout=60_000)
    expect(page.locator("h1")).to_contain_text("First straddle")
