"""The forward of parity: the median of a few young two-sided pairs, or none."""

import pytest

from app.domain.parity import Pair, middle, parity_forward


def pair(strike: float, forward: float = 25_110.0) -> Pair:
    return Pair(strike, 200.0, 200.0 + strike - forward)


def test_the_forward_is_where_calls_and_puts_agree() -> None:
    assert parity_forward([pair(strike) for strike in (24_900, 24_950, 25_000, 25_050, 25_100)]) == 25_110.0


def test_one_quote_that_is_off_does_not_move_it() -> None:
    assert parity_forward([pair(25_000), pair(25_050, forward=26_000.0), pair(25_100), None]) == 25_110.0


def test_two_pairs_are_too_few_to_know_which_is_off() -> None:
    assert parity_forward([pair(25_000), pair(25_050), None, None, None]) is None


@pytest.mark.parametrize(
    ("bid", "ask", "age_s", "found"),
    [
        (10.0, 11.0, 2.0, 10.5),
        (10.0, 10.0, 10.0, 10.0),
        (10.0, 11.0, 10.1, None),
        (None, 11.0, 1.0, None),
        (10.0, None, 1.0, None),
        (10.0, 11.0, None, None),
        (11.0, 10.0, 1.0, None),
        (0.0, 10.0, 1.0, None),
    ],
)
def test_a_middle_needs_both_sides_in_order_and_young(
    bid: float | None, ask: float | None, age_s: float | None, found: float | None
) -> None:
    assert middle(bid, ask, age_s, oldest_s=10.0) == found
