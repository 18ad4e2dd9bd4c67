"""The templates are what their names say: shown by what they are worth at expiry."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from app.domain.contracts import Contract, ContractKey, ContractMaster, Kind, Product, Side
from app.domain.errors import NotFound
from app.domain.payoff import Payoff, payoff
from app.domain.planning import check_strategy, resolve_legs
from app.domain.strategy import ExpiryWord, StrategySpec
from app.domain.structures import STRUCTURES, Structure, legs_of, structure_named

TODAY, EXPIRY, NEXT = date(2026, 11, 23), date(2026, 12, 1), date(2026, 12, 8)
SPOT = Decimal(25000)


def _listed() -> list[Contract]:
    return [
        Contract(
            ContractKey("NFO", f"NIFTY{expiry:%d%b%y}{strike}{kind.value}".upper()),
            "NIFTY",
            kind,
            expiry,
            Decimal(strike),
            65,
            Decimal("0.05"),
        )
        for expiry in (EXPIRY, NEXT)
        for strike in range(24000, 26001, 50)
        for kind in (Kind.CE, Kind.PE)
    ]


def _premium(contract: Contract) -> Decimal:
    """Worth now plus a time value that falls with distance, so that spreads cost less than their width."""
    assert contract.strike is not None
    inside = SPOT - contract.strike if contract.kind is Kind.CE else contract.strike - SPOT
    distance = abs(SPOT - contract.strike)
    return max(inside, Decimal(0)) + Decimal(200) * Decimal(400) / (Decimal(400) + distance)


def _payoff(structure: Structure) -> Payoff:
    master = ContractMaster(_listed())
    spec = StrategySpec(structure.name, legs_of(structure, "NIFTY", ExpiryWord.CURRENT_WEEK), 1, None, None)
    legs = resolve_legs(spec, master, {"NIFTY": SPOT}, {}, TODAY, closed_today=False)
    return payoff([(leg, _premium(leg.contract)) for leg in legs])


def _at(found: Payoff, spot: int) -> Decimal:
    """Rupees at that spot, on the straight lines between the points."""
    points = found.points
    for (low, left), (high, right) in pairwise(points):
        if low <= spot <= high:
            return left + (right - left) * (spot - low) / (high - low)
    raise AssertionError("the drawing does not reach that spot")


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda one: one.key)
def test_every_template_is_a_strategy_that_may_be_saved(structure: Structure) -> None:
    legs = legs_of(structure, "BANKNIFTY", date(2026, 12, 29), Product.NRML)
    check_strategy(StrategySpec(structure.name, legs, 1, None, None))
    assert [leg.number for leg in legs] == list(range(1, len(legs) + 1))
    assert {(leg.underlying, leg.product, leg.ratio) for leg in legs} == {("BANKNIFTY", Product.NRML, 1)}


@pytest.mark.parametrize(
    ("key", "loss_ends", "profit_ends"),
    [
        ("straddle", False, True),
        ("strangle", False, True),
        ("long_straddle", True, False),
        ("long_strangle", True, False),
        ("bull_put", True, True),
        ("bear_call", True, True),
        ("bull_call", True, True),
        ("bear_put", True, True),
        ("iron_condor", True, True),
        ("iron_fly", True, True),
    ],
)
def test_what_can_be_lost_and_won(key: str, loss_ends: bool, profit_ends: bool) -> None:
    found = _payoff(structure_named(key))
    assert (found.max_loss is not None) == loss_ends
    assert (found.max_profit is not None) == profit_ends


@pytest.mark.parametrize(
    ("keys", "wins_at", "loses_at"),
    [
        (("straddle", "strangle", "iron_condor", "iron_fly"), [25000], [24300, 25700]),
        (("long_straddle", "long_strangle"), [24000, 26000], [25000]),
        (("bull_put", "bull_call"), [25700], [24300]),
        (("bear_call", "bear_put"), [24300], [25700]),
    ],
)
def test_where_it_wins_and_loses(keys: tuple[str, ...], wins_at: list[int], loses_at: list[int]) -> None:
    for key in keys:
        found = _payoff(structure_named(key))
        assert all(_at(found, spot) > 0 for spot in wins_at), key
        assert all(_at(found, spot) < 0 for spot in loses_at), key


def test_hedges_come_before_what_they_cover() -> None:
    for structure in STRUCTURES:
        sides = [leg.side for leg in structure.legs]
        assert sides == sorted(sides, key=[Side.BUY, Side.SELL].index), structure.key


def test_an_unknown_template_names_those_there_are() -> None:
    with pytest.raises(NotFound, match="iron_condor"):
        structure_named("moon_rocket")
    assert len({one.key for one in STRUCTURES}) == len(STRUCTURES)
