"""Whether a strategy as written down can be traded at all, before any contract is looked up."""

from datetime import date, time
from decimal import Decimal

from app.domain.calendar_hours import USUAL_HOURS
from app.domain.contracts import Kind, underlying_named
from app.domain.entry_times import check_times
from app.domain.errors import InvalidInput, NotFound
from app.domain.exit_rules import ExitRules, check_accounts
from app.domain.failure_policy import MOST_RETRIES, FailurePolicy, LegPolicy
from app.domain.leg_rules import check_rule
from app.domain.pacing import LEAST_WORKERS, MOST_WORKERS
from app.domain.price_types import check_terms
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule
from app.domain.supertrend import TrendOf, check_supertrend

MAX_NAME = 80
MAX_LEGS = 20
MAX_RATIO = 50
MAX_STRUCTURES = 500
MAX_STEPS = 20
MOST_TREND_LEGS = 8
"""As many as candles of a combined premium are made of."""

_WEEKLY = frozenset({ExpiryWord.CURRENT_WEEK, ExpiryWord.NEXT_WEEK})


def check_strategy(spec: StrategySpec) -> None:
    """Raise InvalidInput naming the first wrong field, counted from 0 as in the form: `legs[2].ratio`."""
    if not 1 <= len(spec.name.strip()) <= MAX_NAME:
        raise InvalidInput("name", f"Give the strategy a name of 1 to {MAX_NAME} characters.")
    if not 1 <= spec.structures <= MAX_STRUCTURES:
        raise InvalidInput("structures", f"{spec.structures} structures: take 1 to {MAX_STRUCTURES}.")
    if not 1 <= len(spec.legs) <= MAX_LEGS:
        raise InvalidInput("legs", f"A strategy has 1 to {MAX_LEGS} legs, not {len(spec.legs)}.")
    if spec.max_workers is not None and not LEAST_WORKERS <= spec.max_workers <= MOST_WORKERS:
        raise InvalidInput("max_workers", f"Take {LEAST_WORKERS} to {MOST_WORKERS} orders at once in an account.")
    _check_failure(spec.failure)
    _check_amount("max_loss", spec.max_loss)
    _check_amount("max_profit", spec.max_profit)
    _check_square_off(spec.square_off)
    spec.floors.check()
    check_accounts(spec.exits.accounts)
    spec.size_rule.check()
    _check_trend(spec)
    check_times(spec.times)
    for index, leg in enumerate(spec.legs):
        _check_leg(f"legs[{index}]", leg)
        _check_against(index, leg, spec.legs[:index])
        _check_exits(f"legs[{index}]", leg, spec.exits)


def _check_trend(spec: StrategySpec) -> None:
    rule = spec.exits.supertrend
    if rule is None:
        return
    check_supertrend(rule, [leg.number for leg in spec.legs])
    if rule.of is not TrendOf.PREMIUM:
        return
    if len(spec.legs) > MOST_TREND_LEGS:
        words = f"The premium of {MOST_TREND_LEGS} legs at most is followed; here are {len(spec.legs)}. Take one leg."
        raise InvalidInput("trend_of", words)
    if len({leg.underlying for leg in spec.legs}) > 1:
        words = "The legs are of several indices: their premiums make no one price. Take one leg or the index of leg 1."
        raise InvalidInput("trend_of", words)


def _check_failure(policy: FailurePolicy) -> None:
    if policy.leg is LegPolicy.RETRY and not 1 <= policy.retries <= MOST_RETRIES:
        raise InvalidInput("retries", f"Say how often a rejected leg is sent again: 1 to {MOST_RETRIES} times.")
    if policy.leg is not LegPolicy.RETRY and policy.retries:
        raise InvalidInput("retries", "Only a leg that is to be sent again has a number of times. Leave it empty.")


def _check_amount(field: str, amount: Decimal | None) -> None:
    if amount is not None and not (amount.is_finite() and amount > 0):
        raise InvalidInput(field, f"{amount} is not an amount to watch for. Give rupees above 0, or leave it empty.")


def _check_square_off(at: time | None) -> None:
    opens, _ = USUAL_HOURS
    if at is not None and at <= opens:
        raise InvalidInput("square_off", f"At {at:%H:%M} no exchange has opened. Give a time after {opens:%H:%M}.")


def _check_leg(field: str, leg: LegSpec) -> None:
    try:
        underlying_named(leg.underlying)
    except NotFound as unknown:
        raise InvalidInput(f"{field}.underlying", f"Leg {leg.number}: {unknown}") from unknown
    if not 1 <= leg.ratio <= MAX_RATIO:
        raise InvalidInput(f"{field}.ratio", f"Leg {leg.number}: take a ratio of 1 to {MAX_RATIO} lots per structure.")
    if leg.kind is Kind.FUT:
        _check_future(field, leg)
    elif leg.strike is None:
        raise InvalidInput(f"{field}.strike", f"Leg {leg.number}: an option needs a strike rule, such as ATM.")
    else:
        _check_strike(f"{field}.strike", leg.number, leg.strike)
    try:
        check_terms(leg.kind, leg.side, leg.pricing)
    except InvalidInput as wrong:
        raise InvalidInput(f"{field}.{wrong.field}", f"Leg {leg.number}: {wrong}") from wrong


def _check_exits(field: str, leg: LegSpec, exits: ExitRules) -> None:
    rule = exits.legs.of(leg.number)
    if rule is None:
        return
    try:
        check_rule(rule, leg.side)
    except InvalidInput as wrong:
        raise InvalidInput(f"{field}.{wrong.field}", f"Leg {leg.number}: {wrong}") from wrong


def _check_future(field: str, leg: LegSpec) -> None:
    if leg.strike is not None:
        raise InvalidInput(f"{field}.strike", f"Leg {leg.number}: a future has no strike. Remove the strike rule.")
    if not isinstance(leg.expiry, date) and leg.expiry in _WEEKLY:
        raise InvalidInput(f"{field}.expiry", f"Leg {leg.number}: futures expire monthly. Choose current_month.")


def _check_strike(field: str, number: int, rule: StrikeRule) -> None:
    if rule.method is StrikeMethod.ATM:
        if rule.value is not None:
            raise InvalidInput(field, f"Leg {number}: ATM takes no value. Remove it, or choose ITM or OTM.")
        return
    value = rule.value
    if value is None or not (value.is_finite() and value > 0):
        raise InvalidInput(field, f"Leg {number}: {rule.method} needs a value above 0.")
    in_steps = rule.method in {StrikeMethod.ITM, StrikeMethod.OTM}
    if in_steps and (value != int(value) or value > MAX_STEPS):
        raise InvalidInput(field, f"Leg {number}: {rule.method} takes a whole number of strikes from 1 to {MAX_STEPS}.")


def _check_against(index: int, leg: LegSpec, earlier: tuple[LegSpec, ...]) -> None:
    terms = (leg.underlying, leg.kind, leg.expiry, leg.strike)
    for other in earlier:
        if other.number == leg.number:
            raise InvalidInput(f"legs[{index}].number", f"Two legs have the number {leg.number}. Number them anew.")
        if terms == (other.underlying, other.kind, other.expiry, other.strike) and leg.side is not other.side:
            raise InvalidInput(
                f"legs[{index}].side",
                f"Leg {leg.number} does the opposite of leg {other.number} in the same contract. Remove one of them.",
            )
