"""Faults of orders and books: what is said, what is true, and when the truth comes out."""

from typing import Any

import pytest

from simulator.account import SimAccount
from simulator.faults import Fault
from simulator.orders import Accepted, ModifyRequest, OrderView, Queued, Refused, Unanswered
from simulator.venue import Venue
from tests.unit.simulator.desk_parts import CALL, LOT, PUT, ask, first, listed, open_venue, placed, row


def with_fault(name: str, *, remaining: int | None = None, **parameters: Any) -> tuple[Venue, SimAccount]:
    venue = open_venue()
    venue.faults.add(Fault(name, account=1, remaining=remaining, parameters=parameters))
    return venue, first(venue)


def test_late_accept_cuts_the_connection_and_the_order_is_there_later_once() -> None:
    venue, account = with_fault("late_accept", remaining=1, seconds=10)
    assert account.place(ask()) == Unanswered()
    venue.step(60)
    venue.pass_real(9)
    assert account.truth() == []
    venue.pass_real(2)
    assert [view.status for view in account.truth()] == ["complete"]
    venue.pass_real(100)
    assert len(account.truth()) == 1


def test_late_accept_may_also_answer_with_an_error() -> None:
    venue, account = with_fault("late_accept", seconds=1, reply="error", status=500, text="timed out")
    assert account.place(ask()) == Refused("timed out", 500)
    venue.pass_real(1)
    assert len(account.truth()) == 1


def test_accepted_although_the_answer_is_an_error() -> None:
    _, account = with_fault("accept_with_error", remaining=1)
    assert account.place(ask()) == Refused("Failed to place order due to internal error", 500)
    assert [view.status for view in account.orders()] == ["complete"]


@pytest.mark.parametrize(("accepts", "orders"), [(False, 0), (True, 1)])
def test_success_with_a_null_order_id(accepts: bool, orders: int) -> None:
    _, account = with_fault("orderid_null", accepts=accepts)
    assert account.place(ask()) == Accepted("")
    assert len(account.orders()) == orders


def test_semi_auto_queues_orders_and_refuses_changes_but_not_in_analyze_mode() -> None:
    venue, account = with_fault("semi_auto")
    assert account.place(ask()) == Queued(1)
    assert account.place(ask()) == Queued(2)
    assert account.cancel("1") == Refused(
        "Cancel order operation is not allowed in Semi-Auto mode. Please switch to Auto mode to cancel orders.", 403
    )
    assert isinstance(account.modify(ModifyRequest("1", LOT, "MARKET")), Refused)
    account.set_mode(analyze=True)
    assert account.cancel("1") == Refused("Order 1 not found", 404)
    assert isinstance(account.place(ask()), Queued)
    venue.faults.clear()
    assert isinstance(account.place(ask()), Accepted)


def test_late_reject_shows_open_first() -> None:
    venue, account = with_fault("late_reject", remaining=1, seconds=2, text="RMS:no")
    told: list[OrderView] = []
    account.on_order_update(told.append)
    order = placed(account, ask())
    assert order.status == "open"
    venue.step(5)
    venue.pass_real(2)
    assert (row(account, order.orderid).status, row(account, order.orderid).rejection_reason) == ("rejected", "RMS:no")
    assert [view.status for view in told] == ["open", "rejected"]


def test_rejected_at_the_door_by_symbol() -> None:
    _, account = with_fault("reject_order", symbol="*PE", text="no puts today", status=400)
    assert account.place(ask(PUT)) == Refused("no puts today", 400)
    assert placed(account, ask(CALL)).status == "complete"


def test_freeze_reject_is_the_exchanges_and_comes_after_acceptance() -> None:
    _, account = with_fault("freeze_reject", units=650)
    assert placed(account, ask(units=650)).status == "complete"
    order = placed(account, ask(units=715))
    assert order.status == "rejected"
    assert "715 is above the freeze limit of 650" in order.rejection_reason


def test_a_partial_fill_rests_until_the_fault_is_removed() -> None:
    venue, account = with_fault("partial_fills", fraction=0.5)
    order = placed(account, ask(units=3 * LOT))
    venue.step(30)
    assert (row(account, order.orderid).filled_units, row(account, order.orderid).status) == (LOT, "open")
    venue.faults.clear()
    venue.step(1)
    assert row(account, order.orderid).status == "complete"


def test_no_fill_for_one_order_until_some_real_seconds_have_passed() -> None:
    venue, account = with_fault("no_fill", remaining=1, rest_s=2)
    order = placed(account, ask())
    venue.step(10)
    assert row(account, order.orderid).status == "open"
    assert placed(account, ask()).status == "complete"
    venue.pass_real(2)
    venue.step(1)
    assert row(account, order.orderid).status == "complete"


def test_two_fills_at_two_prices_whose_first_is_not_the_average() -> None:
    _, account = with_fault("two_fills")
    order = placed(account, ask(units=2 * LOT))
    prices = [fill.price for fill in account.trades()]
    assert len(prices) == 2
    assert prices[0] < order.average_price < prices[1]


def test_market_orders_leave_as_padded_limits() -> None:
    venue, account = with_fault("mpp_limit_orders")
    last = venue.market.quote(listed(venue, CALL)).ltp
    order = placed(account, ask())
    assert order.pricetype == "LIMIT"
    assert last * 1.01 < float(order.price) < last * 1.03
    stop = placed(account, ask(action="SELL", pricetype="SL-M", trigger="150"))
    assert (stop.pricetype, stop.trigger_price) == ("SL", 150)
    assert stop.price < 150


def test_a_cancel_that_lags_may_lose_against_a_fill() -> None:
    venue, account = with_fault("cancel_lags", seconds=2)
    slow = placed(account, ask(pricetype="LIMIT", price="150"))
    assert account.cancel(slow.orderid) == Accepted(slow.orderid)
    assert row(account, slow.orderid).status == "open"
    venue.market.move_index("NIFTY", percent=-2)
    venue.step(1)
    venue.pass_real(3)
    assert row(account, slow.orderid).status == "complete"
    other = placed(account, ask(pricetype="LIMIT", price="20"))
    account.cancel(other.orderid)
    venue.pass_real(3)
    assert row(account, other.orderid).status == "cancelled"


def test_a_cancel_the_broker_refuses_leaves_the_order_working() -> None:
    _, account = with_fault("cancel_fails", status=500, text="no")
    order = placed(account, ask(pricetype="LIMIT", price="150"))
    assert account.cancel(order.orderid) == Refused("no", 500)
    assert account.cancel_all().failed == ((order.orderid, "no"),)
    assert row(account, order.orderid).status == "open"


def books(account: SimAccount) -> tuple[int, int, int]:
    return len(account.orders()), len(account.trades()), len(account.positions())


def filled_twice() -> tuple[Venue, SimAccount]:
    venue = open_venue()
    account = first(venue)
    placed(account, ask(CALL))
    venue.pass_real(10)
    placed(account, ask(PUT))
    return venue, account


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [("stale_books", {"seconds": 5}, (1, 1, 1)), ("book_empty", {}, (0, 0, 0)), ("book_omits_row", {}, (1, 1, 1))],
)
def test_books_that_lag_lack_or_lose(name: str, parameters: dict[str, Any], expected: tuple[int, int, int]) -> None:
    venue, account = filled_twice()
    assert books(account) == (2, 2, 2)
    venue.faults.add(Fault(name, parameters=parameters))
    assert books(account) == expected
    assert len(account.truth()) == len(account.truth_fills()) == 2
    venue.faults.clear()
    assert books(account) == (2, 2, 2)


def test_a_stale_book_catches_up_with_real_time() -> None:
    venue, account = filled_twice()
    venue.faults.add(Fault("stale_books", endpoint="orderbook", parameters={"seconds": 5}))
    venue.pass_real(4)
    assert books(account) == (1, 2, 2)
    venue.pass_real(1)
    assert books(account) == (2, 2, 2)


def test_status_bleeds_from_the_row_before() -> None:
    venue, account = filled_twice()
    waiting = placed(account, ask(pricetype="LIMIT", price="150"))
    venue.faults.add(Fault("status_bleed"))
    assert row(account, waiting.orderid).status == "complete"
    assert account.truth()[-1].status == "open"


def test_other_ways_a_book_can_be_wrong() -> None:
    venue, account = filled_twice()
    waiting = placed(account, ask(pricetype="LIMIT", price="150"))
    for name in ("unmapped_status", "symbol_null", "avg_zero", "missing_ltp_pnl", "reordered_books"):
        venue.faults.add(Fault(name))
    assert row(account, waiting.orderid).status == "PART_TRADED"
    assert {order.symbol for order in account.orders()} == {None}
    assert {fill.price for fill in account.trades()} == {0}
    assert {(view.average_price, view.ltp) for view in account.positions()} == {(0, None)}
    orders = {tuple(order.orderid for order in account.orders()) for _ in range(20)}
    assert len(orders) > 1


def test_the_lot_of_an_underlying_can_change() -> None:
    venue, account = with_fault("lot_change", underlying="NIFTY", lot=75)
    venue.faults.clear()
    venue.faults.add(Fault("lot_change", parameters={"underlying": "NIFTY", "lot": 75}))
    assert listed(venue, CALL).lot_units == 75
    assert listed(venue, "BANKNIFTY29DEC26FUT").lot_units == 30
    assert account.place(ask(units=65)) == Refused("Quantity should be a multiple of 75.", 400)


def test_faults_of_one_account_leave_the_others_alone() -> None:
    venue = open_venue(accounts=2)
    venue.faults.add(Fault("reject_order", account=1))
    assert isinstance(venue.accounts[0].place(ask()), Refused)
    assert isinstance(venue.accounts[1].place(ask()), Accepted)
