"""What a structure is worth before its expiry: golden figures, and what holds for any legs at all."""

import math
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Contract, ContractKey, Kind, Product, Side
from app.domain.errors import Refused
from app.domain.payoff import payoff
from app.domain.plan import ResolvedLeg
from app.domain.worth import HeldLeg, WhatIf, at_first_expiry, greeks, horizon, price, worth

NEAR, FAR = date(2026, 12, 1), date(2026, 12, 29)
CE, PE, FUT = Kind.CE, Kind.PE, Kind.FUT
WEEK, MONTH = 7 / 365, 35 / 365


def leg(kind: Kind, strike: float | None, units: int, entry: float, years: float = WEEK, basis: float = 0.0) -> HeldLeg:
    volatility = None if kind is FUT else 0.12
    return HeldLeg(kind, strike, units, entry, NEAR if years == WEEK else FAR, years, basis, volatility)


@pytest.mark.parametrize(
    ("held", "spot", "case", "rupees"),
    [
        # forward 25,012: Black-76 of 25,000 CE at 12 % and 7 days is 171.85 points, by statistics.NormalDist
        (leg(CE, 25000, 65, 171.85, basis=12.0), 25000, WhatIf(), 0),
        (leg(CE, 25000, -65, 171.85, basis=12.0), 25100, WhatIf(years=WEEK), (171.85 - 100) * 65),
        (leg(PE, 25000, 65, 100.0), 24800, WhatIf(years=WEEK), (200 - 100) * 65),
        (leg(FUT, None, 65, 25060.0, MONTH, basis=60.0), 25000, WhatIf(), 0),
        (leg(FUT, None, 65, 25060.0, MONTH, basis=60.0), 25000, WhatIf(years=MONTH / 2), -30 * 65),  # half has faded
        (leg(FUT, None, -65, 25060.0, MONTH, basis=60.0), 25000, WhatIf(years=MONTH), 60 * 65),
    ],
)
def test_a_leg_at_a_spot_and_a_day(held: HeldLeg, spot: float, case: WhatIf, rupees: float) -> None:
    assert worth([held], spot, case) == pytest.approx(rupees, abs=1.0)


def test_more_volatility_is_worth_more_and_less_never_falls_below_what_exercise_pays() -> None:
    held = leg(CE, 25000, 65, 0.0)
    calm, now, wild = (price(held, 25200, WhatIf(shift=shift)) for shift in (-0.5, 0.0, 0.05))
    assert 200 <= calm < now < wild


def test_greeks_are_of_one_unit_and_a_future_moves_with_the_index() -> None:
    found = greeks(leg(CE, 25000, -65, 0.0), 25000)
    assert found is not None
    assert found.delta == pytest.approx(0.5, abs=0.01)
    assert found.theta < 0 < found.vega
    future = greeks(leg(FUT, None, 65, 25000.0), 25000)
    assert future is not None
    assert (future.delta, future.gamma, future.theta, future.vega) == (1, 0, 0, 0)
    assert greeks(leg(PE, 25000, 65, 0.0), 25000, WhatIf(years=WEEK)) is None


CALENDAR = [leg(CE, 25000, -65, 120.0), leg(CE, 25000, 65, 330.0, MONTH, basis=40.0)]


def test_a_calendar_is_valued_at_its_nearest_expiry() -> None:
    assert horizon(CALENDAR) == WEEK
    found = at_first_expiry(CALENDAR)
    assert found.max_profit is not None
    assert found.max_loss is not None
    assert found.max_loss <= 65 * 210, "the debit is the most it can lose: where both are worth nothing"
    assert found.max_loss > 65 * 170
    low, high = found.break_evens
    assert low < 25000 < high
    top = max(found.points, key=lambda point: point[1])
    assert abs(top[0] - 25000) < 120, "it is worth most where the sold one ends at the money"


def test_a_month_that_is_sold_against_a_week_can_lose_without_end_only_where_it_is_not_covered() -> None:
    ratio = [leg(CE, 25000, -130, 120.0), leg(CE, 25000, 65, 330.0, MONTH)]
    found = at_first_expiry(ratio)
    assert found.max_loss is None
    assert found.max_profit is not None


def test_no_legs_are_refused() -> None:
    with pytest.raises(Refused, match="no legs"):
        at_first_expiry([])


def resolved(held: list[HeldLeg]) -> list[tuple[ResolvedLeg, Decimal]]:
    """The same legs for domain.payoff; lots of one unit."""
    entered = []
    for number, each in enumerate(held, 1):
        key = ContractKey("NFO", f"{number}")
        strike = None if each.strike is None else Decimal(f"{each.strike:.0f}")
        contract = Contract(key, "NIFTY", each.kind, NEAR, strike, 1, Decimal("0.05"))
        side = Side.BUY if each.units > 0 else Side.SELL
        leg = ResolvedLeg(number, contract, side, abs(each.units), Product.NRML, "")
        entered.append((leg, Decimal(f"{each.entry:.2f}")))
    return entered


some_legs = st.lists(
    st.tuples(
        st.sampled_from([CE, PE, FUT]), st.integers(-3, 3).filter(bool), st.integers(96, 104).map(lambda n: n * 250.0),
        st.integers(1, 400).map(float),
    ).map(lambda row: leg(row[0], None if row[0] is FUT else row[2], row[1], row[2] if row[0] is FUT else row[3])),
    min_size=1,
    max_size=6,
)  # fmt: skip


@given(some_legs, st.integers(23000, 27000))
def test_the_curve_of_a_day_becomes_the_payoff_as_its_days_run_out(held: list[HeldLeg], spot: int) -> None:
    at_end = worth(held, spot, WhatIf(years=WEEK))
    units = sum(abs(each.units) for each in held)
    for seconds in (86_400, 3_600, 60, 1):
        before = worth(held, spot, WhatIf(years=WEEK - seconds / (365 * 86_400)))
        time_value = 0.4 * 0.12 * math.sqrt(seconds / (365 * 86_400)) * spot
        assert abs(before - at_end) <= units * time_value + 1e-6


@given(some_legs)
def test_with_one_expiry_it_says_what_the_exact_payoff_says(held: list[HeldLeg]) -> None:
    modelled, exact = at_first_expiry(held), payoff(resolved(held))
    for ours, theirs in (
        (modelled.max_profit, exact.max_profit),
        (modelled.max_loss, exact.max_loss),
    ):
        assert (ours is None) == (theirs is None)
        assert ours is None or theirs is None or abs(ours - theirs) <= Decimal("0.05")
    for zero in exact.break_evens:
        value = worth(held, float(zero), WhatIf(years=WEEK))
        assert abs(value) < 1e-6 * max(1.0, float(zero))
    if len(exact.break_evens) == len(modelled.break_evens):  # a touch without a crossing is one for the exact one only
        pairs = zip(modelled.break_evens, exact.break_evens, strict=True)
        assert all(abs(ours - theirs) <= Decimal("0.02") for ours, theirs in pairs)


@given(some_legs)
def test_break_evens_are_zeros_and_between_them_the_sign_stays(held: list[HeldLeg]) -> None:
    found = at_first_expiry(held)
    slope = max(1, sum(abs(each.units) for each in held))
    for zero in found.break_evens:
        assert abs(worth(held, float(zero), WhatIf(years=WEEK))) <= 0.01 * slope
    for (low, left), (high, right) in pairwise(found.points):
        crossed = any(low <= zero <= high for zero in found.break_evens)
        assert crossed or left * right >= 0 or min(abs(left), abs(right)) < Decimal("0.01")


@given(some_legs)
def test_at_expiry_the_worth_is_straight_between_strikes(held: list[HeldLeg]) -> None:
    corners = sorted({0.0, *(each.strike for each in held if each.strike is not None)})
    case = WhatIf(years=WEEK)
    for low, high in pairwise(corners):
        middle = worth(held, (low + high) / 2, case)
        assert middle == pytest.approx((worth(held, low, case) + worth(held, high, case)) / 2, abs=1e-6)
