"""An order while it lives at a desk, and the log that keeps a desk's orders and fills."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from simulator.orders import FINAL, ZERO, Fill, OrderRequest, OrderStatus, OrderView, PriceType
from simulator.timers import Timers

PAISA = Decimal("0.01")


@dataclass
class Order:
    """State of one order. Sizes are units; `ahead_units` is the queue in front of it at its price."""

    orderid: str
    request: OrderRequest
    mode: Literal["live", "analyze"]
    placed_at: datetime
    updated_at: datetime
    status: OrderStatus
    units: int
    pricetype: PriceType
    price: Decimal
    trigger_price: Decimal
    filled_units: int = 0
    fill_value: Decimal = ZERO
    rejection_reason: str = ""
    ahead_units: int = 0
    cap_units: int | None = None
    """Fill no more than this in all (a fault); None: no cap."""
    cap_fault: int = 0
    """Id of the standing fault that holds the cap; 0 when the cap ends by time alone."""
    two_fills: bool = False
    history: list[tuple[float, OrderView]] = field(default_factory=list)
    """Every state it was in, by the real second."""

    @property
    def remaining(self) -> int:
        """Units not filled."""
        return self.units - self.filled_units

    @property
    def working(self) -> bool:
        """True until complete, cancelled or rejected."""
        return self.status not in FINAL

    @property
    def fillable(self) -> int:
        """Units that may fill now under the cap."""
        if self.cap_units is None:
            return self.remaining
        return max(0, min(self.remaining, self.cap_units - self.filled_units))

    @property
    def average_price(self) -> Decimal:
        """Over its fills, four places; zero without any."""
        if not self.filled_units:
            return ZERO
        return (self.fill_value / self.filled_units).quantize(Decimal("0.0001"))

    def view(self) -> OrderView:
        """As the order book shows it."""
        r = self.request
        return OrderView(
            orderid=self.orderid,
            symbol=r.symbol,
            exchange=r.exchange,
            action=r.action,
            units=self.units,
            filled_units=self.filled_units,
            pending_units=self.remaining if self.working else 0,
            pricetype=self.pricetype,
            product=r.product,
            price=self.price,
            trigger_price=self.trigger_price,
            average_price=self.average_price,
            status=self.status,
            rejection_reason=self.rejection_reason,
            strategy=r.strategy,
            placed_at=self.placed_at,
            updated_at=self.updated_at,
            mode=self.mode,
        )


Push = Callable[[OrderView], None]


class OrderLog:
    """Orders and fills of one desk today, and every one ever for whoever checks the truth."""

    def __init__(self, timers: Timers, push: Push) -> None:
        """`push` gets each new state of an order."""
        self._timers = timers
        self._push = push
        self._today: dict[str, Order] = {}
        self._earlier: list[Order] = []
        self._fills: list[tuple[float, Fill]] = []
        self._earlier_fills: list[Fill] = []

    def add(self, order: Order) -> None:
        """A new order; its first state is told by `record`."""
        self._today[order.orderid] = order

    def find(self, orderid: str) -> Order | None:
        """Today's order with this id."""
        return self._today.get(orderid)

    def today(self) -> list[Order]:
        """Today's orders, oldest first."""
        return list(self._today.values())

    def working(self) -> list[Order]:
        """Orders that may still fill, oldest first."""
        return [order for order in self._today.values() if order.working]

    def record(self, order: Order, at: datetime, *, pushed: OrderView | None = None, silent: bool = False) -> None:
        """Keep and tell an order's new state; `pushed` replaces what listeners are told."""
        order.updated_at = at
        view = order.view()
        order.history.append((self._timers.now_s, view))
        if not silent:
            self._push(pushed or view)

    def add_fill(self, fill: Fill) -> None:
        """A new fill."""
        self._fills.append((self._timers.now_s, fill))

    def fills(self) -> list[Fill]:
        """Today's fills, oldest first."""
        return [fill for _, fill in self._fills]

    def views_at(self, real_s: float) -> Iterator[OrderView]:
        """Today's orders as they stood at a real second, those not yet placed left out."""
        for order in self._today.values():
            states = [view for at, view in order.history if at <= real_s]
            if states:
                yield states[-1]

    def fills_at(self, real_s: float) -> list[Fill]:
        """Today's fills up to a real second."""
        return [fill for at, fill in self._fills if at <= real_s]

    def begin_day(self) -> None:
        """Yesterday's orders and fills leave the books."""
        self._earlier += self._today.values()
        self._earlier_fills += self.fills()
        self._today = {}
        self._fills = []

    def all_orders(self) -> list[OrderView]:
        """Every order ever, oldest first."""
        return [replace(order.view()) for order in (*self._earlier, *self._today.values())]

    def all_fills(self) -> list[Fill]:
        """Every fill ever, oldest first."""
        return [*self._earlier_fills, *self.fills()]
