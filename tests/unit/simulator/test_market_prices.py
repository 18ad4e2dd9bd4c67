"""Prices: the same for the same seed whoever asks, arbitrage-free within the spread, on the tick."""

from datetime import date, time
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.clock import STEP_S
from simulator.contracts import Contract
from simulator.venue import Venue
from tests.unit.simulator.desk_parts import CALL, PUT, ask, first, listed, open_venue

INDICES = ("NIFTY", "BANKNIFTY", "SENSEX")


def path_of(venue: Venue, steps: int = 40) -> list[tuple[float, ...]]:
    seen = []
    for _ in range(steps):
        venue.step(5)
        prices = [venue.market.spot(name) for name in INDICES]
        quote = venue.market.quote(listed(venue, CALL))
        seen.append((*prices, quote.ltp, quote.bid, quote.ask, quote.volume, quote.oi))
    return seen


def test_the_same_seed_gives_the_same_path_and_another_seed_another() -> None:
    assert path_of(open_venue(seed=3)) == path_of(open_venue(seed=3))
    assert path_of(open_venue(seed=3)) != path_of(open_venue(seed=4))


def test_orders_faults_and_questions_do_not_change_the_path() -> None:
    quiet, busy = open_venue(seed=11), open_venue(seed=11, accounts=2)
    busy.market.quotes(busy.contracts.options("NIFTY", "NFO", date(2026, 12, 1)))
    for units in (65, 130, 1755):
        first(busy).place(ask(units=units))
    first(busy).place(ask(pricetype="LIMIT", price="100"))
    assert path_of(quiet) == path_of(busy)


def test_the_path_does_not_depend_on_when_the_clock_was_started() -> None:
    early, late = open_venue(at=time(9, 15)), open_venue(at=time(10, 0))
    early.step(45 * 60)
    assert early.market.quote(listed(early, CALL)) == late.market.quote(listed(late, CALL))


def test_stepping_often_or_seldom_makes_no_difference() -> None:
    fine, coarse = open_venue(), open_venue()
    for _ in range(400):
        fine.step()
        fine.market.quote(listed(fine, PUT))
    coarse.step(100)
    assert fine.market.quote(listed(fine, PUT)) == coarse.market.quote(listed(coarse, PUT))


@pytest.mark.parametrize(("name", "exchange"), [("NIFTY", "NFO"), ("BANKNIFTY", "NFO"), ("SENSEX", "BFO")])
def test_put_call_parity_holds_within_the_spread(name: str, exchange: str) -> None:
    venue = open_venue()
    for expiry in venue.contracts.expiries(name, exchange, options=True)[:4]:
        options = venue.contracts.options(name, exchange, expiry)
        quotes = venue.market.quotes(options)
        future = venue.market.forward(name, expiry)
        for call, put in zip(options[::2], options[1::2], strict=True):
            c, p = quotes[call.key], quotes[put.key]
            low, high = c.bid - p.ask, c.ask - p.bid
            discount = 0.02 * abs(future - call.strike)  # half a year at 6.5 % at the very most
            assert low - discount - 0.1 <= future - call.strike <= high + discount + 0.1, call.symbol


def ladder(venue: Venue) -> list[Contract]:
    return venue.contracts.options("NIFTY", "NFO", date(2026, 12, 1))


def test_bids_are_below_asks_on_the_tick_and_calls_fall_with_the_strike() -> None:
    venue = open_venue()
    quotes = venue.market.quotes(ladder(venue))
    for quote in quotes.values():
        assert 0 <= quote.bid < quote.ask
        assert quote.low <= quote.ltp <= quote.high
        for price in (quote.bid, quote.ask, quote.ltp):
            assert abs(price / 0.05 - round(price / 0.05)) < 1e-6
    calls = [quotes[c.key].ask for c in ladder(venue) if c.kind == "CE"]
    puts = [quotes[c.key].ask for c in ladder(venue) if c.kind == "PE"]
    assert all(later <= earlier + 1.0 for earlier, later in pairwise(calls))
    assert all(later >= earlier - 1.0 for earlier, later in pairwise(puts))


def test_the_spread_is_small_at_the_money() -> None:
    venue = open_venue()
    quote = venue.market.quote(listed(venue, CALL))
    assert quote.ask - quote.bid <= 0.01 * quote.ltp


def test_an_index_has_no_bid_and_no_volume_and_vix_follows_volatility() -> None:
    venue = open_venue()
    nifty = venue.market.quote(listed(venue, "NIFTY", "NSE_INDEX"))
    assert (nifty.bid, nifty.ask, nifty.volume, nifty.oi) == (0.0, 0.0, 0, 0)
    before = venue.market.quote(listed(venue, "INDIAVIX", "NSE_INDEX")).ltp
    assert 9 < before < 22
    venue.market.move_index("NIFTY", percent=-3)
    venue.step(1)
    assert venue.market.quote(listed(venue, "INDIAVIX", "NSE_INDEX")).ltp > before * 1.1


def test_before_the_opening_there_is_yesterdays_price_and_nothing_else() -> None:
    venue = open_venue(at=time(9, 14, 30))
    quote = venue.market.quote(listed(venue, CALL))
    assert quote.ltp == quote.prev_close > 0
    assert (quote.bid, quote.ask, quote.open, quote.volume) == (0.0, 0.0, 0.0, 0)
    assert venue.market.depth(listed(venue, CALL)).total_buy_units == 0


@cache
def _unmoved(seconds: int) -> dict[str, float]:
    """Where the indices are after so long when nobody moves them."""
    venue = open_venue()
    venue.step(seconds)
    return {name: venue.market.spot(name) for name in INDICES}


@settings(max_examples=settings().max_examples // 4, deadline=None)
@given(percent=st.floats(-5, 5), over=st.sampled_from([0, 1, 30, 300]))
def test_a_move_moves_the_index_by_what_was_asked_and_nothing_else(percent: float, over: int) -> None:
    still, moved = _unmoved(over + 1), open_venue()
    moved.market.move_index("NIFTY", percent=percent, over_seconds=over)
    moved.step(over + 1)
    assert moved.market.spot("NIFTY") / still["NIFTY"] == pytest.approx(1 + percent / 100, rel=1e-9)
    assert moved.market.spot("SENSEX") == still["SENSEX"]


def test_a_move_needs_exactly_one_size_and_a_known_name() -> None:
    market = open_venue().market
    with pytest.raises(ValueError, match="either percent or points"):
        market.move_index("NIFTY")
    with pytest.raises(ValueError, match="either percent or points"):
        market.move_index("NIFTY", percent=1, points=5)
    with pytest.raises(ValueError, match="unknown index"):
        market.move_index("DOW", percent=1)
    with pytest.raises(ValueError, match="must leave"):
        market.move_index("NIFTY", percent=-100)


def test_a_price_set_by_hand_is_the_price_from_the_next_step() -> None:
    venue = open_venue()
    venue.market.set_price(listed(venue, CALL), 500.0)
    venue.step(1)
    assert venue.market.quote(listed(venue, CALL)).ltp == pytest.approx(500, abs=6)
    venue.market.set_price(listed(venue, "NIFTY", "NSE_INDEX"), 24_000)
    venue.step(1)
    assert venue.market.quote(listed(venue, "NIFTY", "NSE_INDEX")).ltp == pytest.approx(24_000, abs=15)
    with pytest.raises(ValueError, match="above 0"):
        venue.market.set_price(listed(venue, CALL), 0)


def test_depth_starts_at_the_quote_and_has_five_levels_of_whole_lots() -> None:
    venue = open_venue()
    contract = listed(venue, CALL)
    quote, depth = venue.market.quote(contract), venue.market.depth(contract)
    assert depth.bids[0].price == quote.bid
    assert depth.asks[0].price == quote.ask
    assert [level.price for level in depth.bids] == sorted((level.price for level in depth.bids), reverse=True)
    assert [level.price for level in depth.asks] == sorted(level.price for level in depth.asks)
    for level in (*depth.bids, *depth.asks):
        assert level.units > 0
        assert level.units % contract.lot_units == 0
        assert 1 <= level.orders <= level.units


def test_an_option_on_its_last_day_ends_near_its_intrinsic_value() -> None:
    venue = open_venue(at=time(15, 39))
    venue.step(59)
    spot = venue.market.spot("NIFTY")
    options = venue.contracts.options("NIFTY", "NFO", date(2026, 11, 23))
    quotes = venue.market.quotes(options)
    assert {option.kind for option in options} == {"CE", "PE"}
    for option in options:
        intrinsic = max(0.0, (spot - option.strike) * (1 if option.kind == "CE" else -1))
        assert abs(quotes[option.key].ask - intrinsic) < max(6.0, 0.02 * intrinsic), option.symbol


def test_greeks_have_sensible_signs_and_only_options_have_them() -> None:
    venue = open_venue()
    call, put = venue.market.greeks(listed(venue, CALL)), venue.market.greeks(listed(venue, PUT))
    assert call.delta - put.delta == pytest.approx(1, abs=0.01)
    assert call.theta < 0 < call.vega
    assert call.gamma == pytest.approx(put.gamma)
    with pytest.raises(ValueError, match="not an option"):
        venue.market.greeks(listed(venue, "NIFTY29DEC26FUT"))


def test_watched_contracts_are_told_when_they_trade_and_only_those() -> None:
    venue = open_venue()
    call, nifty = listed(venue, CALL).key, listed(venue, "NIFTY", "NSE_INDEX").key
    told: list[set[object]] = []
    stop = venue.on_tick(lambda keys: told.append(set(keys)))
    venue.step(2)
    assert told == []
    venue.watch(call)
    venue.watch(nifty)
    for _ in range(8):
        venue.step(STEP_S)
    assert all(nifty in keys for keys in told)
    assert len(told) == 8
    assert 0 < sum(call in keys for keys in told) < 8
    venue.step(10)
    assert told[8:] == [{call, nifty}]
    stop()
    venue.step(1)
    assert len(told) == 9
