"""Positions from fills alone: signed units, average cost, realised and unrealised rupees."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.contracts import Side
from app.domain.money import ZERO, Units


@dataclass(frozen=True, slots=True)
class Fill:
    """Units that changed hands under one broker order. `units` is positive; `price` in rupees."""

    order_id: str
    side: Side
    units: Units
    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class PositionState:
    """What fills left in one contract. `units` is signed: + long, - short. `average` is None when flat.

    `realised` is rupees since the first fill, before charges. Averages are kept to 28 digits and never rounded here.
    """

    units: Units
    average: Decimal | None
    realised: Decimal


FLAT = PositionState(Units(0), None, ZERO)
"""Nothing held and nothing earned."""


def fold(fills: Iterable[Fill], start: PositionState = FLAT) -> PositionState:
    """The position after `fills`, in the order given, by average cost.

    Adding moves the average; reducing realises against it and leaves it; crossing zero realises the whole and starts
    anew at the fill's price. Raises ValueError for a fill without units or price.
    """
    state = start
    for fill in fills:
        state = _after(state, fill)
    return state


def _after(state: PositionState, fill: Fill) -> PositionState:
    if fill.units <= 0 or not fill.price > 0:
        raise ValueError(f"{fill.units} units at {fill.price} under order {fill.order_id} is not a fill.")
    change = fill.side.sign * fill.units
    units = Units(state.units + change)
    if state.average is None:
        return PositionState(units, fill.price, state.realised)
    if (state.units > 0) == (change > 0):
        cost = state.average * abs(state.units) + fill.price * fill.units
        return PositionState(units, cost / abs(units), state.realised)
    closed = min(abs(state.units), fill.units)
    sign = 1 if state.units > 0 else -1
    realised = state.realised + (fill.price - state.average) * closed * sign
    if units == 0:
        return PositionState(units, None, realised)
    crossed = (units > 0) == (change > 0)
    return PositionState(units, fill.price if crossed else state.average, realised)


def settled(state: PositionState, price: Decimal) -> PositionState:
    """What is left when the exchange has settled all of it at `price`, which is 0 for what ended worthless.

    >>> settled(PositionState(Units(-65), Decimal(40), Decimal(100)), Decimal(0))
    PositionState(units=0, average=None, realised=Decimal('2700'))
    """
    return PositionState(Units(0), None, state.realised + unrealised(state, price))


def unrealised(state: PositionState, mark: Decimal) -> Decimal:
    """Rupees gained if the position were closed at `mark`: (mark - average) x signed units. 0 when flat."""
    if state.average is None:
        return ZERO
    return (mark - state.average) * state.units


def cash_flow(fills: Iterable[Fill]) -> Decimal:
    """Rupees received (+) less rupees paid (-) for `fills`, before charges."""
    return sum((-fill.side.sign * fill.units * fill.price for fill in fills), ZERO)
