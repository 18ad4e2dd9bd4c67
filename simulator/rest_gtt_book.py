"""Good-till-triggered orders of one account, live and sandbox apart. They are kept and listed; none ever fires."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

Mode = Literal["live", "analyze"]


@dataclass(frozen=True)
class GttOrder:
    """One trigger order as requested; `fields` is the accepted request body. Prices are rupees."""

    trigger_id: str
    mode: Mode
    fields: dict[str, Any]
    last_price: float
    created_at: datetime
    updated_at: datetime
    active: bool = True

    @property
    def triggers(self) -> list[float]:
        if self.fields["trigger_type"] == "OCO":
            return [self.fields["triggerprice_sl"], self.fields["triggerprice_tg"]]
        return [self.fields["triggerprice_sl"] or self.fields["triggerprice_tg"]]

    @property
    def limits(self) -> list[float]:
        if self.fields["trigger_type"] == "OCO":
            return [self.fields["stoploss"], self.fields["target"]]
        return [self.fields["price"]]


@dataclass
class GttBook:
    """Ids are `100001` and up live, `GTT-YYMMDD-` and eight hex digits in the sandbox."""

    _orders: dict[str, GttOrder] = field(default_factory=dict)
    _live: int = 100_000
    _sandbox: int = 0

    def add(self, mode: Mode, fields: dict[str, Any], last_price: float, now: datetime) -> GttOrder:
        order = GttOrder(self._next_id(mode, now), mode, fields, last_price, now, now)
        self._orders[order.trigger_id] = order
        return order

    def find(self, mode: Mode, trigger_id: str) -> GttOrder | None:
        """The active order; None when there is none."""
        order = self._orders.get(trigger_id)
        return order if order is not None and order.active and order.mode == mode else None

    def change(self, order: GttOrder, fields: dict[str, Any], now: datetime) -> None:
        self._orders[order.trigger_id] = replace(order, fields=fields, updated_at=now)

    def cancel(self, order: GttOrder, now: datetime) -> None:
        self._orders[order.trigger_id] = replace(order, active=False, updated_at=now)

    def active(self, mode: Mode) -> list[GttOrder]:
        return [order for order in self._orders.values() if order.active and order.mode == mode]

    def clear(self) -> None:
        self._orders.clear()

    def _next_id(self, mode: Mode, now: datetime) -> str:
        if mode == "live":
            self._live += 1
            return str(self._live)
        self._sandbox += 1
        return f"GTT-{now:%y%m%d}-{(self._sandbox * 2654435761) % 2**32:08x}"
