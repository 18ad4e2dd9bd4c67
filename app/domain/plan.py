"""A plan: exactly what will be sent, to whom and why. What is shown is what is sent."""

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum

from app.domain.contracts import Contract, Product, Side
from app.domain.entry_times import ANY_TIME, EntryTimes
from app.domain.exit_rules import NO_EXIT_RULES, ExitRules
from app.domain.failure_policy import DEFAULT, FailurePolicy
from app.domain.money import Lots, Units
from app.domain.pacing import AccountPace
from app.domain.price_types import AT_MARKET, PriceTerms
from app.domain.sizing import Sizing
from app.domain.trailing import NO_FLOORS, Floors


class Mode(StrEnum):
    """LIVE orders reach a broker. PAPER: the account's gateway is in analyzer mode."""

    LIVE = "live"
    PAPER = "analyze"


@dataclass(frozen=True, slots=True)
class ResolvedLeg:
    """A leg with its contract, found once for all accounts from one spot reading."""

    number: int
    contract: Contract
    side: Side
    ratio: int
    product: Product
    note: str
    """How the contract was found, for the trader: `ATM of 25,012.40`. A warning is part of it."""
    pricing: PriceTerms = AT_MARKET


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """One slice. `limit` is the protected limit shown at preview; at send it is refreshed within `worst`.

    Of a leg with a price typed both are that price, which is never refreshed; for SL-M it is the trigger.
    """

    leg: int
    slice: int
    units: Units
    limit: Decimal
    worst: Decimal


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """One leg in one account: lots, units, the slices that add up to them, and how all of them are priced."""

    leg: int
    lots: Lots
    units: Units
    orders: tuple[PlannedOrder, ...]
    pricing: PriceTerms = AT_MARKET


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """What one account will do. `skipped` is the reason when it takes no part; then `legs` is empty.

    `pace` is how long sending takes, None where nothing is sent. `margin_needed` and `funds_free` are rupees, None when
    the gateway gives no figure (the explanation says so). `sizing` is what the number of structures follows from, None
    where it never came to that, and in plans from before it was kept.
    `skip_code` is the code of the reason, None where it has none.
    """

    account_id: int
    account_name: str
    mode: Mode
    structures: int
    legs: tuple[PlannedLeg, ...]
    margin_needed: Decimal | None
    funds_free: Decimal | None
    explanation: tuple[str, ...]
    skipped: str | None
    pace: AccountPace | None = None
    sizing: Sizing | None = None
    skip_code: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a preview freezes. `spots` maps underlying to the one spot reading all its legs used."""

    strategy_id: int
    strategy_name: str
    made_at: datetime
    spots: tuple[tuple[str, Decimal], ...]
    legs: tuple[ResolvedLeg, ...]
    accounts: tuple[AccountPlan, ...]
    max_loss: Decimal | None
    max_profit: Decimal | None
    failure: FailurePolicy = DEFAULT
    square_off: time | None = None
    floors: Floors = NO_FLOORS
    exits: ExitRules = NO_EXIT_RULES
    times: EntryTimes = ANY_TIME

    @property
    def taking_part(self) -> tuple[AccountPlan, ...]:
        return tuple(a for a in self.accounts if a.skipped is None)

    @property
    def order_count(self) -> int:
        return sum(len(leg.orders) for account in self.taking_part for leg in account.legs)
