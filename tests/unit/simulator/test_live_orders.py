"""The live broker: what it refuses at the door, what is rejected a moment later, and how orders fill."""

from datetime import time
from decimal import Decimal

import pytest

from simulator.orders import Accepted, ModifyRequest, OrderRequest, OrderView, Refused
from simulator.venue import Venue
from tests.unit.simulator.desk_parts import CALL, LOT, PUT, ask, first, listed, on_tick, open_venue, placed, row

UNKNOWN = "The instrument you are placing an order for has either expired or does not exist."
DOOR = [
    (ask("NOSUCHSYM"), UNKNOWN),
    (ask("NIFTY", exchange="NSE_INDEX"), UNKNOWN),
    (ask(product="CNC"), "Invalid product. CNC is not allowed for derivatives."),
    (ask("SBIN", units=1, product="NRML", exchange="NSE"), "Invalid product. NRML is not allowed for equity."),
    (ask(units=50), "Quantity should be a multiple of 65."),
    (ask(units=2600), "Quantity exceeds the freeze limit of 1800 for NIFTY26D0125000CE."),
    (ask(pricetype="LIMIT"), "Invalid `price`."),
    (ask(action="SELL", pricetype="SL-M"), "Invalid `trigger_price`."),
    (
        ask(pricetype="LIMIT", price="10.03"),
        "Tick size for this script is 0.05. Kindly enter price in the multiple of tick size for this script.",
    ),
]


@pytest.mark.parametrize(("request_", "text"), DOOR, ids=[text[:30] for _, text in DOOR])
def test_refused_at_the_door_in_the_recorded_words(request_: OrderRequest, text: str) -> None:
    account = first(open_venue())
    assert account.place(request_) == Refused(text, 400)
    assert account.orders() == []


@pytest.mark.parametrize(("action", "trigger", "words"), [
    ("SELL", "900", "sell orders should be lower than"),
    ("BUY", "5", "buy orders should be higher than"),
])  # fmt: skip
def test_a_stop_on_the_wrong_side_is_refused(action: str, trigger: str, words: str) -> None:
    account = first(open_venue())
    reply = account.place(ask(action="SELL" if action == "SELL" else "BUY", pricetype="SL-M", trigger=trigger))
    assert isinstance(reply, Refused)
    assert f"Trigger price for stoploss {words} the last traded price (" in reply.text


def test_outside_the_session_nothing_is_taken() -> None:
    before = first(open_venue(at=time(9, 14)))
    assert isinstance(before.place(ask()), Refused)
    cash_closed = first(open_venue(at=time(15, 35)))
    assert isinstance(cash_closed.place(ask("SBIN", units=1, product="CNC", exchange="NSE")), Refused)
    assert isinstance(cash_closed.place(ask()), Accepted)


REJECTED = [
    (ask(pricetype="LIMIT", price="900"), "out of the current execution range"),
    (ask("SENSEX26NOV2682600CE", units=1020, exchange="BFO"), "above the freeze limit of 1000"),
    (ask("RELIANCE", units=100_000, product="CNC", exchange="NSE"), "RMS:Margin Exceeds, Required:"),
    (ask("TCS", "SELL", 5, product="CNC", exchange="NSE"), "RMS:Insufficient holdings"),
]


@pytest.mark.parametrize(("request_", "reason"), REJECTED, ids=[reason[:25] for _, reason in REJECTED])
def test_accepted_and_then_rejected_with_a_reason(request_: OrderRequest, reason: str) -> None:
    order = placed(first(open_venue()), request_)
    assert order.status == "rejected"
    assert reason in order.rejection_reason
    assert order.filled_units == order.pending_units == 0


def test_ids_look_like_the_brokers_and_count_up() -> None:
    account = first(open_venue())
    assert [placed(account, ask()).orderid for _ in range(2)] == ["261123190000001", "261123190000002"]


def test_a_market_order_walks_the_levels_and_tells_every_step() -> None:
    venue = open_venue()
    account = first(venue)
    asks = venue.market.depth(listed(venue, CALL)).asks
    told: list[OrderView] = []
    account.on_order_update(told.append)
    order = placed(account, ask(units=asks[0].units + LOT))
    assert order.status == "complete"
    assert [(view.status, view.filled_units) for view in told] == [
        ("open", 0),
        ("open", asks[0].units),
        ("complete", asks[0].units + LOT),
    ]
    assert [float(fill.price) for fill in account.trades()] == [asks[0].price, asks[1].price]
    assert order.price == 0
    assert order.average_price == round(sum((f.price * f.units for f in account.trades()), Decimal(0)) / order.units, 4)


def test_what_one_order_took_the_next_one_does_not_find() -> None:
    venue = open_venue()
    account = first(venue)
    best = venue.market.depth(listed(venue, CALL)).asks[0]
    placed(account, ask(units=best.units))
    placed(account, ask())
    assert account.trades()[-1].price > account.trades()[0].price


def test_a_limit_through_the_market_fills_at_the_markets_price() -> None:
    venue = open_venue()
    quote = venue.market.quote(listed(venue, CALL))
    order = placed(first(venue), ask(pricetype="LIMIT", price=on_tick(quote.ask * 1.1)))
    assert order.status == "complete"
    assert float(order.average_price) == quote.ask


def test_a_resting_limit_waits_and_fills_at_its_own_price() -> None:
    venue = open_venue()
    account = first(venue)
    limit = on_tick(venue.market.quote(listed(venue, CALL)).bid * 0.9)
    order = placed(account, ask(pricetype="LIMIT", price=limit))
    venue.step(2)
    assert row(account, order.orderid).status == "open"
    venue.market.move_index("NIFTY", percent=-1)
    venue.step(1)
    assert row(account, order.orderid).status == "complete"
    assert row(account, order.orderid).average_price == Decimal(limit)


def test_at_the_touch_the_queue_in_front_goes_first() -> None:
    venue = open_venue()
    account = first(venue)
    depth = venue.market.depth(listed(venue, CALL))
    order = placed(account, ask(pricetype="LIMIT", price=on_tick(depth.bids[0].price)))
    working = account.live.log.find(order.orderid)
    assert working is not None
    assert working.ahead_units == depth.bids[0].units


@pytest.mark.parametrize(("action", "side", "percent"), [("SELL", 0.97, -1.0), ("BUY", 1.03, 1.0)])
def test_a_stop_market_waits_for_its_trigger(action: str, side: float, percent: float) -> None:
    venue = open_venue()
    account = first(venue)
    told: list[str] = []
    trigger = on_tick(venue.market.quote(listed(venue, CALL)).ltp * side)
    account.on_order_update(lambda view: told.append(view.status))
    order = placed(account, ask(action="SELL" if action == "SELL" else "BUY", pricetype="SL-M", trigger=trigger))
    assert order.status == "trigger pending"
    venue.market.move_index("NIFTY", percent=percent)
    venue.step(2)
    assert row(account, order.orderid).status == "complete"
    assert told[0] == "trigger pending"
    assert told[-1] == "complete"


def test_a_triggered_stop_limit_the_market_has_left_behind_rests_and_can_be_modified() -> None:
    venue = open_venue()
    account = first(venue)
    last = venue.market.quote(listed(venue, CALL)).ltp
    trigger, limit = on_tick(last * 0.97), on_tick(last * 0.96)
    order = placed(account, ask(action="SELL", pricetype="SL", price=limit, trigger=trigger))
    venue.market.move_index("NIFTY", percent=-1.5)
    venue.step(2)
    assert row(account, order.orderid).status == "open"
    low = on_tick(venue.market.quote(listed(venue, CALL)).bid * 0.95)
    change = ModifyRequest(order.orderid, LOT, "SL", Decimal(low), Decimal(trigger))
    assert account.modify(change) == Accepted(order.orderid)
    assert row(account, order.orderid).status == "complete"


def test_modify_changes_price_and_units_and_may_fill_at_once() -> None:
    venue = open_venue()
    account = first(venue)
    order = placed(account, ask(pricetype="LIMIT", price="150"))
    account.modify(ModifyRequest(order.orderid, 130, "LIMIT", Decimal(155)))
    assert (row(account, order.orderid).units, row(account, order.orderid).price) == (130, 155)
    account.modify(ModifyRequest(order.orderid, 130, "MARKET"))
    assert row(account, order.orderid).status == "complete"
    assert account.modify(ModifyRequest(order.orderid, 65, "MARKET")) == Refused(
        "Order cannot be modified as it is being processed. Try later.", 400
    )
    assert account.modify(ModifyRequest("999", 65, "MARKET")) == Refused("Couldn't find that `order_id`.", 400)


def test_a_modification_the_broker_would_not_take_changes_nothing() -> None:
    account = first(open_venue())
    order = placed(account, ask(pricetype="LIMIT", price="150"))
    assert isinstance(account.modify(ModifyRequest(order.orderid, 50, "LIMIT", Decimal(150))), Refused)
    assert isinstance(account.modify(ModifyRequest(order.orderid, 65, "LIMIT", Decimal("150.03"))), Refused)
    assert row(account, order.orderid) == order


def test_cancel_once_and_never_again() -> None:
    account = first(open_venue())
    order = placed(account, ask(pricetype="LIMIT", price="150"))
    assert account.cancel(order.orderid) == Accepted(order.orderid)
    assert row(account, order.orderid).status == "cancelled"
    again = account.cancel(order.orderid)
    assert isinstance(again, Refused)
    assert again.http_status == 500
    assert "Failed to cancel order: Client error '400 Bad Request'" in again.text
    assert isinstance(account.cancel("999"), Refused)


def test_cancel_all_and_close_all_work_on_the_whole_account() -> None:
    account = first(open_venue())
    waiting = [
        placed(account, ask(pricetype="LIMIT", price="150")),
        placed(account, ask(action="SELL", pricetype="SL-M", trigger="150")),
    ]
    placed(account, ask())
    placed(account, ask(PUT, "SELL"))
    assert account.cancel_all().cancelled == tuple(order.orderid for order in waiting)
    assert account.close_positions().closed == 2
    assert {view.units for view in account.positions()} == {0}


def test_day_orders_end_with_the_day_and_the_next_books_start_empty() -> None:
    venue = open_venue(at=time(15, 39))
    account = first(venue)
    order = placed(account, ask(pricetype="LIMIT", price="150"))
    venue.step(120)
    assert account.orders() == []
    assert [(view.orderid, view.status) for view in account.truth()] == [(order.orderid, "cancelled")]


def test_intraday_positions_are_squared_off_and_new_ones_refused() -> None:
    venue = open_venue(at=time(15, 19))
    account = first(venue)
    placed(account, ask(product="MIS"))
    waiting = placed(account, ask(product="MIS", pricetype="LIMIT", price="150"))
    carried = placed(account, ask(PUT, product="NRML"))
    venue.step(90)
    assert row(account, waiting.orderid).status == "cancelled"
    assert {(view.symbol, view.units) for view in account.positions()} == {(CALL, 0), (PUT, LOT)}
    refused = account.place(ask(product="MIS"))
    assert isinstance(refused, Refused)
    assert "15:20" in refused.text
    assert carried.status == "complete"


def test_the_square_off_time_is_the_brokers_own() -> None:
    venue = Venue(accounts=1, at=time(14, 59), intraday_end=time(15, 0))
    account = first(venue)
    placed(account, ask(product="MIS"))
    venue.step(90)
    assert [view.units for view in account.positions()] == [0]
    assert "after 15:00" in getattr(account.place(ask(product="MIS")), "text", "")


def test_an_expiring_option_is_settled_at_its_intrinsic_value() -> None:
    venue = open_venue(at=time(15, 39))
    account = first(venue)
    strike = int(venue.market.spot("NIFTY") // 50 * 50) - 200
    symbol = f"NIFTY23NOV26{strike}CE"
    placed(account, ask(symbol))
    before = account.live.ledger.cash
    venue.step(90)
    spot = venue.market.history(listed(venue, "NIFTY", "NSE_INDEX"), "1m", venue.clock.trading_date,
                                venue.clock.trading_date)  # fmt: skip
    settled = [flow.amount for flow in account.live.ledger.flows if flow.reason == "settlement"]
    assert spot is not None
    assert len(settled) == 1
    assert settled[0] == pytest.approx(200 * LOT, abs=50 * LOT)
    assert account.positions() == []
    assert account.live.ledger.cash > before


def test_delivery_shares_become_holdings_overnight() -> None:
    venue = open_venue(at=time(15, 29))
    account = first(venue)
    placed(account, ask("TCS", units=5, product="CNC", exchange="NSE"))
    placed(account, ask("SBIN", "SELL", 50, product="CNC", exchange="NSE"))
    venue.step(12 * 60)
    held = {view.symbol: view.units for view in account.holdings()}
    assert held == {"RELIANCE": 50, "INFY": 100, "SBIN": 150, "TCS": 5}
    assert account.positions() == []


def test_an_order_typed_at_the_broker_appears_in_the_books_past_all_faults() -> None:
    account = first(open_venue())
    account.set_mode(analyze=True)
    assert isinstance(account.place_foreign(ask()), Accepted)
    assert account.orders() == []
    account.set_mode(analyze=False)
    assert [order.status for order in account.orders()] == ["complete"]


def test_a_price_the_exchange_does_not_take_leaves_the_order_as_it_is() -> None:
    account = first(open_venue())
    order = placed(account, ask(pricetype="LIMIT", price="100"))
    reply = account.modify(ModifyRequest(order.orderid, LOT, "LIMIT", Decimal(900)))
    assert isinstance(reply, Refused)
    assert "out of the current execution range" in reply.text
    assert row(account, order.orderid).price == Decimal(100)
