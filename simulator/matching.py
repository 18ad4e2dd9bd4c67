"""Matches one desk's orders against the market's depth and trades, by price and time."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from simulator.activity import DEPTH_HOLD
from simulator.contracts import Contract
from simulator.floor import Floor, rupees
from simulator.orders import PriceType
from simulator.quotes import ContractKey, DepthLevel
from simulator.working import Order

OnFill = Callable[[Order, Contract, int, Decimal], None]
"""Called with the order, its contract, units and price of one fill."""


class Matcher:
    """Fills orders of one account. What it takes from a level is gone until the depth is drawn anew (a second)."""

    def __init__(self, floor: Floor, on_fill: OnFill) -> None:
        """`on_fill` books each fill and tells the order's new state."""
        self._floor = floor
        self._on_fill = on_fill
        self._taken: dict[tuple[ContractKey, str, Decimal], int] = {}
        self._taken_at = -1

    def arrive(self, order: Order) -> None:
        """An order enters the book (or comes back changed): trigger it, fill it, or queue it."""
        contract = self._floor.listed(order.request.key)
        if order.status == "trigger pending":
            self._trigger(order, contract)
        else:
            self._enter(order, contract)

    def step(self, order: Order, first: int, last: int) -> None:
        """One working order meets what happened at steps first..last."""
        contract = self._floor.touch(order.request.key).contract
        if order.status == "trigger pending":
            self._trigger(order, contract)
        elif _resting_type(order.pricetype) == "MARKET":
            self._take(order, contract)
        else:
            self._rest(order, contract, first, last)

    def _enter(self, order: Order, contract: Contract) -> None:
        self._take(order, contract)
        if order.working and _resting_type(order.pricetype) == "LIMIT":
            own = self._levels(contract, order.request.action)
            order.ahead_units = next((level.units for level in own if rupees(level.price) == order.price), 0)

    def _trigger(self, order: Order, contract: Contract) -> None:
        last = self._floor.touch(contract.key).last
        buying = order.request.action == "BUY"
        if (last >= order.trigger_price) if buying else (last <= order.trigger_price):
            order.status = "open"
            self._enter(order, contract)

    def _take(self, order: Order, contract: Contract) -> None:
        """Take what the other side shows, best first, up to the limit if there is one."""
        limit = order.price if _resting_type(order.pricetype) == "LIMIT" else None
        against = "SELL" if order.request.action == "BUY" else "BUY"
        self._forget_taken()
        if order.two_fills and limit is None:
            self._take_in_halves(order, contract, against)
            return
        for level in self._levels(contract, against):
            price = rupees(level.price)
            if order.fillable <= 0 or (limit is not None and not _acceptable(order, price, limit)):
                break
            units = min(order.fillable, self._left(contract, against, level))
            self._fill(order, contract, units, price, against)

    def _take_in_halves(self, order: Order, contract: Contract, against: str) -> None:
        level = next(iter(self._levels(contract, against)), None)
        if level is None:
            return
        order.two_fills = False
        lot = contract.lot_units
        half = max(lot, order.fillable // lot // 2 * lot)
        worse = Decimal(str(contract.tick_size)) * (10 if against == "SELL" else -10)
        price = rupees(level.price)
        self._fill(order, contract, min(half, order.fillable), price, against)
        self._fill(order, contract, order.fillable, max(price + worse, price / 2), against)

    def _rest(self, order: Order, contract: Contract, first: int, last: int) -> None:
        """A resting limit fills at its own price once the market trades through it, or at it after the queue."""
        against = "SELL" if order.request.action == "BUY" else "BUY"
        touch = self._floor.touch(contract.key)
        best = touch.ask if against == "SELL" else touch.bid
        if best > 0 and _acceptable(order, best, order.price):
            units = self._crossing_units(order, contract, against)
        else:
            units = self._traded_units(order, contract, first, last)
        units = min(units // contract.lot_units * contract.lot_units, order.fillable)
        self._fill(order, contract, units, order.price, against)

    def _crossing_units(self, order: Order, contract: Contract, against: str) -> int:
        self._forget_taken()
        return sum(
            self._left(contract, against, level)
            for level in self._levels(contract, against)
            if _acceptable(order, rupees(level.price), order.price)
        )

    def _traded_units(self, order: Order, contract: Contract, first: int, last: int) -> int:
        price = self._floor.touch(contract.key).last
        if not _acceptable(order, price, order.price):
            return 0
        units = self._floor.market.trade_units(contract, first, last)
        if price != order.price:
            return units
        beyond = max(0, units - order.ahead_units)
        order.ahead_units = max(0, order.ahead_units - units)
        return beyond

    def _fill(self, order: Order, contract: Contract, units: int, price: Decimal, against: str) -> None:
        if units <= 0:
            return
        key = (contract.key, against, price)
        self._taken[key] = self._taken.get(key, 0) + units
        self._on_fill(order, contract, units, price)

    def _levels(self, contract: Contract, side: str) -> Iterable[DepthLevel]:
        depth = self._floor.depth(contract)
        return (level for level in (depth.bids if side == "BUY" else depth.asks) if level.units)

    def _left(self, contract: Contract, side: str, level: DepthLevel) -> int:
        return max(0, level.units - self._taken.get((contract.key, side, rupees(level.price)), 0))

    def _forget_taken(self) -> None:
        hold = self._floor.market.step // DEPTH_HOLD
        if hold != self._taken_at:
            self._taken.clear()
            self._taken_at = hold


def _acceptable(order: Order, price: Decimal, limit: Decimal) -> bool:
    return price <= limit if order.request.action == "BUY" else price >= limit


def _resting_type(pricetype: PriceType) -> PriceType:
    """What a triggered stop has become."""
    if pricetype == "SL":
        return "LIMIT"
    return "MARKET" if pricetype == "SL-M" else pricetype
