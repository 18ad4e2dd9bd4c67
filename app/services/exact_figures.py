"""Decimals of the floats that frames bring, made when somebody reads them."""

from decimal import Decimal
from functools import lru_cache

from app.ports.feed import Levels


@lru_cache(maxsize=16_384)  # a contract's prices come again and again, and its day's figures with each reading
def exact(value: float) -> Decimal:
    """The Decimal a person would write for a float of the wire: `198.35`, not its binary neighbour."""
    return Decimal(repr(value))


def perhaps(value: float | None) -> Decimal | None:
    return None if value is None else exact(value)


def best(levels: Levels) -> Decimal | None:
    """The price of the first level; None when there is none."""
    return exact(levels[0][0]) if levels else None


def all_levels(levels: Levels) -> tuple[tuple[Decimal, int], ...]:
    return tuple((exact(price), units) for price, units in levels)
