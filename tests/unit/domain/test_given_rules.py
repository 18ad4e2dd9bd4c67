"""Which rules of a strategy can watch a position that it did not open: a table a trader can read and extend."""

from dataclasses import replace
from datetime import time
from decimal import Decimal
from typing import Any

import pytest

from app.domain.contracts import Kind, Product, Side
from app.domain.exit_rules import AccountRule, ExitRules
from app.domain.given_rules import NOTHING, Given, Watched, fit, leaves_at_once
from app.domain.leg_rules import LegRule, LegRules, Level, Measure
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule
from app.domain.supertrend import SupertrendExit, TrendOf, TrendTurn
from app.domain.trailing import Floors, ProfitLock, Trail, TrailKind

ATM = StrikeRule(StrikeMethod.ATM)
WEEK = ExpiryWord.CURRENT_WEEK


def leg(number: int, kind: Kind = Kind.CE, side: Side = Side.SELL, underlying: str = "NIFTY") -> LegSpec:
    return LegSpec(number, underlying, kind, WEEK, None if kind is Kind.FUT else ATM, side, 1, Product.MIS)


CALL, PUT, HEDGE = leg(1), leg(2, Kind.PE), leg(3, Kind.CE, Side.BUY)
SHORT_CALL = Watched(account_id=7, underlying="NIFTY", kind=Kind.CE, units=-130, average=Decimal("101.25"))
NO_AVERAGE = replace(SHORT_CALL, average=None)


def strategy(*legs: LegSpec, **rules: object) -> StrategySpec:
    limits = {"max_loss": None, "max_profit": None, **rules}
    return StrategySpec("S", legs or (CALL, PUT), 1, **limits)  # type: ignore[arg-type]


def stops(*rules: LegRule, to_cost: bool = False) -> ExitRules:
    return ExitRules(LegRules(rules, to_cost=to_cost))


def percent(size: int) -> Level:
    return Level(Measure.PERCENT, Decimal(size))


def points(size: int) -> Level:
    return Level(Measure.POINTS, Decimal(size))


def premium(size: int) -> Level:
    return Level(Measure.PREMIUM, Decimal(size))


def trend(of: TrendOf, leg_number: int | None = None) -> ExitRules:
    return ExitRules(supertrend=SupertrendExit(TrendTurn.BREAKOUT, of, leg_number))


def found(spec: StrategySpec, at: Watched = SHORT_CALL, *, passed: bool = False) -> tuple[Given, list[str]]:
    fitted = fit(spec, at, square_off_passed=passed)
    return fitted.given, [misfit.rule for misfit in fitted.misfits]


MONEY: dict[str, dict[str, Any]] = {
    "max loss": {"max_loss": Decimal(5000)},
    "max profit": {"max_profit": Decimal(9000)},
    "trail by an amount": {"floors": Floors(Trail(TrailKind.AMOUNT, Decimal(2000)))},
    "trail by a share of the premium": {"floors": Floors(Trail(TrailKind.PREMIUM_PCT, Decimal(20)))},
    "trail by a share of the peak": {"floors": Floors(Trail(TrailKind.PEAK_PCT, Decimal(20), Decimal(100)))},
    "locked profit": {"floors": Floors(lock=ProfitLock(Decimal(1000), Decimal(400)))},
    "limits of the account": {"exits": ExitRules(accounts=(AccountRule(7, Decimal(3000), trail=Decimal(100)),))},
}


@pytest.mark.parametrize("rules", MONEY.values(), ids=MONEY)
def test_what_is_measured_in_rupees_needs_the_average_that_the_broker_tells(rules: dict[str, Any]) -> None:
    spec = strategy(**rules)
    given, misfits = found(spec)
    assert (given, misfits) == (replace(NOTHING, **rules), [])
    nothing, misfits = found(spec, NO_AVERAGE)
    assert (nothing, len(misfits)) == (NOTHING, 1)


def test_a_rule_that_is_not_there_is_neither_given_nor_named() -> None:
    assert found(strategy()) == (NOTHING, [])


def test_a_share_of_next_to_no_premium_is_no_distance() -> None:
    spec = strategy(floors=Floors(Trail(TrailKind.PREMIUM_PCT, Decimal(20))))
    assert found(spec, replace(SHORT_CALL, average=Decimal(5))) == (NOTHING, ["Trailing stop"])


@pytest.mark.parametrize(
    ("legs", "rule", "at", "wanted", "misfits"),
    [
        ((CALL, PUT), LegRule(1, percent(25), percent(40)), SHORT_CALL, LegRule(1, percent(25), percent(40)), []),
        ((PUT, leg(4)), LegRule(4, points(20)), SHORT_CALL, LegRule(1, points(20)), []),  # its number here is 1
        ((CALL, PUT), LegRule(2, percent(25)), SHORT_CALL, None, ["Stop of leg 2"]),
        ((CALL, HEDGE), LegRule(3, percent(25)), SHORT_CALL, None, ["Stop of leg 3"]),
        ((CALL, HEDGE), LegRule(3, percent(25)), replace(SHORT_CALL, units=65), LegRule(1, percent(25)), []),
        ((CALL, leg(4)), LegRule(1, percent(25)), SHORT_CALL, None, ["Stop of leg 1"]),  # which of the two is it?
        ((leg(1, underlying="BANKNIFTY"),), LegRule(1, percent(25)), SHORT_CALL, None, ["Stop of leg 1"]),
        ((CALL,), LegRule(1, points(20)), NO_AVERAGE, None, ["Stop of leg 1"]),
        ((CALL,), LegRule(1, premium(140), points(20)), NO_AVERAGE, LegRule(1, premium(140)), ["Target of leg 1"]),
        ((CALL,), LegRule(1, None, points(102)), SHORT_CALL, None, ["Target of leg 1"]),  # below 0
    ],
)
def test_a_stop_of_a_leg_watches_the_one_leg_that_it_is(
    legs: tuple[LegSpec, ...], rule: LegRule, at: Watched, wanted: LegRule | None, misfits: list[str]
) -> None:
    given, named = found(strategy(*legs, exits=stops(rule)), at)
    assert given.exits.legs == (LegRules() if wanted is None else LegRules((wanted,)))
    assert named == misfits


def test_moving_stops_to_cost_is_named_since_there_is_no_other_leg() -> None:
    given, named = found(strategy(exits=stops(LegRule(1, percent(25)), to_cost=True)))
    assert (given.exits.legs, named) == (LegRules((LegRule(1, percent(25)),)), ["Moving stops to cost"])


@pytest.mark.parametrize(
    ("legs", "exits", "fits"),
    [
        ((CALL,), trend(TrendOf.PREMIUM), True),
        ((CALL, PUT), trend(TrendOf.PREMIUM), False),
        ((CALL, PUT), trend(TrendOf.LEG, 1), True),
        ((CALL, PUT), trend(TrendOf.LEG, 2), False),
        ((PUT,), trend(TrendOf.LEG, 2), False),
        ((PUT,), trend(TrendOf.UNDERLYING), True),
        ((leg(1, underlying="SENSEX"),), trend(TrendOf.UNDERLYING), False),
    ],
)
def test_a_supertrend_goes_where_its_candles_are_this_positions(
    legs: tuple[LegSpec, ...], exits: ExitRules, *, fits: bool
) -> None:
    for at in (SHORT_CALL, NO_AVERAGE):
        given, named = found(strategy(*legs, exits=exits), at)
        assert (given.exits.supertrend is not None, named == []) == (fits, fits)


def test_the_candles_of_a_leg_are_those_of_the_runs_only_leg() -> None:
    given, _ = found(strategy(PUT, leg(4), exits=trend(TrendOf.LEG, 4)))
    assert given.exits.supertrend is not None
    assert given.exits.supertrend.leg == 1


def test_limits_of_other_accounts_are_not_this_ones() -> None:
    assert found(strategy(exits=ExitRules(accounts=(AccountRule(8, Decimal(3000)),)))) == (NOTHING, [])


def test_a_square_off_that_is_over_is_not_given() -> None:
    spec = strategy(square_off=time(15, 10))
    assert found(spec, NO_AVERAGE)[0].square_off == time(15, 10)
    assert found(spec, passed=True) == (NOTHING, ["Square-off"])


def test_each_rule_is_said_with_what_it_comes_to() -> None:
    spec = strategy(CALL, max_loss=Decimal(5000), exits=stops(LegRule(1, percent(25), premium(40))))
    assert fit(spec, SHORT_CALL, square_off_passed=False).words == (
        "Leaves at a loss of ₹5,000.00.",
        "Stop 25 % from its average: at 126.56.",
        "Target at a premium of 40.00.",
    )
    (misfit,) = fit(strategy(max_loss=Decimal(5000)), NO_AVERAGE, square_off_passed=False).misfits
    assert misfit.words().startswith("Max loss: it is measured from the average, and the broker tells none")


@pytest.mark.parametrize(
    ("total", "at_once"), [("-4999.99", False), ("-5000", True), ("8999", False), ("9000", True), (None, False)]
)
def test_a_limit_that_is_reached_already_is_said_before_the_click(total: str | None, *, at_once: bool) -> None:
    for given in (
        Given(Decimal(5000), Decimal(9000)),
        Given(exits=ExitRules(accounts=(AccountRule(7, Decimal(5000), Decimal(9000)),))),
    ):
        assert (leaves_at_once(given, None if total is None else Decimal(total)) is not None) is at_once
