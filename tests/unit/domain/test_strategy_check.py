"""Every wrong field of a strategy is named, with what to do about it."""

from dataclasses import replace
from datetime import date, time
from decimal import Decimal

import pytest

from app.domain.contracts import Kind, PriceType, Product, Side
from app.domain.errors import InvalidInput
from app.domain.failure_policy import MOST_RETRIES, FailurePolicy, LegPolicy
from app.domain.planning import check_strategy
from app.domain.price_types import PriceTerms
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule

M = StrikeMethod
CE = LegSpec(1, "NIFTY", Kind.CE, ExpiryWord.CURRENT_WEEK, StrikeRule(M.ATM), Side.SELL, 1, Product.NRML)
PE = replace(CE, number=2, kind=Kind.PE)
FUT = replace(CE, number=3, kind=Kind.FUT, strike=None, expiry=ExpiryWord.CURRENT_MONTH)
STRADDLE = StrategySpec("Straddle", (CE, PE), 1, Decimal(5000), None)


def rule(method: StrikeMethod, value: object = None) -> StrikeRule:
    return StrikeRule(method, None if value is None else Decimal(str(value)))


def with_leg(**changes: object) -> StrategySpec:
    return replace(STRADDLE, legs=(CE, replace(PE, **changes)))  # type: ignore[arg-type]


GOOD = [
    STRADDLE,
    replace(STRADDLE, max_loss=None, max_profit=Decimal("0.01")),
    replace(STRADDLE, legs=(CE, PE, FUT), structures=500),
    replace(STRADDLE, legs=(CE, replace(CE, number=2))),  # the same twice is only more of it
    with_leg(expiry=date(2026, 12, 1), strike=rule(M.STRIKE, 25000)),
    with_leg(strike=rule(M.OTM, 20)),
    with_leg(strike=rule(M.PREMIUM_NEAR, "0.05"), ratio=50),
]


@pytest.mark.parametrize("spec", GOOD)
def test_good_strategies_pass(spec: StrategySpec) -> None:
    check_strategy(spec)


BAD = [
    (with_leg(pricing=PriceTerms(PriceType.SLM, None, Decimal(90))), "legs[1].price_type"),
    (with_leg(pricing=PriceTerms(PriceType.LIMIT)), "legs[1].limit_price"),
    (replace(STRADDLE, max_workers=0), "max_workers"),
    (replace(STRADDLE, max_workers=11), "max_workers"),
    (replace(STRADDLE, failure=FailurePolicy(LegPolicy.RETRY, 0)), "retries"),
    (replace(STRADDLE, failure=FailurePolicy(LegPolicy.RETRY, MOST_RETRIES + 1)), "retries"),
    (replace(STRADDLE, failure=FailurePolicy(LegPolicy.KEEP, 1)), "retries"),
    (with_leg(pricing=PriceTerms(PriceType.SL, Decimal(90))), "legs[1].trigger_price"),
    (replace(STRADDLE, name="  "), "name"),
    (replace(STRADDLE, name="x" * 81), "name"),
    (replace(STRADDLE, structures=0), "structures"),
    (replace(STRADDLE, structures=501), "structures"),
    (replace(STRADDLE, legs=()), "legs"),
    (replace(STRADDLE, legs=tuple(replace(CE, number=n) for n in range(21))), "legs"),
    (replace(STRADDLE, max_loss=Decimal(0)), "max_loss"),
    (replace(STRADDLE, max_loss=Decimal("NaN")), "max_loss"),
    (replace(STRADDLE, max_profit=Decimal(-1)), "max_profit"),
    (replace(STRADDLE, square_off=time(9, 15)), "square_off"),
    (with_leg(underlying="GOLD"), "legs[1].underlying"),
    (with_leg(ratio=0), "legs[1].ratio"),
    (with_leg(ratio=51), "legs[1].ratio"),
    (with_leg(strike=None), "legs[1].strike"),
    (with_leg(kind=Kind.FUT), "legs[1].strike"),
    (with_leg(kind=Kind.FUT, strike=None), "legs[1].expiry"),
    (with_leg(strike=rule(M.ATM, 1)), "legs[1].strike"),
    (with_leg(strike=rule(M.OTM)), "legs[1].strike"),
    (with_leg(strike=rule(M.OTM, 0)), "legs[1].strike"),
    (with_leg(strike=rule(M.ITM, "1.5")), "legs[1].strike"),
    (with_leg(strike=rule(M.ITM, 21)), "legs[1].strike"),
    (with_leg(strike=rule(M.STRIKE, "Infinity")), "legs[1].strike"),
    (with_leg(strike=rule(M.PREMIUM_NEAR, -5)), "legs[1].strike"),
    (with_leg(number=1), "legs[1].number"),
    (with_leg(kind=Kind.CE, side=Side.BUY), "legs[1].side"),
]


@pytest.mark.parametrize(("spec", "field"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_bad_strategies_name_their_field(spec: StrategySpec, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_strategy(spec)
    assert refused.value.field == field
    assert len(str(refused.value)) > 10
