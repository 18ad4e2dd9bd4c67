"""Profit and loss on pages and for scripts: of the accounts that somebody sees, unknown where a price is missing."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.market_rules import DEFAULT_RULES
from app.persistence.tables import MarketRuleRow, PnlMinute, RunDay
from app.ports.feed import Tick
from tests.desk_app import MONDAY_1030
from tests.run_maker import RunMaker, opened, read
from tests.trading_desk import CE, PE, TradingBench, trading_bench

MONDAY = MONDAY_1030.date()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def price(desk: TradingBench, ce: float, pe: float) -> None:
    for contract, ltp in ((CE, ce), (PE, pe)):
        desk.bench.board.put(Tick(contract.key, ltp, desk.bench.clock.now()))


def seeded(desk: TradingBench) -> None:
    """The rates of the market rules, as a new database has them; pages look again after a minute."""
    with desk.bench.database.transaction() as session:
        for rule in DEFAULT_RULES:
            session.add(
                MarketRuleRow(
                    kind=rule.kind, underlying=rule.underlying, valid_from=rule.valid_from, value=rule.value,
                    source=rule.source,
                )
            )  # fmt: skip
    desk.bench.clock.advance(60)
    price(desk, 120, 133)


def written(desk: TradingBench, run: RunMaker) -> None:
    """Two minutes of today, the second unknown in one account, and what the run was worth on Friday and today."""
    with desk.bench.database.transaction() as session:
        for account in (1, 2):
            for minute, total in ((0, "650"), (1, "130" if account == 1 else None)):
                at = MONDAY_1030 + timedelta(minutes=minute)
                row = PnlMinute(account_id=account, trading_date=MONDAY, at=at, total=total and Decimal(total))
                session.add(row)
            for back, total in ((3, "400"), (0, "650")):
                day = MONDAY - timedelta(days=back)
                session.add(
                    RunDay(
                        trading_date=day, run_id=run.run_id, account_id=account, total=Decimal(total),
                        realised=Decimal(0), at=MONDAY_1030,
                    )
                )  # fmt: skip


def test_each_accounts_day_and_their_sum(desk: TradingBench) -> None:
    """A straddle sold at 128 and 130, now 120 and 133: 65 x (8 - 3) in each of two accounts."""
    opened(desk)
    price(desk, 120, 133)
    found = desk.admin().get("/api/pnl").get_json()
    assert [(line["name"], Decimal(line["today"])) for line in found["accounts"]] == [
        ("Simulator 1", Decimal(325)), ("Simulator 2", Decimal(325)),
    ]  # fmt: skip
    assert Decimal(found["total"]) == 650
    assert "+325" in read(desk.admin().get("/trading/pnl").text)


def test_net_is_unknown_by_name_until_the_rates_are_there(desk: TradingBench) -> None:
    opened(desk)
    price(desk, 120, 133)
    found = desk.admin().get("/api/pnl").get_json()
    places = [found, *found["accounts"]]
    assert [(place["cost"]["charges"], place["cost"]["net"]) for place in places] == [(None, None)] * 3
    assert "market rules have no" in found["cost"]["note"]
    for page in ("/trading/pnl", "/", "/accounts/1"):
        assert "market rules have no" in desk.admin().get(page).text, page
    seeded(desk)
    found = desk.admin().get("/api/pnl").get_json()
    charges = [Decimal(line["cost"]["charges"]) for line in found["accounts"]]
    assert [Decimal(line["cost"]["net"]) for line in found["accounts"]] == [325 - each for each in charges]
    assert min(charges) > 0
    assert Decimal(found["cost"]["net"]) == 650 - sum(charges)
    shown = f"+{325 - charges[0]:.0f}"
    for page in ("/trading/pnl", "/", "/accounts/1"):
        assert shown in read(desk.admin().get(page).text), page


def test_without_a_price_it_is_unknown_and_not_nothing(desk: TradingBench) -> None:
    opened(desk)
    desk.bench.board.put(Tick(CE.key, 120, desk.bench.clock.now()))
    found = desk.admin().get("/api/pnl").get_json()
    assert found["total"] is None
    assert {line["today"] for line in found["accounts"]} == {None}
    assert found["accounts"][0]["missing"] == [PE.key.symbol]
    text = read(desk.admin().get("/trading/pnl").text)
    assert "unknown" in text
    assert PE.key.symbol in text


def test_the_curve_is_the_sum_and_has_a_gap_where_an_account_was_unknown(desk: TradingBench) -> None:
    run = opened(desk)
    written(desk, run)
    found = desk.admin().get("/api/pnl").get_json()
    assert [point["total"] for point in found["curve"]] == [1300.0, None]
    assert 'data-source="pnl-points"' in desk.admin().get("/trading/pnl").text


def test_a_day_brought_what_the_run_was_worth_less_what_it_was_worth_before(desk: TradingBench) -> None:
    run = opened(desk)
    written(desk, run)
    days = desk.admin().get("/api/pnl").get_json()["days"]
    assert [Decimal(line["total"]) for line in days] == [Decimal(500), Decimal(800)]


def test_others_see_nothing_of_it(desk: TradingBench) -> None:
    run = opened(desk)
    written(desk, run)
    found = desk.bench.trader("ravi").get("/api/pnl").get_json()
    assert (found["accounts"], found["curve"], found["days"]) == ([], [], [])
