"""Multiplier, cap and limits of an account or a group as a person types them."""

from decimal import Decimal
from typing import Protocol

from app.domain.day_limits import DayLimits


class Sized(Protocol):
    @property
    def multiplier(self) -> Decimal: ...
    @property
    def max_leg_lots(self) -> int | None: ...
    @property
    def limits(self) -> DayLimits: ...


def sized_as_typed(place: Sized) -> dict[str, str]:
    """By the name of each field of the form; empty for no limit."""
    limits = place.limits
    return {
        "multiplier": plain(place.multiplier),
        "max_leg_lots": _typed(place.max_leg_lots),
        "max_day_loss": _typed(limits.loss),
        "max_day_profit": _typed(limits.profit),
        "max_open_lots": _typed(limits.open_lots),
        "max_day_orders": _typed(limits.orders),
        "leaves_at_limit": "yes" if limits.leaves else "",
    }


def plain(multiplier: Decimal) -> str:
    """Without zeros that say nothing: `0.5`."""
    return f"{multiplier.normalize():f}"


def _typed(limit: Decimal | int | None) -> str:
    return "" if limit is None else f"{limit:.2f}" if isinstance(limit, Decimal) else str(limit)
