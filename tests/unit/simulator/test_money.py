"""Money: cash is the sum of its flows, positions the sum of their fills, margins know a hedge."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.charges import charges
from simulator.faults import Fault
from simulator.holdings import MarginLeg
from simulator.ledger import Ledger, Position, never_pays, pays_premium
from simulator.orders import FINAL, ModifyRequest, Refused
from tests.unit.simulator.desk_parts import (
    CALL,
    FAR_CALL,
    FUTURE,
    LOT,
    PUT,
    ask,
    first,
    leg,
    listed,
    open_venue,
    placed,
    row,
)

TRADES = st.lists(
    st.tuples(
        st.integers(-30, 30).filter(bool),
        st.decimals(Decimal("0.05"), 900, places=2, allow_nan=False, allow_infinity=False),
    ),
    max_size=30,
)


@given(TRADES)
def test_a_positions_gains_and_cost_are_what_the_trades_say(trades: list[tuple[int, Decimal]]) -> None:
    position = Position()
    for units, price in trades:
        position.trade(units, price)
    last = Decimal(100)
    paid = sum((units * price for units, price in trades), Decimal(0))
    assert position.units == sum(units for units, _ in trades)
    assert float(position.realised_total + position.unrealised(last)) == pytest.approx(
        float(position.units * last - paid), abs=1e-6
    )
    assert position.average_price >= 0


@pytest.mark.parametrize(
    ("held", "traded", "gain", "units", "average"),
    [
        ((10, "100"), (5, "106"), "0", 15, "102"),
        ((10, "100"), (-4, "110"), "40", 6, "100"),
        ((-10, "100"), (4, "90"), "40", -6, "100"),
        ((10, "100"), (-10, "90"), "-100", 0, "0"),
        ((10, "100"), (-15, "110"), "100", -5, "110"),
        ((-10, "100"), (15, "110"), "-100", 5, "110"),
    ],
)
def test_add_reduce_close_and_flip(
    held: tuple[int, str], traded: tuple[int, str], gain: str, units: int, average: str
) -> None:
    position = Position()
    position.trade(held[0], Decimal(held[1]))
    assert position.trade(traded[0], Decimal(traded[1])) == Decimal(gain)
    assert (position.units, position.average_price) == (units, Decimal(average))


ORDERS = st.lists(
    st.tuples(
        st.sampled_from([CALL, PUT, FUTURE]),
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 4),
        st.sampled_from(["MARKET", "LIMIT", "LIMIT-AWAY"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=settings().max_examples // 4, deadline=None)
@given(ORDERS, st.integers(0, 50))
def test_cash_positions_and_limits_are_conserved(orders: list[tuple[str, str, int, str]], seed: int) -> None:
    venue = open_venue(seed=seed)
    account = first(venue)
    for symbol, action, lots, kind in orders:
        quote = venue.market.quote(listed(venue, symbol))
        side = 1 if action == "BUY" else -1
        price = quote.ltp * (1 + side * (0.01 if kind == "LIMIT" else -0.005))
        account.place(
            ask(
                symbol,
                "BUY" if action == "BUY" else "SELL",
                lots * LOT,
                "MARKET" if kind == "MARKET" else "LIMIT",
                price=str(Decimal(f"{price:.2f}").quantize(Decimal("0.1"))),
            )
        )
        venue.step(3)
    venue.step(20)
    ledger, fills = account.live.ledger, account.trades()
    assert ledger.cash == 5_000_000 + sum(flow.amount for flow in ledger.flows)
    for view in account.positions():
        assert view.units == sum(fill.signed_units for fill in fills if fill.symbol == view.symbol)
    for order in account.orders():
        own = [fill for fill in fills if fill.orderid == order.orderid]
        assert order.filled_units == sum(fill.units for fill in own) <= order.units
        assert order.status != "complete" or order.filled_units == order.units
        assert all(_within(order.action, fill.price, order.price) for fill in own)
        assert order.pending_units == (0 if order.status in FINAL else order.units - order.filled_units)
    options = sum((-f.signed_units * f.price for f in fills if f.symbol != FUTURE), Decimal(0))
    assert sum((flow.amount for flow in ledger.flows if flow.reason == "trade"), Decimal(0)) == options


def _within(action: str, price: Decimal, limit: Decimal) -> bool:
    if not limit:
        return True
    return price <= limit if action == "BUY" else price >= limit


def test_margins_of_short_straddle_spread_and_long() -> None:
    venue = open_venue()
    account = first(venue)
    notional = Decimal(str(venue.market.spot("NIFTY"))) * LOT

    def share(*legs: MarginLeg) -> float:
        view = account.margin(list(legs))
        assert view is not None
        return float(view.total / notional)

    short = share(leg(CALL, "SELL"))
    straddle = share(leg(CALL, "SELL"), leg(PUT, "SELL"))
    spread = share(leg(CALL, "SELL"), leg(FAR_CALL, "BUY"))
    assert 0.10 < short < 0.14
    assert short < straddle < 1.35 * short
    assert spread < 0.4 * short
    assert share(leg(CALL, "BUY")) < 0.03
    assert 0.09 < share(leg(FUTURE, "BUY")) < 0.13
    assert share(leg("NIFTY23NOV2625000CE", "SELL")) > short + 0.015  # its expiry day


def test_a_hedge_of_a_later_expiry_does_not_help_a_leg_that_expires_today() -> None:
    account = first(open_venue())
    expiring, later = leg("NIFTY23NOV2625000CE", "SELL"), leg(CALL, "BUY")
    alone, hedged = account.margin([expiring]), account.margin([expiring, later])
    assert alone is not None
    assert hedged is not None
    assert hedged.span == alone.span


def test_unknown_legs_are_dropped_and_nothing_left_is_no_answer() -> None:
    account = first(open_venue())
    known, both = account.margin([leg(CALL, "SELL")]), account.margin([leg(CALL, "SELL"), leg("NOSUCH", "BUY")])
    assert known == both
    assert account.margin([leg("NOSUCH", "BUY")]) is None


def test_funds_fall_by_premium_and_margin_and_a_hedge_gives_some_back() -> None:
    account = first(open_venue())
    start = account.funds()
    assert (start.cash, start.used) == (5_000_000, 0)
    placed(account, ask(CALL, "SELL"))
    short = account.funds()
    placed(account, ask(FAR_CALL, "BUY"))
    hedged = account.funds()
    assert 150_000 < short.used < 250_000
    assert hedged.used < short.used / 2
    assert hedged.cash > short.cash


def test_resting_orders_block_money_too_and_free_it_when_cancelled() -> None:
    account = first(open_venue())
    order = placed(account, ask(pricetype="LIMIT", price="150"))
    assert account.funds().cash == 5_000_000 - 150 * LOT
    account.cancel(order.orderid)
    assert account.funds().cash == 5_000_000


def test_an_exit_passes_when_there_is_no_money_left() -> None:
    account = first(open_venue(cash=200_000))
    assert placed(account, ask(CALL, "SELL")).status == "complete"
    assert placed(account, ask(PUT, "SELL", 4 * LOT)).status == "rejected"
    assert placed(account, ask(CALL, "BUY")).status == "complete"


def test_charges_follow_the_dated_table() -> None:
    venue = open_venue()
    account = first(venue)
    placed(account, ask(CALL, "BUY", 10 * LOT))
    bought = account.live.charges_today()
    placed(account, ask(CALL, "SELL", 10 * LOT))
    both = account.live.charges_today()
    turnover = sum((f.units * f.price for f in account.trades() if f.action == "SELL"), Decimal(0))
    assert 20 * Decimal("1.18") < bought < both
    assert both - bought > turnover * Decimal("0.0015")
    assert charges([], {}) == 0


def test_the_days_charges_leave_the_cash_at_the_end_of_the_day() -> None:
    venue = open_venue()
    account = first(venue)
    placed(account, ask())
    cash, due = account.live.ledger.cash, account.live.charges_today()
    account.end_day()
    assert account.live.ledger.cash == cash - due


def test_the_two_ways_of_paying() -> None:
    venue = open_venue()
    call, future = listed(venue, CALL), listed(venue, FUTURE)
    assert pays_premium(call, "NRML")
    assert not pays_premium(future, "NRML")
    assert pays_premium(listed(venue, "SBIN", "NSE"), "CNC")
    assert not never_pays(call, "NRML")
    assert Ledger(Decimal(5)).realised_today == 0


def test_carried_positions_forget_yesterdays_gain_and_keep_their_cost() -> None:
    account = first(open_venue())
    placed(account, ask(units=2 * LOT))
    placed(account, ask(action="SELL"))
    before = account.positions()[0]
    account.begin_day()
    after = account.positions()[0]
    assert (after.units, after.average_price) == (LOT, before.average_price)
    assert after.realised_today == 0


def test_a_modified_total_below_what_is_filled_or_beyond_the_money_is_refused() -> None:
    venue = open_venue()
    account = first(venue)
    venue.faults.add(Fault("partial_fills", parameters={"fraction": 0.5}))
    order = placed(account, ask(units=4 * LOT, pricetype="LIMIT", price="400"))
    assert order.filled_units == 2 * LOT
    fewer = account.modify(ModifyRequest(order.orderid, LOT, "LIMIT", order.price))
    assert fewer == Refused("Quantity cannot be lower than the 130 already filled.", 400)
    poor = first(open_venue(cash=20_000))
    waiting = placed(poor, ask(pricetype="LIMIT", price="150"))
    more = poor.modify(ModifyRequest(waiting.orderid, 4 * LOT, "LIMIT", Decimal(150)))
    assert isinstance(more, Refused)
    assert more.text.startswith("RMS:Margin Exceeds")
    assert row(poor, waiting.orderid) == waiting
