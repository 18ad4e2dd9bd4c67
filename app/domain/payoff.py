"""What a structure is worth at expiry: points to draw, break-evens, most to gain and to lose."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from app.domain.contracts import Kind
from app.domain.errors import Refused
from app.domain.money import ZERO
from app.domain.plan import ResolvedLeg


@dataclass(frozen=True, slots=True)
class Payoff:
    """Gross rupees at expiry against the spot there.

    `points` are (spot, rupees), ascending, with straight lines between them. `max_profit` and `max_loss` are positive
    rupees or 0; None means unlimited. Spot is never below 0, so a short put's loss has an end.
    """

    points: tuple[tuple[Decimal, Decimal], ...]
    break_evens: tuple[Decimal, ...]
    max_profit: Decimal | None
    max_loss: Decimal | None

    def at(self, spot: Decimal) -> Decimal:
        """Rupees there, on the straight lines between the points and on the outermost two beyond them.

        Raises Refused where there are fewer than two points.
        """
        if len(self.points) < 2:
            raise Refused("A payoff of fewer than two points has no lines.")
        lines = list(pairwise(self.points))
        (low, left), (high, right) = next((line for line in lines if spot <= line[1][0]), lines[-1])
        return left + (right - left) * (spot - low) / (high - low)


@dataclass(frozen=True, slots=True)
class _Held:
    """A leg as it counts here: signed units, entered at `price`. `strike` is None for a future."""

    kind: Kind
    strike: Decimal | None
    units: int
    price: Decimal

    def at(self, spot: Decimal) -> Decimal:
        if self.strike is None:
            worth = spot
        elif self.kind is Kind.CE:
            worth = max(spot - self.strike, ZERO)
        else:
            worth = max(self.strike - spot, ZERO)
        return (worth - self.price) * self.units

    @property
    def slope_above(self) -> int:
        """Rupees per rupee of spot once spot is above every strike."""
        return 0 if self.kind is Kind.PE else self.units


def payoff(entered: Sequence[tuple[ResolvedLeg, Decimal]], structures: int = 1) -> Payoff:
    """The payoff of `structures` structures, each leg entered at the price beside it (rupees per unit).

    Raises Refused when the legs have more than one underlying or expiry: there is no one expiry to draw then.
    """
    held = _held(entered, structures)
    kinks = sorted({ZERO, *(leg.strike for leg in held if leg.strike is not None)})
    corners = [(spot, _total(held, spot)) for spot in kinks]
    slope = sum(leg.slope_above for leg in held)
    values = [value for _, value in corners]
    break_evens = _break_evens(corners, slope)
    far = _drawing_end(held, max(kinks[-1], *break_evens, ZERO))
    return Payoff(
        points=(*corners, (far, _total(held, far))),
        break_evens=break_evens,
        max_profit=None if slope > 0 else max(ZERO, *values),
        max_loss=None if slope < 0 else max(ZERO, *(-value for value in values)),
    )


def _held(entered: Sequence[tuple[ResolvedLeg, Decimal]], structures: int) -> list[_Held]:
    if len({(leg.contract.underlying, leg.contract.expiry) for leg, _ in entered}) != 1:
        raise Refused("A payoff is drawn for legs of one index and one expiry. These have more than one, or none.")
    return [
        _Held(
            leg.contract.kind,
            leg.contract.strike,
            leg.side.sign * leg.ratio * leg.contract.lot_size * structures,
            price,
        )
        for leg, price in entered
    ]


def _total(held: list[_Held], spot: Decimal) -> Decimal:
    return sum((leg.at(spot) for leg in held), ZERO)


def _drawing_end(held: list[_Held], last_corner: Decimal) -> Decimal:
    """A spot beyond every strike and break-even, far enough for a future alone to be drawn around its price."""
    return max(last_corner, *(leg.price for leg in held)) * Decimal("1.1") + 1


def _break_evens(corners: list[tuple[Decimal, Decimal]], slope_above: int) -> tuple[Decimal, ...]:
    found: dict[Decimal, None] = {}
    for (low, left), (high, right) in pairwise(corners):
        if left == 0:
            found[low] = None
        if left * right < 0:
            found[low + (high - low) * left / (left - right)] = None
    spot, value = corners[-1]
    if value == 0:
        found[spot] = None
    elif value * slope_above < 0:
        found[spot - value / slope_above] = None
    return tuple(sorted(found))
