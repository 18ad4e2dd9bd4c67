"""Candles are made of prices that are borne out: one bad print gives none of them a shape, and so turns no trend."""

import pytest

from app.domain.candles import Ohlc, Standing
from app.domain.contracts import ContractKey
from app.services.candle_series import Subject
from tests.unit.services.candle_market import INDEX, STRADDLE, Market
from tests.unit.services.feed_desk import CALL, PUT
from tests.unit.services.market_fakes import NIFTY

FUTURE = ContractKey("NFO", "NIFTY29DEC26FUT")


def flat(price: float) -> Ohlc:
    return Ohlc(price, price, price, price)


@pytest.mark.parametrize(
    ("key", "price", "bad"), [(NIFTY, 26_000.0, 26_600.0), (FUTURE, 26_000.0, 25_000.0), (CALL, 100.0, 1.0)]
)
def test_one_bad_print_shapes_no_candle(key: ContractKey, price: float, bad: float) -> None:
    market, subject = Market(-1), Subject.of(key)
    market.store.follow(subject, market.ring)
    market.run(30, (key, price))
    market.run(0.1, (key, bad))
    market.run(31, (key, price))
    assert [candle.prices for candle in market.view(subject).ended] == [flat(price)]


def test_nor_the_premium_of_several_legs() -> None:
    market = Market(-1)
    market.store.follow(STRADDLE, market.ring)
    market.run(30, (CALL, 100.0), (PUT, 90.0))
    market.run(0.1, (CALL, 400.0), (PUT, 90.0))
    market.run(31, (CALL, 100.0), (PUT, 90.0))
    assert [candle.prices for candle in market.view(STRADDLE).ended] == [flat(190.0)]


def test_a_jump_that_a_second_print_bears_out_is_in_the_candle() -> None:
    market = Market(-1)
    market.store.follow(INDEX, market.ring)
    market.run(30, (NIFTY, 26_000.0))
    market.run(0.2, (NIFTY, 26_600.0))
    market.run(31, (NIFTY, 26_000.0))
    assert [candle.prices for candle in market.view().ended] == [Ohlc(26_000.0, 26_600.0, 26_000.0, 26_000.0)]


def test_the_first_price_counts_once_it_is_borne_out_too() -> None:
    market = Market(0)
    market.store.follow(INDEX, market.ring)
    market.run(0.1, (NIFTY, 2_600.0))
    assert "has no price yet" in market.view().trouble
    market.run(1, (NIFTY, 26_000.0))
    growing = market.view().growing
    assert growing is not None
    assert growing.prices == flat(26_000.0)


def test_a_price_that_stays_in_doubt_leaves_the_minute_unseen() -> None:
    market, subject = Market(-1), Subject.of(CALL)
    market.store.follow(subject, market.ring)
    market.run(30, (CALL, 100.0))
    for price in (300.0, 900.0) * 120:
        market.run(0.1, (CALL, price), (NIFTY, 26_000.0))
    assert "nothing bears them out" in market.view(subject).trouble
    market.run(10, (CALL, 100.0))
    assert [candle.standing for candle in market.view(subject).ended] == [Standing.GAPPED]
