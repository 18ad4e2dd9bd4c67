"""The usual structures as legs by rule: what a template button puts into the builder."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.contracts import Kind, Product, Side
from app.domain.errors import NotFound, Refused
from app.domain.strategy import ExpiryWord, LegSpec, StrikeMethod, StrikeRule


@dataclass(frozen=True, slots=True)
class LegShape:
    """A leg without index and expiry. `steps` counts listed strikes out of the money, below 0 into it.

    0 is at the money. `ratio` is lots per structure; `later` is of the expiry after that of the others.
    """

    side: Side
    kind: Kind
    steps: int
    ratio: int = 1
    later: bool = False

    @property
    def rule(self) -> StrikeRule:
        if self.steps == 0:
            return StrikeRule(StrikeMethod.ATM)
        method = StrikeMethod.OTM if self.steps > 0 else StrikeMethod.ITM
        return StrikeRule(method, Decimal(abs(self.steps)))


@dataclass(frozen=True, slots=True)
class Structure:
    """`key` is its stable name in addresses and forms, `shape` that of its payoff, for a picture.

    `product` is what its legs start with: what earns over days is carried.
    """

    key: str
    name: str
    shape: str
    legs: tuple[LegShape, ...]
    product: Product = Product.MIS

    @property
    def has_later(self) -> bool:
        """Whether it is of two expiries."""
        return any(leg.later for leg in self.legs)


_CE, _PE = Kind.CE, Kind.PE


def _buy(kind: Kind, steps: int, ratio: int = 1, *, later: bool = False) -> LegShape:
    return LegShape(Side.BUY, kind, steps, ratio, later)


def _sell(kind: Kind, steps: int, ratio: int = 1) -> LegShape:
    return LegShape(Side.SELL, kind, steps, ratio)


STRUCTURES = (
    Structure("straddle", "Short straddle", "short_straddle", (_sell(_CE, 0), _sell(_PE, 0))),
    Structure("strangle", "Short strangle", "short_strangle", (_sell(_CE, 4), _sell(_PE, 4))),
    Structure("iron_condor", "Iron condor", "iron_condor", (_buy(_CE, 8), _buy(_PE, 8), _sell(_CE, 4), _sell(_PE, 4))),
    Structure("iron_fly", "Iron fly", "iron_fly", (_buy(_CE, 4), _buy(_PE, 4), _sell(_CE, 0), _sell(_PE, 0))),
    Structure("jade_lizard", "Jade lizard", "jade_lizard", (_buy(_CE, 4), _sell(_CE, 2), _sell(_PE, 4))),
    Structure("bull_put", "Bull put spread", "bull_put", (_buy(_PE, 6), _sell(_PE, 2))),
    Structure("bear_call", "Bear call spread", "bear_call", (_buy(_CE, 6), _sell(_CE, 2))),
    Structure("bull_call", "Bull call spread", "bull_call", (_buy(_CE, 0), _sell(_CE, 4))),
    Structure("bear_put", "Bear put spread", "bear_put", (_buy(_PE, 0), _sell(_PE, 4))),
    Structure("butterfly", "Call butterfly", "butterfly", (_buy(_CE, -4), _buy(_CE, 4), _sell(_CE, 0, 2))),
    Structure("put_butterfly", "Put butterfly", "butterfly", (_buy(_PE, -4), _buy(_PE, 4), _sell(_PE, 0, 2))),
    Structure(
        "broken_wing_call", "Broken wing, calls", "broken_wing_call", (_buy(_CE, 2), _buy(_CE, 8), _sell(_CE, 4, 2))
    ),
    Structure(
        "broken_wing_put", "Broken wing, puts", "broken_wing_put", (_buy(_PE, 2), _buy(_PE, 8), _sell(_PE, 4, 2))
    ),
    Structure("call_ratio", "Call ratio 1:2", "call_ratio", (_buy(_CE, 0), _sell(_CE, 4, 2))),
    Structure("put_ratio", "Put ratio 1:2", "put_ratio", (_buy(_PE, 0), _sell(_PE, 4, 2))),
    Structure("call_backspread", "Call backspread", "call_backspread", (_buy(_CE, 4, 2), _sell(_CE, 0))),
    Structure("put_backspread", "Put backspread", "put_backspread", (_buy(_PE, 4, 2), _sell(_PE, 0))),
    Structure("call_calendar", "Call calendar", "calendar", (_buy(_CE, 0, later=True), _sell(_CE, 0)), Product.NRML),
    Structure("put_calendar", "Put calendar", "calendar", (_buy(_PE, 0, later=True), _sell(_PE, 0)), Product.NRML),
    Structure("long_straddle", "Long straddle", "long_straddle", (_buy(_CE, 0), _buy(_PE, 0))),
    Structure("long_strangle", "Long strangle", "long_strangle", (_buy(_CE, 4), _buy(_PE, 4))),
    Structure("synthetic_long", "Synthetic long", "synthetic_long", (_buy(_CE, 0), _sell(_PE, 0))),
    Structure("synthetic_short", "Synthetic short", "synthetic_short", (_buy(_PE, 0), _sell(_CE, 0))),
)
"""In the order in which they are offered. Bought legs stand first, as they are sent first."""


def structure_named(key: str) -> Structure:
    """Raises NotFound naming those there are."""
    for structure in STRUCTURES:
        if structure.key == key:
            return structure
    known = ", ".join(structure.key for structure in STRUCTURES)
    raise NotFound(f"There is no template of that name. Choose one of {known}.")


def legs_of(
    structure: Structure,
    underlying: str,
    expiry: ExpiryWord | date,
    later: ExpiryWord | date | None = None,
    product: Product | None = None,
) -> tuple[LegSpec, ...]:
    """The structure's legs in one index, one structure, numbered from 1; `later` is the second expiry where it has one.

    `product` None takes the structure's own. Raises Refused when it needs a later expiry and there is none.
    """
    if structure.has_later and (later is None or later == expiry):
        raise Refused(f"{structure.name} needs a second, later expiry, and none is known. Choose an earlier one first.")
    return tuple(
        LegSpec(
            number,
            underlying,
            leg.kind,
            later if leg.later and later is not None else expiry,
            leg.rule,
            leg.side,
            leg.ratio,
            product or structure.product,
        )
        for number, leg in enumerate(structure.legs, 1)
    )
