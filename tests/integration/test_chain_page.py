"""The chain's addresses; what a chain shows is tested with its service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
