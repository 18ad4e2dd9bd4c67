"""The templates are what their names say: shown by what they are worth at expiry."""

from datetime import date
from decimal import Decimal

import pytest

from app.domain.contracts import Contract, ContractKey, ContractMaster, Kind, Product, Side
from app.domain.errors import NotFound, Refused
from app.domain.money import ZERO, Units
from app.domain.orders import IntentState, Purpose
from app.domain.payoff import Payoff, payoff
from app.domain.plan import ResolvedLeg
from app.domain.planning import check_strategy, resolve_legs
from app.domain.strategy import ExpiryWord, StrategySpec
from app.domain.structures import STRUCTURES, Structure, legs_of, structure_named
from app.domain.waves import WaveItem, releasable
from app.domain.worth import HeldLeg, at_first_expiry

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
    return (max(inside, Decimal(0)) + Decimal(200) * Decimal(400) / (Decimal(400) + distance)).quantize(Decimal("0.01"))


ONE_EXPIRY = [one for one in STRUCTURES if not one.has_later]
TWO_EXPIRIES = [one for one in STRUCTURES if one.has_later]


def _resolved(structure: Structure) -> tuple[ResolvedLeg, ...]:
    master = ContractMaster(_listed())
    legs = legs_of(structure, "NIFTY", ExpiryWord.CURRENT_WEEK, ExpiryWord.NEXT_WEEK)
    spec = StrategySpec(structure.name, legs, 1, None, None)
    return tuple(resolve_legs(spec, master, {"NIFTY": SPOT}, {}, TODAY, closed_today=False))


def _payoff(key: str) -> Payoff:
    """Of one structure, at the first expiry of its legs."""
    structure = structure_named(key)
    legs = _resolved(structure)
    if not structure.has_later:
        return payoff([(leg, _premium(leg.contract)) for leg in legs])
    held = []
    for leg in legs:
        later = leg.contract.expiry == NEXT
        entry = 330.0 if later else float(_premium(leg.contract))
        years = 35 / 365 if later else 7 / 365
        units = leg.side.sign * leg.ratio * 65
        assert leg.contract.strike is not None
        strike = float(leg.contract.strike)
        held.append(HeldLeg(leg.contract.kind, strike, units, entry, leg.contract.expiry, years, 0.0, 0.12))
    return at_first_expiry(held)


def _credit(key: str) -> Decimal:
    """Rupees received for one structure; below 0 when it costs."""
    legs = _resolved(structure_named(key))
    return -sum((_premium(leg.contract) * leg.side.sign * leg.ratio * 65 for leg in legs), ZERO)


def test_there_is_what_option_traders_look_for() -> None:
    assert len(STRUCTURES) >= 14
    assert len({one.key for one in STRUCTURES}) == len({one.name for one in STRUCTURES}) == len(STRUCTURES)


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda one: one.key)
def test_every_template_is_a_strategy_that_may_be_saved(structure: Structure) -> None:
    legs = legs_of(structure, "BANKNIFTY", date(2026, 12, 29), date(2027, 1, 26), Product.NRML)
    check_strategy(StrategySpec(structure.name, legs, 1, None, None))
    assert [leg.number for leg in legs] == list(range(1, len(legs) + 1))
    assert {(leg.underlying, leg.product) for leg in legs} == {("BANKNIFTY", Product.NRML)}
    expiries = {leg.expiry for leg in legs}
    assert expiries == ({date(2026, 12, 29), date(2027, 1, 26)} if structure.has_later else {date(2026, 12, 29)})


NO_END = None
"""Of a loss or a profit above every strike."""
FLAT, FALLS, RISES = 0, -1, 1
"""What it does as the index goes on, beyond the outermost strikes: below them it goes down, above them up."""


BEYOND = [
    ("straddle", FALLS, FALLS),
    ("strangle", FALLS, FALLS),
    ("iron_condor", FLAT, FLAT),
    ("iron_fly", FLAT, FLAT),
    ("jade_lizard", FALLS, FLAT),
    ("bull_put", FLAT, FLAT),
    ("bear_call", FLAT, FLAT),
    ("bull_call", FLAT, FLAT),
    ("bear_put", FLAT, FLAT),
    ("butterfly", FLAT, FLAT),
    ("put_butterfly", FLAT, FLAT),
    ("broken_wing_call", FLAT, FLAT),
    ("broken_wing_put", FLAT, FLAT),
    ("call_ratio", FLAT, FALLS),
    ("put_ratio", FALLS, FLAT),
    ("call_backspread", FLAT, RISES),
    ("put_backspread", RISES, FLAT),
    ("long_straddle", RISES, RISES),
    ("long_strangle", RISES, RISES),
    ("synthetic_long", FALLS, RISES),
    ("synthetic_short", RISES, FALLS),
]
"""Every structure of one expiry."""


@pytest.mark.parametrize(("key", "further_down", "further_up"), BEYOND)
def test_what_can_be_lost_and_won_beyond_its_strikes(key: str, further_down: int, further_up: int) -> None:
    """Defined risk is flat on both sides: the loss there is the most there is, however far the index goes."""
    found = _payoff(key)
    (low, at_low), (high, at_high) = found.points[1], found.points[-2]
    assert _sign(found.points[0][1] - at_low) == further_down
    assert _sign(found.points[-1][1] - at_high) == further_up
    assert Decimal(24400) <= low <= high <= Decimal(25600)
    assert (found.max_loss is NO_END) == (further_up == FALLS)
    assert (found.max_profit is NO_END) == (further_up == RISES)
    if further_down == further_up == FLAT:
        assert found.max_loss is not None
        assert 0 < found.max_loss == -min(at for _, at in found.points)


def test_every_structure_of_one_expiry_is_in_that_table() -> None:
    assert {key for key, _, _ in BEYOND} == {one.key for one in ONE_EXPIRY}


def _sign(value: Decimal) -> int:
    return (value > 0) - (value < 0)


@pytest.mark.parametrize(
    ("keys", "wins_at", "loses_at"),
    [
        (("straddle", "strangle", "iron_condor", "iron_fly"), [25000], [24300, 25700]),
        (("long_straddle", "long_strangle"), [24000, 26000], [25000]),
        (("bull_put", "bull_call", "synthetic_long"), [25700], [24300]),
        (("bear_call", "bear_put", "synthetic_short"), [24300], [25700]),
        (("butterfly", "put_butterfly", "call_calendar", "put_calendar"), [25000], [24300, 25700]),
        (("jade_lizard",), [24800, 25100, 25700], [24300]),
        (("broken_wing_call",), [24300, 25200], [25700]),
        (("broken_wing_put",), [25700, 24800], [24300]),
        (("call_ratio",), [25200], [25700]),
        (("put_ratio",), [24800], [24300]),
        (("call_backspread",), [26000], [25200]),
        (("put_backspread",), [24000], [24800]),
    ],
)
def test_where_it_wins_and_loses(keys: tuple[str, ...], wins_at: list[int], loses_at: list[int]) -> None:
    for key in keys:
        found = _payoff(key)
        assert all(found.at(Decimal(spot)) > 0 for spot in wins_at), key
        assert all(found.at(Decimal(spot)) < 0 for spot in loses_at), key


@pytest.mark.parametrize("key", ["butterfly", "put_butterfly"])
def test_a_butterfly_loses_the_same_on_both_sides_and_wins_most_in_the_middle(key: str) -> None:
    found = _payoff(key)
    assert found.max_loss == -_credit(key)
    assert found.at(Decimal(24800)) == found.at(Decimal(25200)) == _credit(key)
    assert found.max_profit == found.at(SPOT) == 200 * 65 + _credit(key)


@pytest.mark.parametrize(
    ("key", "narrow", "wide"), [("broken_wing_call", 24000, 26000), ("broken_wing_put", 26000, 24000)]
)
def test_a_broken_wing_loses_by_its_wider_wing_alone(key: str, narrow: int, wide: int) -> None:
    found = _payoff(key)
    assert found.at(Decimal(narrow)) == _credit(key) > 0
    assert found.at(Decimal(wide)) == _credit(key) - 100 * 65 == -(found.max_loss or ZERO)


def test_a_jade_lizard_loses_nothing_above_when_its_credit_is_wider_than_its_calls() -> None:
    found = _payoff("jade_lizard")
    assert _credit("jade_lizard") > 100 * 65
    assert found.at(Decimal(26000)) == _credit("jade_lizard") - 100 * 65 > 0


@pytest.mark.parametrize("key", ["call_calendar", "put_calendar"])
def test_a_calendar_loses_no_more_than_it_costs_and_is_carried(key: str) -> None:
    found = _payoff(key)
    assert found.max_loss is not None
    assert found.max_loss <= 65 * (330 - 200)
    assert found.max_profit is not None
    assert {leg.product for leg in _resolved(structure_named(key))} == {Product.NRML}


@pytest.mark.parametrize("structure", TWO_EXPIRIES, ids=lambda one: one.key)
@pytest.mark.parametrize("later", [None, ExpiryWord.CURRENT_WEEK])
def test_two_expiries_are_never_one(structure: Structure, later: ExpiryWord | None) -> None:
    with pytest.raises(Refused, match="second, later expiry"):
        legs_of(structure, "NIFTY", ExpiryWord.CURRENT_WEEK, later)


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda one: one.key)
def test_hedges_go_before_what_they_cover(structure: Structure) -> None:
    """What is bought stands first and is sent first; nothing is sold before the last of it has filled."""
    legs = _resolved(structure)
    sides = [leg.side for leg in legs]
    assert sides == sorted(sides, key=[Side.BUY, Side.SELL].index)
    waiting = [WaveItem(leg.number, leg.side, IntentState.READY, Units(leg.ratio * 65), Units(0)) for leg in legs]
    bought = {number for number, side in enumerate(sides) if side is Side.BUY}
    assert releasable(Purpose.ENTRY, waiting) == (bought or set(range(len(legs))))
    filled = [
        WaveItem(leg.number, leg.side, IntentState.FILLED, Units(leg.ratio * 65), Units(leg.ratio * 65))
        if leg.side is Side.BUY
        else item
        for leg, item in zip(legs, waiting, strict=True)
    ]
    assert releasable(Purpose.ENTRY, filled) == set(range(len(legs))) - bought


def test_an_unknown_template_names_those_there_are() -> None:
    with pytest.raises(NotFound, match="iron_condor"):
        structure_named("moon_rocket")
