"""The risk page: how much of each limit is used, locks and who lifts them, rules that fired, and for whom."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.persistence.tables import DayLock, RiskEvent, TradingAccount
from tests.desk_app import MONDAY_1030, PASSWORD, Browser
from tests.run_maker import RunMaker, opened, read
from tests.trading_desk import TradingBench, trading_bench

PAGE = "/trading/risk"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def limit(desk: TradingBench, account_id: int, **limits: Any) -> None:
    with desk.bench.database.transaction() as session:
        account = session.get_one(TradingAccount, account_id)
        for name, value in limits.items():
            setattr(account, name, value)


def lock(desk: TradingBench, account_id: int = 1, **changes: Any) -> None:
    row = {
        "account_id": account_id, "trading_date": MONDAY_1030.date(), "rule": "day_loss", "threshold": Decimal(5000),
        "value": Decimal(-5200), "leaves": False, "prices": {}, "at": datetime(2026, 11, 23, 5, 0, tzinfo=UTC),
        "sentence": "Day loss of ₹5,000.00 reached: today stands at −₹5,200.00.", **changes,
    }  # fmt: skip
    with desk.bench.database.transaction() as session:
        session.add(DayLock(**row))


def seen(browser: Browser) -> str:
    answer = browser.get(PAGE)
    assert answer.status_code == 200, answer.text[:500]
    return read(answer.text)


def lift(browser: Browser, password: str = PASSWORD, lock_id: int = 1) -> str:
    return browser.post(f"{PAGE}/locks/{lock_id}/lift", {"password": password}, page=PAGE).text


def test_it_says_how_much_of_each_limit_is_used(desk: TradingBench) -> None:
    opened(desk)
    limit(desk, 1, max_day_loss=Decimal(5000), max_open_lots=4, leaves_at_limit=True)
    text = seen(desk.admin())
    assert "2 of 4" in text
    assert "of ₹5,000" in text
    assert "leaves everything" in text
    assert "no limit" in text


def test_an_account_of_which_nothing_is_known_shows_no_figure(desk: TradingBench) -> None:
    """Nothing is priced on this desk, so the day of an account that holds something is not known."""
    opened(desk)
    limit(desk, 1, max_day_loss=Decimal(5000))
    text = seen(desk.admin())
    assert "— of ₹5,000" in text


def test_a_lock_stands_first_and_is_lifted_by_password_alone(desk: TradingBench) -> None:
    desk.accounts(2)
    lock(desk)
    admin = desk.admin()
    assert "Locked: Simulator 1" in seen(admin)
    lift(admin, "wrong")
    assert "Still locked" in seen(admin)
    desk.bench.clock.advance(5)
    lift(admin)
    text = seen(admin)
    assert "Lifted: entries are taken again" in text
    assert "Locked: Simulator 1" not in text
    assert "lifted by" in text


def test_others_see_and_lift_only_locks_of_their_own_accounts(desk: TradingBench) -> None:
    desk.accounts(1)
    desk.admin()
    lock(desk)
    ravi = desk.bench.trader("ravi")
    assert "Simulator 1" not in seen(ravi)
    assert ravi.post(f"{PAGE}/locks/1/lift", {"password": PASSWORD}, page=PAGE).status_code == 404
    assert "Locked: Simulator 1" in seen(desk.admin())


def test_rules_that_fired_are_told_to_whom_they_concern(desk: TradingBench) -> None:
    run: RunMaker = opened(desk)
    with desk.bench.database.transaction() as session:
        session.add(
            RiskEvent(
                run_id=run.run_id, at=MONDAY_1030, rule="max_loss", threshold=Decimal(500), value=Decimal(-650),
                prices={}, action="Exit of everything.",
            )
        )  # fmt: skip
    assert "Max loss" in seen(desk.admin())
    assert "Exit of everything." not in seen(desk.bench.trader("ravi"))


def test_limits_are_typed_with_the_account_and_come_back(desk: TradingBench) -> None:
    desk.accounts(1)
    admin = desk.admin()
    page = admin.get("/accounts/1/edit").text
    assert 'name="max_open_lots"' in page
    form = {
        "name": "Simulator 1", "host_url": "http://127.0.0.1:5001", "websocket_url": "ws://127.0.0.1:8001",
        "api_key": "", "max_day_loss": "5000", "max_day_profit": "8000.50", "max_open_lots": "12",
        "max_day_orders": "300", "leaves_at_limit": "yes", "notes": "",
    }  # fmt: skip
    with desk.bench.database.reading() as session:
        row = session.get_one(TradingAccount, 1)
        form["host_url"], form["websocket_url"] = row.host_url, row.websocket_url
    admin.post("/accounts/1/edit", form, page="/accounts/1/edit")
    with desk.bench.database.reading() as session:
        row = session.get_one(TradingAccount, 1)
        kept = (row.max_day_loss, row.max_day_profit, row.max_open_lots, row.max_day_orders, row.leaves_at_limit)
    assert kept == (Decimal(5000), Decimal("8000.50"), 12, 300, True)
    again = admin.get("/accounts/1/edit").text
    assert 'value="8000.50"' in again
    assert 'name="leaves_at_limit" value="yes" checked' in again
    refused = admin.post("/accounts/1/edit", {**form, "max_open_lots": "0"}, page="/accounts/1/edit")
    assert refused.status_code == 422
    assert "Type a whole number above zero" in refused.text


def test_only_exits_from_now_on_for_what_one_may_halt(desk: TradingBench) -> None:
    desk.accounts(1)
    admin = desk.admin()
    admin.post(f"{PAGE}/reduce", {"target": "account:1"}, page=PAGE)
    text = seen(admin)
    assert "Only exits: Simulator 1" in text
    assert "Only exits: Simulator 1" in read(admin.get("/trading/kill").text)
    assert desk.bench.trader("ravi").post(f"{PAGE}/reduce", {"target": "all"}, page=PAGE).status_code == 404


def test_only_exits_of_a_single_strategy_is_a_button_in_the_list(desk: TradingBench) -> None:
    strategy = desk.strategy()
    admin = desk.admin()
    assert f'name="target" value="strategy:{strategy}"' in admin.get("/strategies/").text
    admin.post(f"{PAGE}/reduce", {"target": f"strategy:{strategy}"}, page="/strategies/")
    page = admin.get("/strategies/").text
    assert f'value="strategy:{strategy}"' not in page
    assert "Only exits" in read(page)
    assert "Only exits: Straddle" in seen(admin)
