"""Positions by average cost, and money that adds up."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Side
from app.domain.money import Units
from app.domain.positions import FLAT, Fill, cash_flow, fold, unrealised

AT = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def fills(*trades: tuple[int, object]) -> list[Fill]:
    """Signed units and price of each."""
    return [
        Fill("1", Side.BUY if units > 0 else Side.SELL, Units(abs(units)), Decimal(str(price)), AT)
        for units, price in trades
    ]


@pytest.mark.parametrize(
    ("trades", "units", "average", "realised"),
    [
        ([], 0, None, 0),
        ([(65, 100)], 65, 100, 0),
        ([(-65, 100)], -65, 100, 0),
        ([(65, 100), (65, 110)], 130, 105, 0),
        ([(65, 100), (65, 110), (-65, 120)], 65, 105, 975),
        ([(-130, 200), (65, 150)], -65, 200, 3250),
        ([(65, 100), (-65, 90)], 0, None, -650),
        ([(65, 100), (-130, 110)], -65, 110, 650),  # through zero: what is over starts at the fill's price
        ([(-65, 100), (130, 90), (-65, 95)], 0, None, 975),
        ([(65, "207.05"), (65, "377.35")], 130, "292.20", 0),  # a recorded order with two fills
    ],
)
def test_average_cost(trades: list[tuple[int, object]], units: int, average: object, realised: int) -> None:
    state = fold(fills(*trades))
    assert state.units == units
    assert state.average == (None if average is None else Decimal(str(average)))
    assert state.realised == realised


def test_unrealised_is_signed() -> None:
    assert unrealised(fold(fills((65, 100))), Decimal(110)) == 650
    assert unrealised(fold(fills((-65, 100))), Decimal(110)) == -650
    assert unrealised(FLAT, Decimal(110)) == 0


@pytest.mark.parametrize(("units", "price"), [(0, 100), (-65, 100), (65, 0), (65, -1), (65, "NaN")])
def test_what_is_not_a_fill_moves_nothing(units: int, price: object) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        fold([Fill("1", Side.BUY, Units(units), Decimal(str(price)), AT)])


some_fills = st.lists(
    st.builds(
        Fill,
        order_id=st.just("1"),
        side=st.sampled_from(Side),
        units=st.integers(1, 200).map(lambda lots: Units(lots * 65)),
        price=st.integers(1, 200000).map(lambda ticks: ticks * Decimal("0.05")),
        at=st.just(AT),
    ),
    max_size=40,
)
PENNY = Decimal("0.000001")


@given(some_fills, st.integers(1, 200000).map(lambda ticks: ticks * Decimal("0.05")))
def test_profit_is_cash_flow_plus_what_is_held(done: list[Fill], mark: Decimal) -> None:
    state = fold(done)
    assert abs(state.realised + unrealised(state, mark) - (cash_flow(done) + state.units * mark)) < PENNY
    assert state.units == sum(f.side.sign * f.units for f in done)
    assert (state.average is None) == (state.units == 0)


@given(some_fills, st.integers(0, 40))
def test_folding_in_two_parts_is_folding_at_once(done: list[Fill], cut: int) -> None:
    assert fold(done[cut:], fold(done[:cut])) == fold(done)


@given(some_fills)
def test_the_average_lies_within_the_prices_paid(done: list[Fill]) -> None:
    average = fold(done).average
    if average is not None:
        assert min(f.price for f in done) - PENNY <= average <= max(f.price for f in done) + PENNY
