"""How many units of an account's shorts stand without the hedge that its plan has for them."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.contracts import Kind, Side

NAKED_ALARM_S = 10.0
"""A short that stands without its hedge for longer is an alarm."""


@dataclass(frozen=True, slots=True)
class HeldLeg:
    """One leg of a run in one account: `planned` units and those `held`, both unsigned, in the direction of `side`."""

    underlying: str
    kind: Kind
    side: Side
    planned: int
    held: int


def naked_units(legs: Iterable[HeldLeg]) -> int:
    """Units sold whose planned hedge is not held.

    A short is hedged by longs of the same underlying and kind, whatever their strike or expiry. What the plan itself
    leaves uncovered, as both legs of a straddle, is its trader's choice and is not counted.

    >>> short = HeldLeg("NIFTY", Kind.CE, Side.SELL, 65, 65)
    >>> naked_units([short, HeldLeg("NIFTY", Kind.CE, Side.BUY, 65, 65)]), naked_units([short])
    (0, 0)
    >>> naked_units([short, HeldLeg("NIFTY", Kind.CE, Side.BUY, 65, 0)])
    65
    """
    planned: dict[tuple[str, Kind], int] = {}
    held: dict[tuple[str, Kind], int] = {}
    for leg in legs:
        place = (leg.underlying, leg.kind)
        planned[place] = planned.get(place, 0) - leg.side.sign * leg.planned
        held[place] = held.get(place, 0) - leg.side.sign * leg.held
    return sum(max(0, short - max(0, planned[place])) for place, short in held.items())
