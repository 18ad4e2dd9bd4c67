"""The merged books: ours and foreign, unknown shown as unknown, an account that cannot be read never as empty."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.adapters.cache_manager import CacheManager
from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade, Funds, Holding, OrderStatus
from app.domain.contracts import ContractKey, Side
from app.domain.money import Units
from app.persistence.tables import FillRow, Intent, Preview, Run, Strategy, StrategyExecution
from app.ports.feed import Tick
from app.ports.gateway import TimedOut
from app.services.book_reader import ORDERS, BookReader
from tests.desk_app import CE, MONDAY_1030, Bench, bench

FOREIGN = ContractKey("NFO", "BANKNIFTY29DEC2660000PE")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def broker_order(order_id: str, status: OrderStatus = OrderStatus.COMPLETE, **changes: Any) -> BrokerOrder:
    row: dict[str, Any] = {
        "order_id": order_id, "contract": CE, "side": Side.SELL, "units": Units(130), "product": "MIS",
        "price_type": "LIMIT", "price": Decimal("51.75"), "trigger_price": Decimal(0), "status": status,
        "placed_at": "23-Nov-2026 10:29:00",
    }  # fmt: skip
    return BrokerOrder(**(row | changes))


def run_of(desk: Bench, account_id: int, state: str = "OPEN", name: str = "Short call") -> tuple[int, int]:
    """A run with one execution (SELL 2 lots of the call) in that account: ids of run and execution."""
    with desk.database.transaction() as session:
        strategy = Strategy(
            owner_id=1, name=f"{name} {account_id}", structures=1, created_at=MONDAY_1030, changed_at=MONDAY_1030
        )
        session.add(strategy)
        session.flush()
        preview = Preview(
            strategy_id=strategy.id, user_id=1, made_at=MONDAY_1030, expires_at=MONDAY_1030, digest="d", plan="{}"
        )
        session.add(preview)
        session.flush()
        run = Run(
            strategy_id=strategy.id, preview_id=preview.id, user_id=1, name=name, mode="analyze", state=state,
            requested_at=MONDAY_1030,
        )  # fmt: skip
        session.add(run)
        session.flush()
        execution = StrategyExecution(
            run_id=run.id, account_id=account_id, leg=1, underlying="NIFTY", exchange=CE.exchange, symbol=CE.symbol,
            kind="CE", expiry="2026-12-01", strike=Decimal(26400), side="SELL", product="MIS", lots=2, units=130,
            lot_size=65, tick=Decimal("0.05"), freeze=1800,
        )  # fmt: skip
        session.add(execution)
        session.flush()
        return run.id, execution.id


def intent_of(
    desk: Bench, ids: tuple[int, int], account_id: int, state: str, order_id: str | None = None, **more: Any
) -> int:
    with desk.database.transaction() as session:
        known = session.query(Intent).count()
        intent = Intent(
            execution_id=ids[1], run_id=ids[0], account_id=account_id, purpose="ENTRY", generation=known + 1, slice=0,
            exchange=CE.exchange, symbol=CE.symbol, product="MIS", side="SELL", units=130,
            limit_price=Decimal("51.75"), worst_price=Decimal("50.00"), state=state, order_id=order_id,
            trading_date=date(2026, 11, 23), created_at=MONDAY_1030, **more,
        )  # fmt: skip
        session.add(intent)
        session.flush()
        return intent.id


def fill_of(desk: Bench, intent_id: int, execution_id: int, units: int, price: str, ordinal: int = 0) -> None:
    with desk.database.transaction() as session:
        session.add(
            FillRow(
                intent_id=intent_id, execution_id=execution_id, order_id="900", traded_at="10:29:01",
                ordinal=ordinal, side="SELL",
                units=units, price=Decimal(price), at=MONDAY_1030,
            )
        )  # fmt: skip


def figures(*values: object) -> tuple[object, ...]:
    """Figures side by side, to be compared with whole numbers."""
    return values


def viewer(desk: Bench) -> Any:
    return desk.somebody("asha")


def test_orders_of_all_accounts_are_ours_or_foreign(desk: Bench) -> None:
    first, one = desk.account("Zerodha 1", 5001)
    _, two = desk.account("Dhan 2", 5002)
    ids = run_of(desk, first)
    intent = intent_of(desk, ids, first, "WORKING", "900")
    fill_of(desk, intent, ids[1], 65, "52.00")
    fill_of(desk, intent, ids[1], 65, "52.10", ordinal=1)
    one.orders = [broker_order("900")]
    two.orders = [broker_order("77", OrderStatus.REJECTED, contract=FOREIGN, reject_reason="RMS: margin")]

    book = desk.desk.book_pages.orders(viewer(desk))

    ours, foreign = book.rows
    assert (ours.account, ours.contract, ours.foreign, ours.run_id, ours.purpose) == (
        "Zerodha 1",
        "NIFTY 01 DEC 26 26,400 CE",
        False,
        ids[0],
        "ENTRY",
    )
    assert (ours.filled_units, ours.average, ours.lot_size) == (130, Decimal("52.05"), 65)
    assert (foreign.contract, foreign.foreign, foreign.filled_units, foreign.message, foreign.lot_size) == (
        FOREIGN.symbol,
        True,
        0,
        "RMS: margin",
        None,
    )
    assert book.summary is not None
    assert (book.summary.orders, book.summary.open, book.summary.unknown, book.summary.rejected) == (2, 0, 0, 1)
    page = desk.admin().get("/trading/orders").text
    assert "RMS: margin" in page
    assert "foreign" in page


@pytest.mark.parametrize(
    ("state", "filled"),
    [("UNKNOWN", None), ("SENDING", None), ("PARKED", None), ("READY", 0), ("DENIED", 0), ("NOT_SENT", 0)],
)
def test_an_order_that_no_book_shows_is_there_with_its_own_state(desk: Bench, state: str, filled: int | None) -> None:
    account_id, _ = desk.account()
    ids = run_of(desk, account_id)
    intent_of(desk, ids, account_id, state, reason="No answer within 125 s. The books decide.")

    book = desk.desk.book_pages.orders(viewer(desk))

    [row] = book.rows
    assert (row.state, row.filled_units, row.average, row.broker_id, row.foreign) == (state, filled, None, None, False)
    assert row.message == "No answer within 125 s. The books decide."
    assert book.summary is not None
    assert book.summary.unknown == (state == "UNKNOWN")
    assert "No answer within 125 s" in desk.admin().get("/trading/orders").text


def test_a_working_order_is_not_called_filled_nor_empty_when_the_book_does_not_say(desk: Bench) -> None:
    _, gateway = desk.account()
    gateway.orders = [broker_order("1", OrderStatus.OPEN), broker_order("2", OrderStatus.CANCELLED)]
    rows = desk.desk.book_pages.orders(viewer(desk)).rows
    assert [row.filled_units for row in rows] == [None, None]


def test_an_account_that_cannot_be_read_shows_its_last_good_book_and_its_age(desk: Bench) -> None:
    _, good = desk.account("Zerodha 1", 5001)
    _, bad = desk.account("Dhan 2", 5002)
    _, never = desk.account("ICICI 1", 5003)
    good.orders = [broker_order("1")]
    bad.orders = [broker_order("2")]
    never.broken = TimedOut("Dead since the morning.")
    browser = desk.admin()
    assert len(desk.desk.book_pages.orders(viewer(desk)).rows) == 2
    bad.broken = TimedOut("Dhan's gateway does not answer.")
    desk.clock.advance(90)

    book = desk.desk.book_pages.orders(viewer(desk))

    assert [row.broker_id for row in book.rows] == ["1", "2"]
    sources = {source.account: source for source in book.sources}
    assert (sources["Zerodha 1"].state, sources["Zerodha 1"].age_s) == ("read", 0)
    assert (sources["Dhan 2"].state, sources["Dhan 2"].age_s, sources["Dhan 2"].at) == ("unreadable", 90, MONDAY_1030)
    assert (sources["ICICI 1"].state, sources["ICICI 1"].at) == ("unreadable", None)
    page = browser.get("/trading/orders").text
    assert "Dhan&#39;s gateway does not answer." in page
    assert "ICICI 1 cannot be read." in page
    assert "this page has no earlier copy of it" in page, "the engine may well have read it"


def test_a_last_good_book_of_another_gateway_is_never_shown(desk: Bench) -> None:
    account_id, gateway = desk.account("Zerodha 1", 5001)
    gateway.orders = [broker_order("1")]
    assert len(desk.desk.book_pages.orders(viewer(desk)).rows) == 1
    desk.net.at["http://127.0.0.1:5009"] = gateway
    moved = {
        "name": "Zerodha 1",
        "host_url": "http://127.0.0.1:5009",
        "websocket_url": "ws://127.0.0.1:8009",
        "api_key": "k",
    }
    browser = desk.admin()
    assert browser.post(f"/accounts/{account_id}/edit", moved, page=f"/accounts/{account_id}/edit").status_code == 303
    gateway.broken = TimedOut("-")
    book = desk.desk.book_pages.orders(viewer(desk))
    assert book.rows == ()
    assert book.sources[0].at is None


def test_a_gateway_that_hangs_delays_a_page_no_longer_than_the_deadline(desk: Bench) -> None:
    _, slow = desk.account("Slow", 5001)
    _, quick = desk.account("Quick", 5002)
    quick.orders = [broker_order("1")]
    release = threading.Event()
    slow.order_book = lambda: (release.wait(30) and [broker_order("2")]) or []  # type: ignore[method-assign]
    accounts = desk.desk.accounts.active()
    with ThreadPoolExecutor(4) as pool:
        reader = BookReader(
            desk.desk.book_pages._reader._gateways, pool, CacheManager(desk.clock), desk.clock, deadline_s=0.2
        )
        hung, answered = reader.read(ORDERS, accounts)
        assert (hung.value, hung.reason) == (None, "It did not answer within 0.2 s.")
        assert answered.value == quick.orders
        assert reader.read(ORDERS, accounts)[0].value is None
        release.set()
        pool.shutdown()
    assert slow.calls.count("orders") == 0, "its order book was replaced"
    later = reader._last(ORDERS, accounts[0], "late")
    assert later.value is not None, "the late answer became the last good copy"
    assert later.value[0].order_id == "2"


def test_trades_are_merged_with_their_value(desk: Bench) -> None:
    account_id, gateway = desk.account()
    ids = run_of(desk, account_id)
    intent_of(desk, ids, account_id, "FILLED", "900")
    trade = BrokerTrade("900", CE, Side.SELL, Units(130), Decimal("52.05"), "MIS", "10:29:01")
    gateway.trades = [trade, BrokerTrade("901", FOREIGN, Side.BUY, Units(30), Decimal("100.00"), "NRML", "10:29:05")]
    book = desk.desk.book_pages.trades(viewer(desk))
    assert [(row.broker_id, row.foreign, row.run_id, row.value) for row in book.rows] == [
        ("901", True, None, Decimal("3000.00")),
        ("900", False, ids[0], Decimal("6766.50")),
    ]
    assert book.summary is not None
    assert book.summary.value == Decimal("9766.50")
    assert "6,766.50" in desk.admin().get("/trading/trades").text


def test_a_positions_money_comes_from_our_fills(desk: Bench) -> None:
    account_id, gateway = desk.account()
    ids = run_of(desk, account_id)
    fill_of(desk, intent_of(desk, ids, account_id, "FILLED", "900"), ids[1], 130, "52.00")
    gateway.positions = [
        BrokerPosition(CE, "MIS", Units(-130), Decimal("0.00"), Decimal("1.00"), Decimal(999)),
        BrokerPosition(FOREIGN, "NRML", Units(30), Decimal(100), Decimal(110), Decimal(300)),
    ]
    desk.board.put(Tick(CE, 50.0, None))
    desk.clock.advance(4)

    book = desk.desk.book_pages.positions(viewer(desk))

    ours, foreign = book.rows
    assert figures(ours.average, ours.ltp, ours.age_s, ours.unrealised, ours.mtm) == (52, 50, 4, 260, 260)
    assert (ours.run_id, ours.foreign, ours.lot_size) == (ids[0], False, 65)
    assert figures(foreign.foreign, foreign.run_id, foreign.mtm, foreign.unrealised, foreign.average) == (
        True,
        None,
        300,
        None,
        100,
    )
    assert book.summary is not None
    assert figures(book.summary.positions, book.summary.mtm, book.summary.unrealised) == (2, 560, None)
    assert "short" in desk.admin().get("/trading/positions").text


def test_a_position_without_a_price_has_no_known_worth(desk: Bench) -> None:
    account_id, gateway = desk.account()
    ids = run_of(desk, account_id)
    fill_of(desk, intent_of(desk, ids, account_id, "FILLED", "900"), ids[1], 130, "52.00")
    gateway.positions = [BrokerPosition(CE, "MIS", Units(-130), None, None, None)]
    book = desk.desk.book_pages.positions(viewer(desk))
    [row] = book.rows
    assert (row.ltp, row.age_s, row.unrealised, row.mtm, row.foreign) == (None, None, None, None, False)
    assert book.summary is not None
    assert book.summary.mtm is None


def test_units_that_our_fills_do_not_explain_are_foreign_unless_an_order_is_moving(desk: Bench) -> None:
    account_id, gateway = desk.account()
    ids = run_of(desk, account_id)
    fill_of(desk, intent_of(desk, ids, account_id, "FILLED", "900"), ids[1], 130, "52.00")
    gateway.positions = [BrokerPosition(CE, "MIS", Units(-195), Decimal(52), Decimal(50), Decimal(390))]
    assert desk.desk.book_pages.positions(viewer(desk)).rows[0].foreign
    intent_of(desk, ids, account_id, "WORKING", "901")
    assert not desk.desk.book_pages.positions(viewer(desk)).rows[0].foreign


def test_an_order_that_moves_in_an_earlier_run_of_the_same_contract_counts(desk: Bench) -> None:
    account_id, gateway = desk.account()
    earlier = run_of(desk, account_id)
    intent_of(desk, earlier, account_id, "WORKING", "901")
    run_of(desk, account_id, name="The same again")
    gateway.positions = [BrokerPosition(CE, "MIS", Units(-65), Decimal(52), Decimal(50), Decimal(130))]
    assert not desk.desk.book_pages.positions(viewer(desk)).rows[0].foreign


def test_the_sum_of_positions_is_unknown_while_an_account_is(desk: Bench) -> None:
    _, good = desk.account("Zerodha 1", 5001)
    _, bad = desk.account("Dhan 2", 5002)
    good.positions = [BrokerPosition(FOREIGN, "NRML", Units(30), Decimal(100), Decimal(110), Decimal(300))]
    bad.broken = TimedOut("-")
    book = desk.desk.book_pages.positions(viewer(desk))
    assert book.summary is not None
    assert figures(book.summary.positions, book.summary.mtm) == (1, None)


def test_a_run_closed_yesterday_explains_nothing_today(desk: Bench) -> None:
    account_id, gateway = desk.account()
    ids = run_of(desk, account_id, state="CLOSED")
    with desk.database.transaction() as session:
        session.get_one(Run, ids[0]).closed_at = MONDAY_1030 - timedelta(days=1)
    fill_of(desk, intent_of(desk, ids, account_id, "FILLED", "900"), ids[1], 130, "52.00")
    gateway.positions = [BrokerPosition(CE, "MIS", Units(-130), Decimal(52), Decimal(50), Decimal(260))]
    assert desk.desk.book_pages.positions(viewer(desk)).rows[0].foreign


def test_holdings_say_what_they_are_worth_when_it_is_known(desk: Bench) -> None:
    _, gateway = desk.account()
    shares = ContractKey("NSE", "RELIANCE")
    gateway.held = [
        Holding(shares, Units(100), "CNC", Decimal(1400), Decimal(5000)),
        Holding(None, Units(10), "CNC", None, None),
    ]
    book = desk.desk.book_pages.holdings(viewer(desk))
    assert [(row.contract, row.ltp, row.value) for row in book.rows] == [
        ("RELIANCE", 1450, 145000),
        ("unnamed contract", None, None),
    ]
    assert book.summary is not None
    assert (book.summary.value, book.summary.pnl) == (None, None)
    assert "RELIANCE" in desk.admin().get("/trading/holdings").text


def test_funds_have_a_row_for_each_account_and_no_sum_with_a_gap(desk: Bench) -> None:
    _, one = desk.account("Zerodha 1", 5001)
    _, two = desk.account("Dhan 2", 5002)
    one.money = Funds(Decimal(800000), None, Decimal(200000), Decimal(10), None)
    two.broken = TimedOut("-")
    book = desk.desk.book_pages.funds(viewer(desk))
    assert [(row.account, row.available, row.used_pct) for row in book.rows] == [
        ("Zerodha 1", 800000, 20),
        ("Dhan 2", None, None),
    ]
    assert book.summary is not None
    assert book.summary.available is None
    two.broken = None
    whole = desk.desk.book_pages.funds(viewer(desk)).summary
    assert whole is not None
    assert figures(whole.available, whole.used, whole.collateral) == (1_800_000, 200_000, None)
    assert "8,00,000.00" in desk.admin().get("/trading/funds").text


def test_books_show_only_accounts_of_the_viewer(desk: Bench) -> None:
    _, gateway = desk.account()
    gateway.orders = [broker_order("1")]
    trader = desk.trader()
    for book in ("orders", "trades", "positions", "holdings", "funds"):
        page = trader.get(f"/trading/{book}")
        assert page.status_code == 200
        assert "Zerodha 1" not in page.text
    assert gateway.calls.count("orders") == 0


def test_empty_books_say_so(desk: Bench) -> None:
    browser = desk.admin()
    assert "No orders today." in browser.get("/trading/orders").text
    assert "No positions in any account." in browser.get("/trading/positions").text
    desk.account()
    assert "No positions in any account." in browser.get("/trading/positions").text
