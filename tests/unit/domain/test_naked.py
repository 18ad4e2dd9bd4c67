"""Shorts without the hedge their plan has: counted, and nothing else is."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import Kind, Side
from app.domain.naked import HeldLeg, naked_units

legs = st.lists(
    st.builds(
        lambda name, kind, side, planned, held: HeldLeg(name, kind, side, planned * 65, min(planned, held) * 65),
        st.sampled_from(["NIFTY", "SENSEX"]),
        st.sampled_from(Kind),
        st.sampled_from(Side),
        st.integers(1, 6),
        st.integers(0, 6),
    ),
    max_size=6,
)


def short(kind: Kind = Kind.CE, held: int = 65) -> HeldLeg:
    return HeldLeg("NIFTY", kind, Side.SELL, 65, held)


def hedge(kind: Kind = Kind.CE, held: int = 65, planned: int = 65) -> HeldLeg:
    return HeldLeg("NIFTY", kind, Side.BUY, planned, held)


def test_a_hedge_of_the_other_kind_hedges_nothing() -> None:
    assert naked_units([short(Kind.CE), hedge(Kind.CE, held=0), hedge(Kind.PE)]) == 65


def test_a_straddle_is_naked_by_choice() -> None:
    assert naked_units([short(Kind.CE), short(Kind.PE)]) == 0


def test_a_ratio_spread_is_naked_only_beyond_its_own_plan() -> None:
    sold = HeldLeg("NIFTY", Kind.CE, Side.SELL, 195, 195)
    assert naked_units([sold, hedge(held=65)]) == 0
    assert naked_units([sold, hedge(held=0)]) == 65


@given(legs)
def test_what_is_held_as_planned_is_never_naked(held: list[HeldLeg]) -> None:
    assert naked_units([replace(leg, held=leg.planned) for leg in held]) == 0
    assert naked_units([replace(leg, held=0) for leg in held]) == 0


@given(legs)
def test_hedges_first_in_and_shorts_first_out_is_never_naked(held: list[HeldLeg]) -> None:
    assert naked_units([leg if leg.side is Side.SELL else replace(leg, held=leg.planned) for leg in held]) == 0


@given(legs)
def test_never_more_than_what_is_sold_or_than_the_plan_hedges(held: list[HeldLeg]) -> None:
    naked = naked_units(held)
    assert 0 <= naked <= sum(leg.held for leg in held if leg.side is Side.SELL)
    assert naked <= sum(leg.planned for leg in held if leg.side is Side.BUY)
