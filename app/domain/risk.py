"""When a run must be left: max loss and max profit, judged on what is known."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.pnl import RunPnl
from app.domain.trailing import is_below
from app.domain.wording import inr


class RiskRule(StrEnum):
    MAX_LOSS = "max_loss"
    MAX_PROFIT = "max_profit"
    SQUARE_OFF = "square_off"
    TRAIL = "trail"
    LOCK = "lock"
    LEG_STOP = "leg_stop"
    LEG_TARGET = "leg_target"
    SUPERTREND = "supertrend"


@dataclass(frozen=True, slots=True)
class RunRules:
    """Positive rupees over the whole run; None for no such rule.

    `trail_floor` and `lock_floor` are the P&L at or below which the run is left, as its peak stands; below 0 they are
    losses.
    """

    max_loss: Decimal | None
    max_profit: Decimal | None
    trail_floor: Decimal | None = None
    lock_floor: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """A rule that says exit. `threshold` is the rule's own figure, `value` the P&L it was judged on.

    `pessimistic` is True when that P&L is the bound of an incomplete run. `reason` is a sentence for the trader.
    """

    rule: RiskRule
    threshold: Decimal
    value: Decimal
    pessimistic: bool
    reason: str


def judge(rules: RunRules, pnl: RunPnl) -> Trigger | None:
    """The rule that `pnl` breaks, or None when none does or nobody can say.

    An incomplete run never takes its profit, and is judged for max loss by its pessimistic bound; without even that
    there is no decision.

    >>> rules = RunRules(Decimal(5000), None)
    >>> judge(rules, RunPnl(Decimal(0), Decimal(-5000), Decimal(-5000), Decimal(-5000), ())).reason
    'Max loss of ₹5,000.00 reached: P&L is −₹5,000.00.'
    """
    worst = pnl.total if pnl.total is not None else pnl.pessimistic
    if rules.max_loss is not None and worst is not None and worst <= -rules.max_loss:
        return _loss(rules.max_loss, worst, pnl)
    if rules.max_profit is not None and pnl.total is not None and pnl.total >= rules.max_profit:
        reason = f"Max profit of {inr(rules.max_profit)} reached: P&L is {inr(pnl.total)}."
        return Trigger(RiskRule.MAX_PROFIT, rules.max_profit, pnl.total, pessimistic=False, reason=reason)
    return _fallen_back(rules, pnl)


def _fallen_back(rules: RunRules, pnl: RunPnl) -> Trigger | None:
    """The higher of the floors that were reached names itself. An incomplete run is below none."""
    floors = {RiskRule.TRAIL: ("Trailing stop", rules.trail_floor), RiskRule.LOCK: ("Locked profit", rules.lock_floor)}
    reached = [(floor, rule, name) for rule, (name, floor) in floors.items() if floor is not None]
    for floor, rule, name in sorted(reached, key=lambda each: -each[0]):
        if pnl.total is not None and is_below(pnl.total, floor):
            reason = f"{name} at {inr(floor)} reached: P&L is {inr(pnl.total)}."
            return Trigger(rule, floor, pnl.total, pessimistic=False, reason=reason)
    return None


def _loss(threshold: Decimal, value: Decimal, pnl: RunPnl) -> Trigger:
    reached = f"Max loss of {inr(threshold)} reached: "
    if pnl.total is not None:
        return Trigger(RiskRule.MAX_LOSS, threshold, value, False, f"{reached}P&L is {inr(value)}.")
    without = ", ".join(key.symbol for key in pnl.missing)
    reason = f"{reached}P&L may be as low as {inr(value)}, there being no fresh price of {without}."
    return Trigger(RiskRule.MAX_LOSS, threshold, value, True, reason)
