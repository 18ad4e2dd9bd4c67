"""Rupees, lots and units: the amounts everything else is counted in."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import NewType

from app.domain.errors import InvalidInput

Lots = NewType("Lots", int)
"""Whole lots of a contract. Never negative unless a docstring says it is signed."""

Units = NewType("Units", int)
"""Single units (shares of the index). One lot is `lot_size` units. Never negative unless said to be signed."""

ZERO = Decimal(0)
PAISA = Decimal("0.01")


def rupees(value: Decimal) -> Decimal:
    """`value` rounded half up to whole paise."""
    return value.quantize(PAISA, ROUND_HALF_UP)


def units_of(lots: Lots, lot_size: int) -> Units:
    """The units in `lots` lots of `lot_size` each."""
    return Units(lots * lot_size)


def lots_of(units: Units, lot_size: int) -> Lots:
    """The whole lots in `units`. Raises InvalidInput when they are not a multiple of the lot."""
    lots, rest = divmod(units, lot_size)
    if rest:
        raise InvalidInput("units", f"{units} units is not a multiple of the lot size {lot_size}.")
    return Lots(lots)


def tick_down(price: Decimal, tick: Decimal) -> Decimal:
    """The highest multiple of `tick` at or below `price`."""
    return (price / tick).to_integral_value(ROUND_FLOOR) * tick


def tick_up(price: Decimal, tick: Decimal) -> Decimal:
    """The lowest multiple of `tick` at or above `price`."""
    return (price / tick).to_integral_value(ROUND_CEILING) * tick
