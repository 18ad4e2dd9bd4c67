"""Payoffs at expiry of the usual structures."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Contract, ContractKey, Kind, Product, Side
from app.domain.errors import Refused
from app.domain.payoff import Payoff, payoff
from app.domain.plan import ResolvedLeg

EXPIRY = date(2026, 12, 1)


def structure(*rows: tuple[int, Kind, int | None, int], structures: int = 1) -> Payoff:
    """Rows of signed ratio, kind, strike, premium; lots of 10."""
    entered = []
    for number, (ratio, kind, strike, premium) in enumerate(rows, 1):
        key = ContractKey("NFO", f"{kind}{strike}-{number}")
        price = None if strike is None else Decimal(strike)
        contract = Contract(key, "NIFTY", kind, EXPIRY, price, 10, Decimal("0.05"))
        side = Side.BUY if ratio > 0 else Side.SELL
        entered.append((ResolvedLeg(number, contract, side, abs(ratio), Product.NRML, ""), Decimal(premium)))
    return payoff(entered, structures)


CE, PE, FUT = Kind.CE, Kind.PE, Kind.FUT


@pytest.mark.parametrize(
    ("rows", "break_evens", "max_profit", "max_loss"),
    [
        ([(1, CE, 100, 10)], [110], None, 100),
        ([(-1, CE, 100, 10)], [110], 100, None),
        ([(1, PE, 100, 10)], [90], 900, 100),
        ([(-1, PE, 100, 10)], [90], 100, 900),
        ([(-1, CE, 100, 10), (-1, PE, 100, 10)], [80, 120], 200, None),  # short straddle
        ([(1, CE, 110, 5), (1, PE, 90, 5)], [80, 120], None, 100),  # long strangle
        ([(1, CE, 100, 10), (-1, CE, 120, 4)], [106], 140, 60),  # bull call spread
        ([(-1, CE, 110, 5), (1, CE, 120, 2), (-1, PE, 90, 5), (1, PE, 80, 2)], [84, 116], 60, 40),  # iron condor
        ([(1, CE, 100, 10), (-2, CE, 120, 4)], [102, 138], 180, None),  # ratio spread
        ([(1, FUT, None, 100)], [100], None, 1000),
        ([(-1, FUT, None, 100)], [100], 1000, None),
        ([(1, FUT, None, 100), (1, PE, 100, 10)], [110], None, 100),  # a future with its insurance
        ([(1, CE, 100, 5), (-1, CE, 120, 30)], [], 450, 0),  # it cannot lose
    ],
)
def test_usual_structures(
    rows: list[tuple[int, Kind, int | None, int]], break_evens: list[int], max_profit: object, max_loss: object
) -> None:
    drawn = structure(*rows)
    assert list(drawn.break_evens) == break_evens
    assert (drawn.max_profit, drawn.max_loss) == (max_profit, max_loss)


def test_more_structures_scale_everything_but_the_break_evens() -> None:
    one, three = structure((1, CE, 100, 10)), structure((1, CE, 100, 10), structures=3)
    assert three.break_evens == one.break_evens
    assert three.max_loss == 300


def test_between_the_points_and_beyond_them_it_goes_on_straight() -> None:
    drawn = structure((-1, CE, 100, 10))
    assert [drawn.at(Decimal(spot)) for spot in (0, 50, 100, 110, 120, 1000)] == [100, 100, 100, 0, -100, -8900]
    with pytest.raises(Refused, match="two points"):
        Payoff((), (), None, None).at(Decimal(1))


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(Refused, match="one index and one expiry"):
        payoff([])


rows = st.tuples(
    st.sampled_from([-2, -1, 1, 2]), st.sampled_from([CE, PE]), st.integers(2, 40).map(lambda n: n * 5),
    st.integers(1, 50),
)  # fmt: skip


@given(st.lists(rows, min_size=1, max_size=5))
def test_the_picture_agrees_with_its_figures(legs: list[tuple[int, Kind, int | None, int]]) -> None:
    drawn = structure(*legs)
    spots = [spot for spot, _ in drawn.points]
    assert spots == sorted(spots)
    assert all(spots[0] <= spot < spots[-1] for spot in drawn.break_evens)
    for _, value in drawn.points:
        assert drawn.max_profit is None or value <= drawn.max_profit
        assert drawn.max_loss is None or -value <= drawn.max_loss

    def worth(spot: Decimal) -> Decimal:
        total = Decimal(0)
        for ratio, kind, strike, premium in legs:
            inside = spot - strike if kind is CE else strike - spot  # type: ignore[operator]
            total += ratio * 10 * (max(inside, Decimal(0)) - premium)
        return total

    assert all(worth(spot) == value for spot, value in drawn.points)
    assert all(abs(worth(spot)) < Decimal("1e-15") for spot in drawn.break_evens)
