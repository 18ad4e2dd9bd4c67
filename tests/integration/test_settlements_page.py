"""The page where settlement prices of expired contracts are typed: by admins, seen by those whose runs held them."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.persistence.tables import ActivityLog, SettlementPrice, StrategyExecution
from tests.run_maker import RunMaker, opened, read
from tests.trading_desk import CE, PE, TradingBench, trading_bench

PAGE = "/trading/settlements"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TradingBench]:
    with trading_bench(tmp_path) as made:
        yield made


def expired(desk: TradingBench) -> RunMaker:
    """A straddle, sold at 128 and 130 in two accounts, whose contracts have expired."""
    run = opened(desk)
    with desk.bench.database.transaction() as session:
        for row in session.query(StrategyExecution):
            row.expired_at = desk.bench.clock.now()
    desk.bench.desk.run_board.changed(run.run_id)
    return run


def kept(desk: TradingBench) -> list[tuple[str, Decimal, str]]:
    with desk.bench.database.reading() as session:
        return [(row.symbol, row.price, row.actor) for row in session.query(SettlementPrice)]


def named(contract: object) -> str:
    return f"{contract.key.exchange}:{contract.key.symbol}"  # type: ignore[attr-defined]


def test_typed_prices_complete_the_profit_and_loss_everywhere(desk: TradingBench) -> None:
    run = expired(desk)
    admin = desk.admin()
    assert "2 contracts wait for a settlement price" in read(admin.get(PAGE).text)
    assert "expired, settlement unknown" in read(run.page())
    assert admin.get("/api/pnl").get_json()["total"] is None
    for contract, price in ((CE, "120.35"), (PE, "0")):
        assert admin.post(PAGE, {"contract": named(contract), "price": price}).status_code == 303
    assert kept(desk) == [(CE.key.symbol, Decimal("120.35"), "asha"), (PE.key.symbol, Decimal(0), "asha")]
    told = admin.get(f"/api/runs/{run.run_id}/pnl").get_json()
    brought = 2 * 65 * (Decimal(128) - Decimal("120.35") + Decimal(130))
    assert (Decimal(told["gross"]), Decimal(told["realised"]), told["missing"]) == (brought, brought, [])
    assert Decimal(admin.get("/api/pnl").get_json()["total"]) == brought
    assert "settled, price typed" in read(run.page())
    page = read(admin.get(PAGE).text)
    assert "₹120.35" in page
    assert "asha" in page
    assert "wait for a settlement price" not in page
    with desk.bench.database.reading() as session:
        said = [row.sentence for row in session.query(ActivityLog).filter_by(action="settlement.price")]
    assert said[0] == f"{CE.key.symbol} was settled at 120.35: typed, for 1 run."


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ("", "Type rupees of one unit"),
        ("-5", "Type rupees of one unit"),
        ("1,200", "Type rupees of one unit"),
        ("12.355", "Type rupees of one unit"),
        ("999999", "looks like the close of the index"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_changes(desk: TradingBench, price: str, words: str) -> None:
    expired(desk)
    answer = desk.admin().post(PAGE, {"contract": named(CE), "price": price})
    assert (answer.status_code, words in answer.text) == (422, True)
    assert kept(desk) == []


def test_two_that_contradict_each_other_are_refused(desk: TradingBench) -> None:
    expired(desk)
    assert desk.admin().post(PAGE, {"contract": named(CE), "price": "40"}).status_code == 303
    answer = desk.admin().post(PAGE, {"contract": named(PE), "price": "40"})
    assert (answer.status_code, "both cannot be true" in answer.text) == (422, True)
    assert [symbol for symbol, _, _ in kept(desk)] == [CE.key.symbol]


def test_scripts_list_them_and_type_them_and_others_only_look(desk: TradingBench) -> None:
    run = expired(desk)
    admin, place = desk.admin(), "/api/settlements"
    listed = admin.get(place).get_json()
    assert {each["contract"]: (each["short"], each["price"], each["runs"]) for each in listed} == {
        named(contract): (130, None, [run.run_id]) for contract in (CE, PE)
    }
    answer = admin.post(place, {"contract": named(CE), "price": "120.35"}, page=PAGE)
    assert (answer.status_code, answer.get_json()) == (200, {"contract": named(CE), "price": "120.35"})
    wrong = admin.post(place, {"contract": named(PE), "price": "twelve"}, page=PAGE)
    assert (wrong.status_code, wrong.get_json()["field"]) == (422, "price")
    assert kept(desk) == [(CE.key.symbol, Decimal("120.35"), "asha")]
    (typed,) = [each for each in admin.get(place).get_json() if each["price"]]
    assert (typed["contract"], typed["by"]) == (named(CE), "asha")
    trader = desk.bench.trader()
    assert trader.get(place).get_json() == [], "nobody sees what others held"
    assert trader.post(place, {"contract": named(PE), "price": "0"}, page="/strategies/new").status_code == 403
