"""Max loss and max profit, and what an incomplete run may and may not trigger."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contracts import ContractKey
from app.domain.pnl import RunPnl
from app.domain.risk import RiskRule, RunRules, Trigger, judge

KEY = ContractKey("NFO", "NIFTY01DEC2625000CE")
RULES = RunRules(Decimal(5000), Decimal(3000))


def complete(total: int) -> RunPnl:
    return RunPnl(Decimal(0), Decimal(total), Decimal(total), Decimal(total), ())


def incomplete(bound: int | None) -> RunPnl:
    return RunPnl(Decimal(0), None, None, None if bound is None else Decimal(bound), (KEY,))


@pytest.mark.parametrize(
    ("pnl", "rule"),
    [
        (complete(-4999), None),
        (complete(-5000), RiskRule.MAX_LOSS),
        (complete(-9000), RiskRule.MAX_LOSS),
        (complete(2999), None),
        (complete(3000), RiskRule.MAX_PROFIT),
        (incomplete(-4999), None),
        (incomplete(-5000), RiskRule.MAX_LOSS),
        (incomplete(9000), None),  # an unknown profit is not taken
        (incomplete(None), None),  # no price, no decision
    ],
)
def test_judgement(pnl: RunPnl, rule: RiskRule | None) -> None:
    trigger = judge(RULES, pnl)
    assert (trigger and trigger.rule) == rule


def test_no_rules_no_trigger() -> None:
    assert judge(RunRules(None, None), complete(-1000000)) is None


def test_the_reason_is_a_sentence_with_its_figures() -> None:
    assert judge(RULES, complete(3120)) == Trigger(
        RiskRule.MAX_PROFIT,
        Decimal(3000),
        Decimal(3120),
        pessimistic=False,
        reason="Max profit of ₹3,000.00 reached: P&L is ₹3,120.00.",
    )
    bound = judge(RULES, incomplete(-6500))
    assert bound is not None
    assert bound.pessimistic
    assert bound.value == -6500
    assert "as low as −₹6,500.00" in bound.reason
    assert KEY.symbol in bound.reason


@given(st.integers(1, 100000), st.integers(1, 100000), st.integers(-200000, 200000))
def test_a_trigger_means_its_threshold_was_reached(loss: int, profit: int, total: int) -> None:
    trigger = judge(RunRules(Decimal(loss), Decimal(profit)), complete(total))
    assert (trigger is None) == (-loss < total < profit)
    if trigger is not None:
        assert abs(trigger.value) >= trigger.threshold
