"""The usual structures as legs by rule: what a template button puts into the builder."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domain.contracts import Kind, Product, Side
from app.domain.errors import NotFound
from app.domain.strategy import ExpiryWord, LegSpec, StrikeMethod, StrikeRule


@dataclass(frozen=True, slots=True)
class LegShape:
    """A leg without index and expiry. `steps` counts listed strikes out of the money; 0 is at the money."""

    side: Side
    kind: Kind
    steps: int

    @property
    def rule(self) -> StrikeRule:
        if self.steps == 0:
            return StrikeRule(StrikeMethod.ATM)
        return StrikeRule(StrikeMethod.OTM, Decimal(self.steps))


@dataclass(frozen=True, slots=True)
class Structure:
    """`key` is its stable name in addresses and forms, `shape` that of its payoff, for a picture."""

    key: str
    name: str
    shape: str
    legs: tuple[LegShape, ...]


_BUY, _SELL, _CE, _PE = Side.BUY, Side.SELL, Kind.CE, Kind.PE

STRUCTURES = (
    Structure("straddle", "Short straddle", "short_straddle", (LegShape(_SELL, _CE, 0), LegShape(_SELL, _PE, 0))),
    Structure("strangle", "Short strangle", "short_strangle", (LegShape(_SELL, _CE, 4), LegShape(_SELL, _PE, 4))),
    Structure("long_straddle", "Long straddle", "long_straddle", (LegShape(_BUY, _CE, 0), LegShape(_BUY, _PE, 0))),
    Structure("long_strangle", "Long strangle", "long_strangle", (LegShape(_BUY, _CE, 4), LegShape(_BUY, _PE, 4))),
    Structure("bull_put", "Bull put spread", "bull_put", (LegShape(_BUY, _PE, 6), LegShape(_SELL, _PE, 2))),
    Structure("bear_call", "Bear call spread", "bear_call", (LegShape(_BUY, _CE, 6), LegShape(_SELL, _CE, 2))),
    Structure("bull_call", "Bull call spread", "bull_call", (LegShape(_BUY, _CE, 0), LegShape(_SELL, _CE, 4))),
    Structure("bear_put", "Bear put spread", "bear_put", (LegShape(_BUY, _PE, 0), LegShape(_SELL, _PE, 4))),
    Structure(
        "iron_condor",
        "Iron condor",
        "iron_condor",
        (LegShape(_BUY, _CE, 8), LegShape(_BUY, _PE, 8), LegShape(_SELL, _CE, 4), LegShape(_SELL, _PE, 4)),
    ),
    Structure(
        "iron_fly",
        "Iron fly",
        "iron_fly",
        (LegShape(_BUY, _CE, 4), LegShape(_BUY, _PE, 4), LegShape(_SELL, _CE, 0), LegShape(_SELL, _PE, 0)),
    ),
)
"""In the order in which they are offered."""


def structure_named(key: str) -> Structure:
    """Raises NotFound naming those there are."""
    for structure in STRUCTURES:
        if structure.key == key:
            return structure
    known = ", ".join(structure.key for structure in STRUCTURES)
    raise NotFound(f"There is no template of that name. Choose one of {known}.")


def legs_of(
    structure: Structure, underlying: str, expiry: ExpiryWord | date, product: Product = Product.MIS
) -> tuple[LegSpec, ...]:
    """The structure's legs in one index and expiry, one lot each, numbered from 1."""
    return tuple(
        LegSpec(number, underlying, leg.kind, expiry, leg.rule, leg.side, 1, product)
        for number, leg in enumerate(structure.legs, 1)
    )
