"""The gateway's analyze mode: a paper broker that fills all or nothing and knows only its own rules."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from simulator import sandbox_rules as rules
from simulator.admission import NotAdmittedError
from simulator.broker import closing_requests
from simulator.contracts import Contract, ContractKey
from simulator.floor import Floor, rupees
from simulator.ledger import Ledger, PositionKey, never_pays
from simulator.orders import ZERO, Accepted, Fill, ModifyRequest, OrderRequest, Refused
from simulator.settlement import settle_expired
from simulator.timers import Timers
from simulator.working import Order, OrderLog, Push

CAPITAL = Decimal(10_000_000)


class Sandbox:
    """One account's paper books. `random` draws its order ids and nothing else."""

    def __init__(self, floor: Floor, timers: Timers, push: Push, randomness: random.Random) -> None:
        """Starts with CAPITAL rupees, no holdings."""
        self._floor = floor
        self._random = randomness
        self.reset_at: datetime = floor.now
        self.ledger = Ledger(CAPITAL, never_pays)
        self.log = OrderLog(timers, push)

    def place(self, request: OrderRequest) -> Accepted | Refused:
        """Take an order; a marketable one fills whole, at once."""
        try:
            contract = rules.admit(request, self._floor, self._net_units(request))
            self._check_price_known(request, contract)
            self._check_funds(request, contract)
        except NotAdmittedError as refusal:
            return Refused(refusal.text, refusal.http_status)
        order = self._new_order(request, contract)
        shortage = self._delivery_shortage(request, contract)
        self.log.add(order)
        if shortage:
            order.status, order.rejection_reason = "rejected", shortage
            self._tell(order)
            return Refused(shortage, 400, order.orderid)
        self._tell(order)
        self._try_fill(order, contract, arriving=True)
        return Accepted(order.orderid)

    def modify(self, request: ModifyRequest) -> Accepted | Refused:
        """Change units and prices; the price type is ignored. Listeners are not told."""
        order = self.log.find(request.orderid)
        if order is None:
            return Refused(f"Order {request.orderid} not found", 404)
        if not order.working:
            return Refused(f"Cannot modify order in {order.status} status", 400)
        contract = self._floor.listed(order.request.key)
        try:
            rules.check_change(order.pricetype, contract, request.units, request.price, request.trigger_price)
        except NotAdmittedError as refusal:
            return Refused(refusal.text, refusal.http_status)
        order.units, order.price, order.trigger_price = request.units, request.price, request.trigger_price
        self.log.record(order, self._floor.now, silent=True)
        return Accepted(order.orderid, "Order modified successfully")

    def cancel(self, orderid: str) -> Accepted | Refused:
        """Cancel a working order."""
        order = self.log.find(orderid)
        if order is None:
            return Refused(f"Order {orderid} not found", 404)
        if not order.working:
            return Refused(f"Cannot cancel order in {order.status} status", 400)
        order.status = "cancelled"
        self._tell(order)
        return Accepted(orderid, "Order cancelled successfully")

    def close_positions(self, products: Iterable[str] = ("CNC", "MIS", "NRML")) -> tuple[int, int]:
        """Opposite market orders for open positions of these products; counts accepted and refused."""
        requests = closing_requests(self.ledger, products)
        replies = [self.place(request) for request in requests]
        accepted = sum(isinstance(reply, Accepted) for reply in replies)
        return accepted, len(replies) - accepted

    def square_off_intraday(self) -> None:
        """At 15:15: cancel MIS orders, then close MIS positions."""
        for order in self.log.working():
            if order.request.product == "MIS":
                self.cancel(order.orderid)
        self.close_positions(("MIS",))

    def wanted(self) -> set[ContractKey]:
        """Contracts whose prices matter to working orders."""
        return {order.request.key for order in self.log.working()}

    def match(self) -> None:
        """Let working orders, oldest first, meet the last prices."""
        for order in self.log.working():
            self._try_fill(order, self._floor.touch(order.request.key).contract, arriving=False)

    def end_day(self) -> None:
        """Expiring positions are settled; resting orders end with the session boundary."""
        for order in self.log.working():
            self.cancel(order.orderid)
        settle_expired(self.ledger, self._floor)

    def begin_day(self) -> None:
        """Empty today's books."""
        self.log.begin_day()
        self.ledger.begin_day()

    @property
    def used(self) -> Decimal:
        """Rupees blocked by positions and working orders."""
        held = sum((self._held_margin(key) for key in self.ledger.positions), ZERO)
        return held + sum((self._order_margin(order) for order in self.log.working()), ZERO)

    def _check_price_known(self, request: OrderRequest, contract: Contract) -> None:
        if request.pricetype == "MARKET" and self._floor.quote(contract).ltp <= 0:
            raise NotAdmittedError(
                f"Cannot place MARKET order for {request.symbol} - unable to fetch current price. "
                "Please try again later or use LIMIT order with a specific price."
            )

    def _check_funds(self, request: OrderRequest, contract: Contract) -> None:
        required = self._margin(request, contract, request.units)
        available = self.ledger.cash - self.used
        if required > available:
            required, available = required.quantize(Decimal("0.01")), available.quantize(Decimal("0.01"))
            raise NotAdmittedError(
                f"Insufficient funds. Required: ₹{_plain(required)}, Available: ₹{_plain(available)}, "
                f"Shortage: ₹{_plain(required - available)}"
            )

    def _delivery_shortage(self, request: OrderRequest, contract: Contract) -> str:
        if request.product != "CNC" or request.action == "BUY" or contract.is_derivative:
            return ""
        held = self._net_units(request)
        if held <= 0:
            return (
                f"Cannot sell {request.symbol} in CNC. No positions or holdings available. "
                "CNC (delivery) requires existing shares. Use MIS for intraday short selling."
            )
        if request.units > held:
            return (
                f"Cannot sell {request.units} shares of {request.symbol} in CNC. "
                f"Only {held} shares available (Position: {held}, Holdings: 0)"
            )
        return ""

    def _margin(self, request: OrderRequest, contract: Contract, units: int) -> Decimal:
        """Blocked for new exposure only: what closes a position needs nothing."""
        net = self._net_units(request)
        closing = max(0, min(units, -net if request.action == "BUY" else net))
        price = rules.reference_price(request, contract, self._floor)
        return (units - closing) * rules.margin_per_unit(contract, request.product, price)

    def _order_margin(self, order: Order) -> Decimal:
        return self._margin(order.request, self._floor.listed(order.request.key), order.remaining)

    def _held_margin(self, key: PositionKey) -> Decimal:
        contract = self._floor.find(key.contract)
        position = self.ledger.positions[key]
        if contract is None or not position.units:
            return ZERO
        return abs(position.units) * rules.margin_per_unit(contract, key.product, position.average_price)

    def _net_units(self, request: OrderRequest) -> int:
        position = self.ledger.positions.get(PositionKey(request.symbol, request.exchange, request.product))
        return position.units if position is not None else 0

    def _new_order(self, request: OrderRequest, contract: Contract) -> Order:
        orderid = f"{self._floor.clock.ist_now():%y%m%d}{self._random.randrange(10**7, 10**8)}"
        market = request.pricetype == "MARKET"
        return Order(
            orderid=orderid,
            request=request,
            mode="analyze",
            placed_at=self._floor.now,
            updated_at=self._floor.now,
            status="trigger pending" if request.pricetype in {"SL", "SL-M"} else "open",
            units=request.units,
            pricetype=request.pricetype,
            price=rupees(self._floor.quote(contract).ltp) if market else request.price,
            trigger_price=request.trigger_price,
        )

    def _try_fill(self, order: Order, contract: Contract, *, arriving: bool) -> None:
        touch = self._floor.touch(contract.key)
        last = touch.last
        buying = order.request.action == "BUY"
        if order.status == "trigger pending" and _reached(last, order.trigger_price, upwards=buying):
            order.status = "open"
            self._tell(order)
        if order.status != "open" or last <= 0:
            return
        limited = order.pricetype in {"LIMIT", "SL"}
        if limited and not _reached(last, order.price, upwards=not buying):
            return
        self._fill(order, contract, self._fill_price(order, touch.ask if buying else touch.bid, last, arriving))

    def _fill_price(self, order: Order, best: Decimal, last: Decimal, arriving: bool) -> Decimal:
        if order.pricetype == "MARKET":
            return best if best > 0 else last
        return order.price if order.pricetype == "LIMIT" and not arriving else last

    def _fill(self, order: Order, contract: Contract, price: Decimal) -> None:
        r = order.request
        stamp = f"{self._floor.clock.ist_now():%Y%m%d-%H%M%S}"
        fill = Fill(
            orderid=order.orderid,
            tradeid=f"TRADE-{stamp}-{self._random.getrandbits(32):08x}",
            symbol=r.symbol,
            exchange=r.exchange,
            action=r.action,
            product=r.product,
            units=order.units,
            price=price,
            at=self._floor.now,
            strategy=r.strategy,
        )
        order.filled_units, order.fill_value, order.status = order.units, order.units * price, "complete"
        self.ledger.apply(fill, contract)
        self.log.add_fill(fill)
        self.log.record(order, self._floor.now, pushed=replace(order.view(), price=price))

    def _tell(self, order: Order) -> None:
        self.log.record(order, self._floor.now, pushed=replace(order.view(), filled_units=0, pending_units=0))


def _reached(price: Decimal, level: Decimal, *, upwards: bool) -> bool:
    return price >= level if upwards else price <= level


def _plain(amount: Decimal) -> str:
    """Rupees as the sandbox prints a float: no trailing zero but the first."""
    return str(float(amount))
