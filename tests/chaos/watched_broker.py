"""A broker that reports every call it gets, pushes what happens, and whose books come in any order and with gaps."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from app.domain.books import BrokerOrder, BrokerTrade, OrderStatus, OrderUpdate
from app.domain.contracts import ContractKey, PriceType, Product, Side
from app.domain.money import Units
from app.domain.orders import ModifyRequest, OrderRequest
from app.domain.outcomes import Outcome
from app.domain.plan import Mode
from tests.unit.services.pretend_broker import BY_HAND, PRICE, PretendBroker, Standing


@dataclass
class WatchedBroker(PretendBroker):
    """`asked` hears of each order before it is answered, `called` of all calls that count for the pace. `shuffle` is
    the dice that reorder its books, None for none.

    `omits` order rows are left out of the next read. Until `bleeds_until` (monotonic, as `now` tells) its gateway shows
    orders that live with the word of the row above them. `stream` is what it has pushed and nobody has heard yet.
    `touched` are symbols in which people traded past us, `alike` ids of their orders of today that look like one of
    ours, `mimicked` the units of those of all days.
    """

    asked: Callable[[OrderRequest], None] = lambda _request: None
    called: Callable[[], None] = lambda: None
    cancelling: Callable[[], None] = lambda: None
    shuffle: random.Random | None = None
    omits: int = 0
    bleeds_until: float = 0.0
    now: Callable[[], float] = lambda: 0.0
    touched: set[str] = field(default_factory=set)
    alike: set[str] = field(default_factory=set)
    stream: list[OrderUpdate] = field(default_factory=list)
    mimicked: dict[tuple[ContractKey, Side], int] = field(default_factory=dict)

    def place(self, request: OrderRequest, *, expected: Mode) -> Outcome:
        self.called()
        self.asked(request)
        return super().place(request, expected=expected)

    def modify(self, request: ModifyRequest) -> Outcome:
        self.called()
        return super().modify(request)

    def accept(self, request: OrderRequest) -> str:
        order_id = super().accept(request)
        self.stream.append(self.news(self.standing[-1]))
        return order_id

    def fill(self, order: Standing, units: int | None = None, price: Decimal = PRICE) -> None:
        before = order.filled
        super().fill(order, units, price)
        if order.filled != before and price == PRICE:
            self.stream.append(self.news(order))

    def cancel(self, order_id: str, tag: str) -> Outcome:
        self.called()
        self.cancelling()
        outcome = super().cancel(order_id, tag)
        self.stream += [self.news(each) for each in self.standing if each.order_id == order_id]
        return outcome

    def end(self, order: Standing, status: OrderStatus, reason: str | None = None) -> None:
        """The broker itself ends an order; why is pushed and in no book."""
        order.status = status
        self.stream.append(self.news(order, reason))

    def order_book(self, expected: Mode | None = None) -> list[BrokerOrder]:
        rows = super().order_book(expected)
        if self.shuffle is not None:
            self.shuffle.shuffle(rows)
        if self.now() < self.bleeds_until:
            rows = _bled(rows)
        if self.omits:
            rows, self.omits = rows[: -self.omits], 0
        return rows

    def trade_book(self, expected: Mode | None = None) -> list[BrokerTrade]:
        rows = list(super().trade_book(expected))
        if self.shuffle is not None:
            self.shuffle.shuffle(rows)
        return rows

    def by_hand(self, key: ContractKey, side: Side, units: int) -> None:
        self.touched.add(key.symbol)
        super().by_hand(key, side, units)

    def mimic(self, key: ContractKey, side: Side, units: int, price: Decimal) -> None:
        """A stranger's order that nobody can tell from one of ours that is looked for."""
        self.alike.add(self.stranger(key, side, units, price))
        self.mimicked[key, side] = self.mimicked.get((key, side), 0) + units

    def stranger(self, key: ContractKey, side: Side, units: int, price: Decimal) -> str:
        """The id of an order that looks like ours and is not."""
        request = OrderRequest(key, side, Units(units), Product.MIS, PriceType.LIMIT, price, Decimal(0), BY_HAND)
        self.touched.add(key.symbol)
        order_id = self.accept(request)
        self.fill(self.standing[-1], price=price)
        return order_id

    def next_day(self) -> None:
        super().next_day()
        self.alike.clear()
        self.stream.clear()


def _bled(rows: list[BrokerOrder]) -> list[BrokerOrder]:
    shown: list[BrokerOrder] = []
    for row in rows:
        shown.append(replace(row, status=shown[-1].status) if shown and not row.status.is_final else row)
    return shown
