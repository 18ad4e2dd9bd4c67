"""While nobody can say the market's time, every page opens all the same, and above all the way out of a run."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import pytest

from app.domain.errors import Unavailable
from tests.desk_app import MONDAY_1030
from tests.run_maker import KEY, opened, read
from tests.trading_desk import TradingBench, sent, trading_bench

PATHS = (
    "/",
    "/live",
    "/activity",
    "/accounts/",
    "/accounts/1",
    "/accounts/new",
    "/strategies/",
    "/strategies/new",
    "/strategies/1/edit",
    "/trading/chain",
    "/trading/orders",
    "/trading/trades",
    "/trading/positions",
    "/trading/holdings",
    "/trading/funds",
    "/trading/runs",
    "/trading/runs/1",
    "/trading/runs/1/live",
)


class LostClock:
    """A simulator's clock before its first reading."""

    def now(self) -> NoReturn:
        raise Unavailable("The simulator's time is not known yet.")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    """With a living run, and then without a market clock anywhere."""
    with trading_bench(tmp_path) as made:
        opened(made).done()
        services = made.bench.desk
        object.__setattr__(services, "market_clock", LostClock())
        for service in (services.book_pages, services.hours, services.contract_list, services.chains):
            object.__setattr__(service, "_market_clock", LostClock())
        object.__setattr__(services.today, "_clock", LostClock())
        yield made


def test_every_page_opens_and_calls_the_time_unknown(desk: TradingBench) -> None:
    browser = desk.admin()
    for path in PATHS:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        if "<html" in answer.text:
            assert "Market time unknown" in answer.text, path


def test_the_run_shows_its_exits_and_takes_them(desk: TradingBench) -> None:
    browser = desk.admin()
    page = browser.get("/trading/runs/1").text
    assert 'id="exit-all"' in page
    assert "Exit all, 2 accounts" in read(page)
    answer = sent(browser, "/trading/runs/1/exit", {"scope": "all", "idempotency_key": KEY})
    assert answer.status_code == 303


def test_what_lives_is_on_the_dashboard_and_what_today_brought_is_not_known(desk: TradingBench) -> None:
    page = read(desk.admin().get("/").text)
    assert "Straddle" in page
    assert "trades" not in page, "nobody can say which fills are of today"


def test_days_to_an_expiry_are_not_guessed(desk: TradingBench) -> None:
    days_left = desk.bench.app.jinja_env.filters["days_left"]
    with desk.bench.app.test_request_context():
        assert days_left(datetime.date(MONDAY_1030)) == "—"
