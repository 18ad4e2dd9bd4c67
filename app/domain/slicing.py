"""Cutting an order into pieces the exchange takes."""

from app.domain.errors import Refused
from app.domain.money import Units, lots_of


def largest_slice(lot_size: int, freeze: Units) -> Units:
    """The most units one order may have: whole lots within the freeze limit.

    Raises Refused for a freeze of 1 or less, which is how a gateway says that it does not know, and for one smaller
    than a lot.

    >>> largest_slice(65, Units(1800))
    1755
    """
    if freeze <= 1:
        raise Refused("The freeze limit is unknown. Add it to the market rules.")
    largest = Units(freeze // lot_size * lot_size)
    if not largest:
        raise Refused(f"The freeze limit {freeze} is smaller than one lot of {lot_size}. Correct the market rules.")
    return largest


def slices(units: Units, lot_size: int, freeze: Units) -> tuple[Units, ...]:
    """Whole-lot pieces that add up to `units`, each the largest possible until the rest. No units: no pieces.

    Raises InvalidInput when `units` is not a multiple of the lot, Refused as `largest_slice` does.

    >>> slices(Units(40 * 65), 65, Units(1800))
    (1755, 845)
    """
    if units < 0:
        raise ValueError(f"{units} units cannot be sliced.")
    lots_of(units, lot_size)
    largest = largest_slice(lot_size, freeze)
    whole, rest = divmod(units, largest)
    return (largest,) * whole + ((Units(rest),) if rest else ())
