"""The strictest of the states that apply to an order is its state."""

import itertools

import pytest

from app.domain.trading_states import TradingState, effective

A, R, H = TradingState.ACTIVE, TradingState.REDUCE_ONLY, TradingState.HALTED


@pytest.mark.parametrize(
    ("states", "wanted"),
    [
        ((), A),
        ((A,), A),
        ((R,), R),
        ((H,), H),
        ((A, A), A),
        ((A, R), R),
        ((A, H), H),
        ((R, H), H),
        ((A, R, H), H),
        ((R, R, A, A), R),
    ],
)
def test_the_strictest_wins_in_any_order(states: tuple[TradingState, ...], wanted: TradingState) -> None:
    assert {effective(order) for order in itertools.permutations(states)} == {wanted}
