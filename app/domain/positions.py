"""Positions from fills alone: signed units, average cost, realised and unrealised rupees."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.contracts import Side
from app.domain.money import Units


@dataclass(frozen=True, slots=True)
class Fill:
    """Units that changed hands under one broker order. `units` is positive; `price` in rupees."""

    order_id: str
    side: Side
    units: Units
    price: Decimal
    at: datetime
