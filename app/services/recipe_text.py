"""A whole strategy but for its accounts, as it stands in one column of a row."""

from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal

import msgspec

from app.domain.contracts import Kind, Product, Side
from app.domain.entry_times import ANY_TIME, EntryTimes
from app.domain.exit_rules import NO_EXIT_RULES, ExitRules
from app.domain.failure_policy import DEFAULT, FailurePolicy
from app.domain.price_types import AT_MARKET, PriceTerms
from app.domain.sizing import BY_LOTS, SizeRule
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeRule
from app.domain.trailing import NO_FLOORS, Floors


@dataclass(frozen=True, slots=True)
class _Leg:
    """A leg whose `expiry` is a word (`current_week`) or an ISO date."""

    number: int
    underlying: str
    kind: Kind
    expiry: str
    strike: StrikeRule | None
    side: Side
    ratio: int
    product: Product
    pricing: PriceTerms = AT_MARKET


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What a row of an older version does not name yet has the usual value."""

    legs: tuple[_Leg, ...]
    structures: int
    max_loss: Decimal | None = None
    max_profit: Decimal | None = None
    max_workers: int | None = None
    failure: FailurePolicy = DEFAULT
    square_off: time | None = None
    floors: Floors = NO_FLOORS
    exits: ExitRules = NO_EXIT_RULES
    size_rule: SizeRule = BY_LOTS
    times: EntryTimes = ANY_TIME


_RECIPE = msgspec.json.Decoder(_Recipe)
"""Made before any thread needs it: two threads that decode a type for the first time at once end the process."""
_WORDS = frozenset(word.value for word in ExpiryWord)


def written(spec: StrategySpec) -> str:
    """Without its name, and without what it says of single accounts: those are other ones wherever it is used."""
    legs = tuple(
        _Leg(
            leg.number, leg.underlying, leg.kind,
            leg.expiry.value if isinstance(leg.expiry, ExpiryWord) else leg.expiry.isoformat(),
            leg.strike, leg.side, leg.ratio, leg.product, leg.pricing,
        )
        for leg in spec.legs
    )  # fmt: skip
    recipe = _Recipe(
        legs, spec.structures, spec.max_loss, spec.max_profit, spec.max_workers, spec.failure, spec.square_off,
        spec.floors, replace(spec.exits, accounts=()), spec.size_rule, spec.times,
    )  # fmt: skip
    return msgspec.json.encode(recipe, order="deterministic").decode()


def read(name: str, text: str) -> StrategySpec:
    """The strategy under that name."""
    recipe = _RECIPE.decode(text)
    return StrategySpec(
        name, tuple(_spec(leg) for leg in recipe.legs), recipe.structures, recipe.max_loss, recipe.max_profit,
        recipe.max_workers, recipe.failure, recipe.square_off, recipe.floors, recipe.exits, recipe.size_rule,
        times=recipe.times,
    )  # fmt: skip


def _spec(leg: _Leg) -> LegSpec:
    expiry = ExpiryWord(leg.expiry) if leg.expiry in _WORDS else date.fromisoformat(leg.expiry)
    return LegSpec(
        leg.number, leg.underlying, leg.kind, expiry, leg.strike, leg.side, leg.ratio, leg.product, leg.pricing
    )
