"""What a newcomer does, in a real Chromium on the real desk: from the first page to a max loss that trips."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.newcomer import (
    SLOW_MS,
    add_the_simulators_accounts,
    build_a_straddle_and_preview,
    send_and_see_ten_fills,
    set_up,
    watch_the_chain_move,
)
from tests.browser.witness import Witness
from tests.desk_process import DeskProcess, Server, desk_process
from tests.simulator_process import SimulatorProcess

SCREENSHOTS = Path(__file__).parent / "screenshots"

PAGES = (
    "/",
    "/accounts/",
    "/accounts/new",
    "/accounts/1",
    "/accounts/1/edit",
    "/strategies/",
    "/strategies/new",
    "/trading/orders",
    "/trading/trades",
    "/trading/positions",
    "/trading/holdings",
    "/trading/funds",
    "/activity",
    "/style",
)


CALM = "next_week"
"""Premiums of an option that expires today leave the worst price of a preview within seconds, rightly."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(params=["gunicorn", pytest.param("flask", marks=pytest.mark.proof)])
def desk(request: pytest.FixtureRequest, simulator: SimulatorProcess, tmp_path: Path) -> Iterator[DeskProcess]:
    server: Server = request.param
    with desk_process(simulator, tmp_path, free_port(), server) as started:
        yield started


@pytest.fixture
def on_flask(simulator: SimulatorProcess, tmp_path: Path) -> Iterator[DeskProcess]:
    with desk_process(simulator, tmp_path, free_port(), "flask") as started:
        yield started


def test_flasks_own_server_shows_prices_that_move_and_trades(
    on_flask: DeskProcess, simulator: SimulatorProcess, page: Page
) -> None:
    page.set_default_timeout(SLOW_MS)
    set_up(page, on_flask)
    add_the_simulators_accounts(page, on_flask)
    watch_the_chain_move(page, on_flask)
    build_a_straddle_and_preview(page, on_flask, expiry=CALM)
    send_and_see_ten_fills(page)
    _positions_are_at_the_broker(simulator)
    _the_margin_has_the_markets_time(page, on_flask)


def test_from_the_first_page_to_a_max_loss_that_trips(
    desk: DeskProcess, simulator: SimulatorProcess, page: Page, witness: Witness
) -> None:
    page.set_default_timeout(SLOW_MS)
    set_up(page, desk)
    add_the_simulators_accounts(page, desk)
    for underlying in ("NIFTY", "BANKNIFTY", "SENSEX"):
        watch_the_chain_move(page, desk, underlying)
    build_a_straddle_and_preview(page, desk, expiry=CALM)
    send_and_see_ten_fills(page)
    _positions_are_at_the_broker(simulator)
    _the_mtm_moves(page)
    simulator.move_index("NIFTY", percent=-2.5)
    _everybody_is_flat_and_it_is_explained(page, simulator)
    for path in PAGES:
        page.goto(desk.url + path)
        expect(page.locator("h1").first).to_be_visible()
    witness.expect(r"401 \(UNAUTHORIZED\) \(\S+/(trading/alarms|live)\)")  # asked for while the session ended
    _sign_out(page, desk)


def _positions_are_at_the_broker(simulator: SimulatorProcess) -> None:
    for number in range(1, 6):
        positions = simulator.truth(number)["positions"]
        assert sorted(int(position["quantity"]) for position in positions) == [-65, -65]


def _the_margin_has_the_markets_time(page: Page, desk: DeskProcess) -> None:
    """The simulator's date is not the machine's: no figure of it is days old."""
    page.goto(f"{desk.url}/strategies/1/edit")
    payoff = page.get_by_role("region", name="Payoff")
    expect(payoff).to_contain_text(re.compile(r"by the broker of Simulator 1, \d{2}:\d{2}:\d{2}"))


def _the_mtm_moves(page: Page) -> None:
    mtm = page.locator(".run-figures .value-run")
    expect(mtm).to_have_text(re.compile(r"[+−]\d|0"))
    before = mtm.inner_text()
    expect(mtm).not_to_have_text(before)


def _everybody_is_flat_and_it_is_explained(page: Page, simulator: SimulatorProcess) -> None:
    expect(page.get_by_text("Closed").first).to_be_visible(timeout=60_000)
    expect(page.get_by_label("Events")).to_contain_text("Max loss of ₹10,000.00 reached")
    expect(page.get_by_label("Rules")).to_contain_text("fired")
    for number in range(1, 6):
        truth = simulator.truth(number)
        assert all(int(position["quantity"]) == 0 for position in truth["positions"])
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "newcomer-run-closed.png", full_page=True)


def _sign_out(page: Page, desk: DeskProcess) -> None:
    page.goto(desk.url)
    page.get_by_role("button", name="Log out").first.click()
    expect(page).to_have_url(re.compile(r"/auth/login"))
    page.goto(f"{desk.url}/accounts/")
    expect(page).to_have_url(re.compile(r"/auth/login"))
