"""A strategy as a trader writes it down: legs by rule, not by contract; sizes in whole structures."""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import StrEnum

from app.domain.contracts import Kind, Product, Side
from app.domain.entry_times import ANY_TIME, EntryTimes
from app.domain.exit_rules import NO_EXIT_RULES, ExitRules
from app.domain.failure_policy import DEFAULT, FailurePolicy
from app.domain.price_types import AT_MARKET, PriceTerms
from app.domain.sizing import BY_LOTS, SizeRule
from app.domain.trailing import NO_FLOORS, Floors


class ExpiryWord(StrEnum):
    CURRENT_WEEK = "current_week"
    NEXT_WEEK = "next_week"
    CURRENT_MONTH = "current_month"
    NEXT_MONTH = "next_month"


class StrikeMethod(StrEnum):
    """How a leg finds its strike. FUT legs have none."""

    ATM = "ATM"
    ITM = "ITM"
    OTM = "OTM"
    STRIKE = "STRIKE"
    PREMIUM_NEAR = "PREMIUM_NEAR"


@dataclass(frozen=True, slots=True)
class StrikeRule:
    """`value` is None for ATM, steps 1-20 for ITM/OTM, the strike for STRIKE, rupees for PREMIUM_NEAR."""

    method: StrikeMethod
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LegSpec:
    """One leg of a structure. `ratio` is a whole number of lots per structure, at least 1. `strike` is None for FUT."""

    number: int
    underlying: str
    kind: Kind
    expiry: ExpiryWord | date
    strike: StrikeRule | None
    side: Side
    ratio: int
    product: Product
    pricing: PriceTerms = AT_MARKET


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """A recipe. `structures` is how many times the legs are taken for an account with multiplier 1, sized by lots.

    `max_workers` is the most orders under way at once in each account, None for what the settings say.
    `max_loss` and `max_profit` are positive rupees over the whole run, None for no such rule. `square_off` is India's
    time of day at which everything is left, None to leave it to the default of domain.square_off.
    """

    name: str
    legs: tuple[LegSpec, ...]
    structures: int
    max_loss: Decimal | None
    max_profit: Decimal | None
    max_workers: int | None = None
    failure: FailurePolicy = DEFAULT
    square_off: time | None = None
    floors: Floors = NO_FLOORS
    exits: ExitRules = NO_EXIT_RULES
    size_rule: SizeRule = BY_LOTS
    times: EntryTimes = ANY_TIME
