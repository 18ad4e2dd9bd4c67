"""What a structure is worth before its expiry: each leg by Black-76, at a spot, a day and a volatility one asks for.

The forward of each leg is the spot plus a basis in points, and that basis fades evenly until the leg's own expiry,
where the forward is the spot. So the curve of a day becomes the payoff of domain.payoff as its days run out. Legs of
later expiries are valued by the same model at the first one's end. Everything here is float64: nothing trades by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from app.domain import black76
from app.domain.black76 import Greeks
from app.domain.contracts import Kind
from app.domain.errors import Refused
from app.domain.payoff import Payoff

STEPS = 240
"""Places between which a curve is looked through for its zeros and its ends."""
_HALVINGS = 40
_THIRDS = 40
_LEAST_VOLATILITY = 0.001
_FLAT = 1e-9

ONE = Greeks(delta=1.0, gamma=0.0, theta=0.0, vega=0.0)
"""Of a future."""


@dataclass(frozen=True, slots=True)
class HeldLeg:
    """A leg as it is valued. `units` are signed, `entry` rupees per unit; `years` are left to its own expiry, above 0.

    `strike` and `volatility` (a fraction per year) are None for a future. `basis` is its forward less the spot, now.
    """

    kind: Kind
    strike: float | None
    units: int
    entry: float
    expiry: date
    years: float
    basis: float
    volatility: float | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`years` that have passed since now, 0 for now; `shift` is added to every volatility, a fraction per year."""

    years: float = 0.0
    shift: float = 0.0


NOW = WhatIf()


def horizon(legs: Sequence[HeldLeg]) -> float:
    """Years to the first expiry among them: no curve reaches further."""
    return min(leg.years for leg in legs)


def price(leg: HeldLeg, spot: float, case: WhatIf = NOW) -> float:
    """Rupees per unit; what exercise pays once its expiry is there. Spot not below 0."""
    left = leg.years - case.years
    forward = spot + leg.basis * max(0.0, left) / leg.years
    if leg.strike is None or leg.volatility is None:
        return forward
    if left <= 0.0 or forward <= 0.0:
        return max(0.0, forward - leg.strike if leg.kind is Kind.CE else leg.strike - forward)
    return black76.price(leg.kind, forward, leg.strike, left, _volatility(leg.volatility, case))


def worth(legs: Sequence[HeldLeg], spot: float, case: WhatIf = NOW) -> float:
    """Rupees of all of them together since the entry, gross."""
    return sum((price(leg, spot, case) - leg.entry) * leg.units for leg in legs)


def greeks(leg: HeldLeg, spot: float, case: WhatIf = NOW) -> Greeks | None:
    """Per unit held; None at and after its expiry, where there are none."""
    left = leg.years - case.years
    forward = spot + leg.basis * max(0.0, left) / leg.years
    if leg.strike is None or leg.volatility is None:
        return ONE
    if left <= 0.0 or forward <= 0.0:
        return None
    return black76.greeks(leg.kind, forward, leg.strike, left, _volatility(leg.volatility, case))


def at_first_expiry(legs: Sequence[HeldLeg]) -> Payoff:
    """As domain.payoff for legs of several expiries, by the model at the end of the first one.

    `points` go from spot 0 to beyond everything, close together where the curve bends. Raises Refused without legs.
    """
    if not legs:
        raise Refused("There are no legs to value.")
    case = WhatIf(years=horizon(legs))
    places = _places(legs)
    values = [worth(legs, spot, case) for spot in places]
    slope = sum(leg.units for leg in legs if leg.kind is not Kind.PE)
    zeros = [zero for low, high in pairwise(zip(places, values, strict=True)) for zero in _zero(legs, case, low, high)]
    if abs(values[-1]) > _FLAT and values[-1] * slope < 0:
        zeros.append(places[-1] - values[-1] / slope)
    ends = [*values, *_turns(legs, case, places, values)] + ([] if slope else [_limit(legs)])
    return Payoff(
        points=tuple((_paise(spot), _paise(value)) for spot, value in zip(places, values, strict=True)),
        break_evens=tuple(_paise(zero) for zero in zeros),
        max_profit=None if slope > 0 else _paise(max(0.0, *ends)),
        max_loss=None if slope < 0 else _paise(max(0.0, *(-value for value in ends))),
    )


def _volatility(of_leg: float, case: WhatIf) -> float:
    return max(_LEAST_VOLATILITY, of_leg + case.shift)


def _places(legs: Sequence[HeldLeg]) -> list[float]:
    """Spots from 0 to twice the furthest strike or price: even steps, and every strike, where a curve may bend."""
    strikes = {leg.strike for leg in legs if leg.strike is not None}
    furthest = max([*strikes, *(leg.entry for leg in legs)])
    near = min(strikes, default=furthest) * 0.7
    far = furthest * 1.3
    even = {near + (far - near) * step / STEPS for step in range(STEPS + 1)}
    return sorted({0.0, near / 2, *even, *strikes, furthest * 2 + 1})


def _zero(
    legs: Sequence[HeldLeg], case: WhatIf, low: tuple[float, float], high: tuple[float, float]
) -> tuple[float, ...]:
    (left, at_left), (right, at_right) = low, high
    if at_left == 0.0:
        return (left,)
    if at_left * at_right >= 0.0:
        return ()
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        if worth(legs, middle, case) * at_left > 0.0:
            left = middle
        else:
            right = middle
    return ((left + right) / 2,)


def _turns(legs: Sequence[HeldLeg], case: WhatIf, places: Sequence[float], values: Sequence[float]) -> list[float]:
    """The highest peak and the lowest trough between the places, each closed in on by thirds."""
    found = []
    for sign in (1, -1):
        index = max(range(len(values)), key=lambda each: sign * values[each])
        low, high = places[max(0, index - 1)], places[min(len(places) - 1, index + 1)]
        found.append(_closed_in(legs, case, low, high, sign))
    return found


def _closed_in(legs: Sequence[HeldLeg], case: WhatIf, low: float, high: float, sign: int) -> float:
    for _ in range(_THIRDS):
        third = (high - low) / 3
        if sign * worth(legs, low + third, case) < sign * worth(legs, high - third, case):
            low += third
        else:
            high -= third
    return worth(legs, (low + high) / 2, case)


def _limit(legs: Sequence[HeldLeg]) -> float:
    """What the worth comes to as the spot rises without end, for legs whose rises cancel."""
    passed = horizon(legs)
    total = 0.0
    for leg in legs:
        basis = leg.basis * (leg.years - passed) / leg.years
        above = 0.0 if leg.kind is Kind.PE else basis - (leg.strike or 0.0)
        total += leg.units * (above - leg.entry)
    return total


def _paise(value: float) -> Decimal:
    return Decimal(f"{value:.2f}")
