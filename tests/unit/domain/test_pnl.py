"""A run's profit and loss: complete, incomplete, and the bound that max loss is judged by."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import ContractKey
from app.domain.money import Units
from app.domain.pnl import HeldLeg, Mark, run_pnl, together
from app.domain.positions import FLAT, PositionState

CE = ContractKey("NFO", "NIFTY01DEC2625000CE")
PE = ContractKey("NFO", "NIFTY01DEC2625000PE")


def held(key: ContractKey, units: int, average: int = 100, realised: int = 0) -> HeldLeg:
    return HeldLeg(key, PositionState(Units(units), Decimal(average), Decimal(realised)))


def mark(value: int, age_s: float = 0, bid: int | None = None, ask: int | None = None) -> Mark:
    as_price = {n: None if v is None else Decimal(v) for n, v in (("bid", bid), ("ask", ask))}
    return Mark(Decimal(value), age_s, as_price["bid"], as_price["ask"])


def test_a_complete_run_over_two_accounts() -> None:
    legs = [held(CE, -65, realised=500), held(CE, -65, average=110), held(PE, 65)]
    pnl = run_pnl(legs, {CE: mark(90), PE: mark(105)})
    assert (pnl.realised, pnl.unrealised, pnl.total) == (500, 650 + 1300 + 325, 2775)
    assert pnl.pessimistic == pnl.total
    assert pnl.is_complete


def test_one_stale_leg_leaves_the_total_unknown() -> None:
    pnl = run_pnl([held(CE, -65), held(PE, 65)], {CE: mark(90, age_s=10.1, ask=96), PE: mark(105)})
    assert (pnl.unrealised, pnl.total) == (None, None)
    assert pnl.missing == (CE,)
    assert pnl.pessimistic == 65 * 4 + 325  # the short at its last ask


def test_the_bound_takes_the_worse_of_touch_and_last() -> None:
    assert run_pnl([held(CE, -65)], {CE: mark(130, 60, ask=96)}).pessimistic == -65 * 30
    assert run_pnl([held(CE, 65)], {CE: mark(80, 60, bid=90)}).pessimistic == -65 * 20


def test_a_long_without_a_bid_counts_as_worthless_and_a_short_without_an_ask_has_no_bound() -> None:
    assert run_pnl([held(CE, 65)], {}).pessimistic == -6500
    assert run_pnl([held(CE, 65)], {CE: mark(90, 60)}).pessimistic == -6500
    assert run_pnl([held(CE, -65)], {CE: mark(90, 60)}).pessimistic is None
    assert run_pnl([held(CE, -65), held(PE, 65)], {PE: mark(105)}).pessimistic is None


def test_a_flat_leg_needs_no_mark() -> None:
    pnl = run_pnl([HeldLeg(CE, PositionState(Units(0), None, Decimal(-250)))], {})
    assert (pnl.total, pnl.missing) == (-250, ())
    assert run_pnl([], {}).total == 0
    assert run_pnl([HeldLeg(CE, FLAT)], {}).total == 0


def test_a_zero_mark_is_no_mark() -> None:
    assert run_pnl([held(CE, 65)], {CE: mark(0)}).missing == (CE,)


def test_a_contract_is_missing_once() -> None:
    assert run_pnl([held(CE, 65), held(CE, 65)], {}).missing == (CE,)


@given(st.integers(-10, 10), st.integers(1, 500), st.integers(1, 500), st.integers(0, 50), st.floats(0, 60))
def test_the_bound_is_never_better_than_the_total_would_be(
    lots: int, average: int, value: int, half: int, age_s: float
) -> None:
    legs = [held(CE, lots * 65, average)] if lots else []
    quoted = {CE: mark(value, age_s, bid=max(value - half, 1), ask=value + half)}
    at_once = run_pnl(legs, {CE: mark(value)})
    pnl = run_pnl(legs, quoted)
    assert pnl.pessimistic is not None
    assert at_once.total is not None
    assert pnl.pessimistic <= at_once.total
    assert (pnl.total is None) == bool(pnl.missing)


LEGS = st.lists(
    st.builds(
        held,
        st.sampled_from([CE, PE]),
        st.integers(-20, 20).map(lambda lots: lots * 65).filter(bool),
        st.integers(1, 500),
        st.integers(-9000, 9000),
    ),
    max_size=12,
)
MARKS = st.dictionaries(
    st.sampled_from([CE, PE]),
    st.builds(mark, st.integers(1, 500), st.sampled_from([0, 60]), st.integers(1, 500), st.integers(1, 500)),
)


@given(LEGS, MARKS)
def test_holdings_taken_together_are_worth_the_same(legs: list[HeldLeg], marks: dict[ContractKey, Mark]) -> None:
    apart, joined = run_pnl(legs, marks), run_pnl(together(legs), marks)
    assert set(joined.missing) == set(apart.missing)
    for name in ("realised", "unrealised", "total", "pessimistic"):
        one, other = getattr(apart, name), getattr(joined, name)
        assert (one is None) == (other is None)
        assert one is None or abs(one - other) < Decimal("1e-15")
    assert len(together(legs)) <= 4
