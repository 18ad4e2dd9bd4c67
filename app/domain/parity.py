"""The forward that calls and puts agree on, from put-call parity without interest: strike + call - put."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

NEAREST = 5
"""Strikes around the money that are asked."""
LEAST = 3
"""Of those, how many have to answer: one quote that is off cannot move the median of three."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Call and put of one strike, each at the middle of its touch; all in points."""

    strike: float
    call: float
    put: float


def middle(bid: float | None, ask: float | None, age_s: float | None, *, oldest_s: float) -> float | None:
    """Half way between bid and ask; None unless there are both, in their order, and at most `oldest_s` old."""
    if bid is None or ask is None or age_s is None:
        return None
    if age_s > oldest_s or not 0.0 < bid <= ask:
        return None
    return (bid + ask) / 2.0


def parity_forward(pairs: Iterable[Pair | None]) -> float | None:
    """The median over the given strikes, None for one that has no pair; None when fewer than `LEAST` have.

    Give it the `NEAREST` strikes around the money: further out spreads are wide and the forward is lost in them.
    """
    forwards = [pair.strike + pair.call - pair.put for pair in pairs if pair is not None]
    return median(forwards) if len(forwards) >= LEAST else None
