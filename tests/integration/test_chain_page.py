"""The chain's addresses; what a chain shows is tested with its service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.ports.feed import Tick
from tests.run_maker import read
from tests.trading_desk import CE, NIFTY, TradingBench, trading_bench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def test_the_nearest_expiry_of_the_first_index(desk: TradingBench) -> None:
    browser = desk.admin()
    desk.price(NIFTY, "26184.35")
    desk.price(CE.key, "128.20")
    for path in ("/trading/chain", "/trading/chain/NIFTY", "/trading/chain?underlying=NIFTY&expiry=2026-12-01"):
        text = read(browser.get(path).text)
        assert "128.20" in text, path
        assert "26,184.35" in text, path


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("/trading/chain/DOW", 404, "NIFTY, BANKNIFTY, SENSEX"),
        ("/trading/chain?underlying=DOW", 404, "NIFTY, BANKNIFTY, SENSEX"),
        ("/trading/chain/NIFTY?expiry=soon", 422, "a date such as"),
        ("/trading/chain/NIFTY?expiry=2026-12-02", 404, "no expiry on"),
    ],
)
def test_what_is_not_listed_is_named(desk: TradingBench, path: str, code: int, says: str) -> None:
    answer = desk.admin().get(path)
    assert answer.status_code == code
    assert says in answer.text


def test_without_a_list_and_accounts_it_says_what_to_do(desk: TradingBench) -> None:
    desk.desk.contract_list._master = None
    answer = desk.admin().get("/trading/chain")
    assert answer.status_code == 200
    assert "No accounts yet." in answer.text


def test_rows_alone_are_served_to_a_page_that_is_open(desk: TradingBench) -> None:
    browser = desk.admin()
    address = "/trading/chain/NIFTY/live?expiry=2026-12-01"
    answer = browser.get(address)
    assert answer.status_code == 503, "no spot, no rows: the page keeps what it has"
    desk.price(NIFTY, "26184.35")
    desk.price(CE.key, "128.20")
    text = browser.get(address).text
    assert "<html" not in text
    assert "128.20" in text
    assert "ATM IV" in text


def test_depth_of_a_listed_option(desk: TradingBench) -> None:
    browser = desk.admin()
    address = f"/trading/chain/depth?contract={CE.key.exchange}:{CE.key.symbol}"
    assert "Nobody bids or offers yet" in browser.get(address).text
    desk.board.put(Tick(CE.key, 128.2, None, bids=((128.15, 975), (128.1, 65)), asks=((128.25, 130),)))
    text = read(browser.get(address).text)
    for words in ("128.15", "975", "128.10", "128.25", "130", "26,200 CE"):
        assert words in text


@pytest.mark.parametrize(
    ("contract", "code", "says"),
    [("", 422, "must be like"), ("NFO", 422, "must be like"), ("NFO:NIFTY01DEC2699999CE", 404, "not an option")],
)
def test_depth_of_anything_else_is_refused(desk: TradingBench, contract: str, code: int, says: str) -> None:
    answer = desk.admin().get(f"/trading/chain/depth?contract={contract}")
    assert answer.status_code == code
    assert says in answer.text


def test_scripts_get_decimals_as_text_and_null_for_what_nobody_knows(desk: TradingBench) -> None:
    browser = desk.admin()
    desk.price(NIFTY, "26184.35")
    desk.price(CE.key, "128.20")
    found: Any = browser.get("/api/chain/NIFTY?expiry=2026-12-01").json
    assert (found["spot"], found["expiry"], found["synthetic"], found["closes"]) == (
        "26184.35",
        "2026-12-01",
        None,
        None,
    )
    [call] = [row["ce"] for row in found["rows"] if row["ce"] and row["ce"]["symbol"] == CE.key.symbol]
    assert (call["ltp"], call["exchange"], call["tag"]) == ("128.2", "NFO", "ATM")
    assert [call[name] for name in ("iv", "delta", "gamma", "theta", "vega", "oi", "oi_change")] == [None] * 7
    assert found["totals"]["atm_iv"] is None
    assert browser.get("/api/chain/NIFTY?expiry=soon").status_code == 422
    assert browser.get("/api/chain/DOW").status_code == 404
