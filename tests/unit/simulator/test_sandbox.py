"""Analyze mode: the gateway's paper broker, with what it accepts and refuses and the words it uses."""

from datetime import time
from decimal import Decimal

import pytest

from simulator.account import SimAccount
from simulator.orders import Accepted, ModifyRequest, OrderRequest, OrderView, Refused
from simulator.venue import Venue
from tests.unit.simulator.desk_parts import CALL, LOT, PUT, ask, first, listed, on_tick, open_venue, placed, row


def paper(at: time = time(10, 0)) -> tuple[Venue, SimAccount]:
    venue = open_venue(at=at)
    first(venue).set_mode(analyze=True)
    return venue, first(venue)


REFUSED = [
    (ask("NOSUCHSYM"), "Symbol NOSUCHSYM not found on NFO"),
    (ask(units=50), "Quantity must be in multiples of lot size 65"),
    (ask(pricetype="LIMIT"), "LIMIT orders require price"),
    (ask(action="SELL", pricetype="SL-M"), "SL-M orders require trigger_price"),
    (
        ask(product="CNC"),
        "CNC product not allowed for NFO derivatives segment. Use NRML for carryforward or MIS for intraday.",
    ),
    (
        ask("SBIN", units=1, product="NRML", exchange="NSE"),
        "NRML product not allowed for NSE equity segment. Use CNC for delivery or MIS for intraday.",
    ),
]


@pytest.mark.parametrize(("request_", "text"), REFUSED, ids=[text[:25] for _, text in REFUSED])
def test_refused_in_the_recorded_words(request_: OrderRequest, text: str) -> None:
    assert paper()[1].place(request_) == Refused(text, 400)


@pytest.mark.parametrize(
    "request_",
    [
        ask(units=2600),
        ask(pricetype="LIMIT", price="10.03"),
        ask(action="SELL", pricetype="SL", price="800", trigger="900"),
        ask("NIFTY", exchange="NSE_INDEX"),
    ],
    ids=["above freeze", "off tick", "trigger on the wrong side", "the index itself"],
)
def test_accepts_what_a_broker_refuses(request_: OrderRequest) -> None:
    assert isinstance(paper()[1].place(request_), Accepted)


def test_no_money() -> None:
    reply = paper()[1].place(ask("RELIANCE", units=1_000_000, product="CNC", exchange="NSE"))
    assert isinstance(reply, Refused)
    assert reply.text.startswith("Insufficient funds. Required: ₹1")
    assert ", Available: ₹10000000.0, Shortage: ₹" in reply.text


def test_ids_and_trade_ids_have_the_sandboxs_shape() -> None:
    _, account = paper()
    order = placed(account, ask())
    assert len(order.orderid) == 14
    assert order.orderid.startswith("261123")
    assert account.trades()[0].tradeid.startswith("TRADE-20261123-100000-")


def test_a_market_order_fills_whole_at_the_touch_and_keeps_its_reference_price() -> None:
    venue, account = paper()
    quote = venue.market.quote(listed(venue, CALL))
    told: list[OrderView] = []
    account.on_order_update(told.append)
    order = placed(account, ask(units=40 * LOT))
    assert (order.status, float(order.average_price), float(order.price)) == ("complete", quote.ask, quote.ltp)
    assert [(v.status, v.filled_units, v.pending_units, float(v.price)) for v in told] == [
        ("open", 0, 0, quote.ltp),
        ("complete", 40 * LOT, 0, quote.ask),
    ]
    assert len(account.trades()) == 1


def test_a_marketable_limit_fills_at_the_last_price_and_a_resting_one_at_its_own() -> None:
    venue, account = paper()
    last = venue.market.quote(listed(venue, CALL)).ltp
    assert float(placed(account, ask(pricetype="LIMIT", price=on_tick(last + 20))).average_price) == last
    limit = on_tick(last - 20)
    resting = placed(account, ask(pricetype="LIMIT", price=limit))
    assert resting.status == "open"
    venue.market.move_index("NIFTY", percent=-1)
    venue.step(2)
    assert row(account, resting.orderid).average_price == Decimal(limit)


def test_modify_ignores_the_price_type_and_tells_nobody() -> None:
    _, account = paper()
    order = placed(account, ask(pricetype="LIMIT", price="100"))
    told: list[OrderView] = []
    account.on_order_update(told.append)
    reply = account.modify(ModifyRequest(order.orderid, 130, "MARKET", Decimal(110)))
    assert reply == Accepted(order.orderid, "Order modified successfully")
    changed = row(account, order.orderid)
    assert (changed.pricetype, changed.price, changed.units) == ("LIMIT", 110, 130)
    assert told == []
    bad = account.modify(ModifyRequest(order.orderid, 130, "LIMIT", Decimal(110), Decimal(5)))
    assert bad == Refused("LIMIT orders do not accept a trigger_price", 400)


def test_changes_of_what_is_over_or_unknown() -> None:
    _, account = paper()
    order = placed(account, ask())
    assert account.modify(ModifyRequest(order.orderid, LOT, "MARKET")) == Refused(
        "Cannot modify order in complete status", 400
    )
    assert account.cancel(order.orderid) == Refused("Cannot cancel order in complete status", 400)
    assert account.cancel("9") == Refused("Order 9 not found", 404)


def test_cancel_all_leaves_waiting_stops() -> None:
    _, account = paper()
    limit = placed(account, ask(pricetype="LIMIT", price="100"))
    stop = placed(account, ask(action="SELL", pricetype="SL-M", trigger="100"))
    assert account.cancel_all().cancelled == (limit.orderid,)
    assert row(account, stop.orderid).status == "trigger pending"


def test_selling_shares_nobody_has_stores_a_rejected_order() -> None:
    _, account = paper()
    reply = account.place(ask("SBIN", "SELL", 20, product="CNC", exchange="NSE"))
    assert isinstance(reply, Refused)
    assert reply.text.startswith("Cannot sell SBIN in CNC. No positions or holdings available.")
    assert row(account, reply.orderid).status == "rejected"
    placed(account, ask("SBIN", units=10, product="CNC", exchange="NSE"))
    short = account.place(ask("SBIN", "SELL", 20, product="CNC", exchange="NSE"))
    assert isinstance(short, Refused)
    assert "Only 10 shares available (Position: 10, Holdings: 0)" in short.text


def test_intraday_is_refused_after_the_square_off_unless_it_reduces() -> None:
    venue, account = paper(time(15, 14))
    placed(account, ask(product="MIS"))
    venue.step(90)
    assert {view.units for view in account.positions()} == {0}
    reply = account.place(ask(product="MIS"))
    assert reply == Refused(
        "MIS orders cannot be placed after square-off time (15:15 IST). Trading resumes at 09:00 AM IST.", 400
    )
    assert isinstance(account.place(ask(product="NRML")), Accepted)


def test_margin_is_the_whole_premium_both_ways_and_closing_needs_none() -> None:
    _, account = paper()
    order = placed(account, ask(PUT, "SELL"))
    assert account.funds().used == order.average_price * LOT
    placed(account, ask(PUT, "BUY"))
    assert account.funds().used == 0
    assert account.funds().cash == 10_000_000 + account.funds().realised


def test_the_two_modes_have_books_of_their_own_and_orders_are_newest_first() -> None:
    _, account = paper()
    older, newer = placed(account, ask()), placed(account, ask(PUT))
    assert [order.orderid for order in account.orders()] == [newer.orderid, older.orderid]
    assert [fill.orderid for fill in account.trades()] == [newer.orderid, older.orderid]
    account.set_mode(analyze=False)
    assert account.orders() == []
    assert account.positions() == []
    assert account.holdings()
    account.set_mode(analyze=True)
    assert account.holdings() == []
    assert account.close_positions().closed == 2
