"""The live broker of one account: takes orders, matches them, keeps its books."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import time
from decimal import Decimal

from simulator.admission import NotAdmittedError, admit, exchange_objection
from simulator.broker_risk import BrokerRisk
from simulator.charges import charges, fill_key
from simulator.contracts import Contract, ContractKey
from simulator.delivery import Delivery
from simulator.floor import Floor
from simulator.ledger import Ledger, PositionKey
from simulator.matching import Matcher
from simulator.orders import ZERO, Accepted, Action, Fill, ModifyRequest, OrderRequest, PriceType, Refused
from simulator.protection import protected
from simulator.settlement import settle_expired
from simulator.timers import Timers
from simulator.working import Order, OrderLog, Push

INTRADAY_END = time(15, 20)
"""IST: from here on a broker usually closes MIS positions itself and takes no new ones."""
FIRST_NUMBER = 190_000_001
CANCEL_REFUSED = (
    "Failed to cancel order: Client error '400 Bad Request' for url "
    "'https://api.simulator.invalid/orders/regular/{orderid}'\n"
    "For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/400"
)


@dataclass(frozen=True)
class Terms:
    """How faults bend one order: see the fields of Order of the same names. `rejection` is the exchange's answer."""

    cap_units: int | None = None
    cap_fault: int = 0
    two_fills: bool = False
    rejection: str = ""
    protect: bool = False


PLAIN = Terms()


class Broker:
    """One account's live books. Every change of an order's state is pushed as it happens."""

    def __init__(
        self, floor: Floor, cash: Decimal, timers: Timers, push: Push, intraday_end: time = INTRADAY_END
    ) -> None:
        """Starts with `cash` rupees and the usual holdings; `intraday_end` is this broker's own, IST."""
        self._floor = floor
        self.intraday_end = intraday_end
        self.ledger = Ledger(cash)
        self.log = OrderLog(timers, push)
        self.risk = BrokerRisk(floor, self.ledger)
        self.delivery = Delivery()
        self._matcher = Matcher(floor, self._on_fill)
        self._number = FIRST_NUMBER

    def place(self, request: OrderRequest, terms: Terms = PLAIN) -> Accepted | Refused:
        """Take an order. Accepted does not mean it was not rejected a moment later: look in the book."""
        try:
            contract = admit(request, self._floor)
            self._check_intraday(request)
        except NotAdmittedError as refusal:
            return Refused(refusal.text, refusal.http_status)
        order = self._new_order(protected(request, self._floor.ltp(contract)) if terms.protect else request, terms)
        self.log.add(order)
        objection = terms.rejection or self._objection(order, contract)
        if objection:
            self.reject(order, objection)
        else:
            self.log.record(order, self._floor.now)
            self._matcher.arrive(order)
        return Accepted(order.orderid)

    def modify(self, request: ModifyRequest) -> Accepted | Refused:
        """Change a working order; a new price or more units lose its place in the queue."""
        order = self.log.find(request.orderid)
        if order is None:
            return Refused("Couldn't find that `order_id`.", 400)
        if not order.working:
            return Refused("Order cannot be modified as it is being processed. Try later.", 400)
        changed = replace(
            order.request,
            units=request.units,
            pricetype=request.pricetype,
            price=request.price,
            trigger_price=request.trigger_price,
        )
        try:
            self._admit_change(order, changed)
        except NotAdmittedError as refusal:
            return Refused(refusal.text, refusal.http_status)
        self._apply_change(order, changed)
        return Accepted(order.orderid)

    def cancel(self, orderid: str) -> Accepted | Refused:
        """Cancel a working order."""
        order = self.log.find(orderid)
        if order is None or not order.working:
            return Refused(CANCEL_REFUSED.format(orderid=orderid), 500)
        order.status = "cancelled"
        self.log.record(order, self._floor.now)
        return Accepted(orderid)

    def reject(self, order: Order, reason: str) -> None:
        """Reject an accepted order that has not filled or ended."""
        if order.working:
            order.status = "rejected"
            order.rejection_reason = reason
            self.log.record(order, self._floor.now)

    def closing_requests(self, products: Iterable[str] = ("CNC", "MIS", "NRML")) -> list[OrderRequest]:
        """Opposite market orders for open positions of these products."""
        return closing_requests(self.ledger, products)

    def square_off_intraday(self) -> None:
        """The broker's own end-of-day act: cancel MIS orders, then close MIS positions at market."""
        for order in self.log.working():
            if order.request.product == "MIS":
                self.cancel(order.orderid)
        for request in self.closing_requests(("MIS",)):
            self.place(request)

    def wanted(self) -> set[ContractKey]:
        """Contracts whose prices matter to working orders."""
        return {order.request.key for order in self.log.working()}

    def match(self, first: int, last: int) -> None:
        """Let working orders, oldest first, meet what the market did at steps first..last."""
        for order in self.log.working():
            if order.fillable > 0:
                self._matcher.step(order, first, last)

    def end_day(self) -> None:
        """Day orders end, expiring positions are settled, and the day's charges are taken."""
        for order in self.log.working():
            self.cancel(order.orderid)
        settle_expired(self.ledger, self._floor)
        self.ledger.move_cash(-self.charges_today(), "charges", self._floor.now)

    def charges_today(self) -> Decimal:
        """Brokerage, taxes and fees of today's fills so far, rupees, positive; taken from the cash at day's end."""
        fills = self.log.fills()
        return charges(fills, {fill_key(fill): self._floor.listed(fill_key(fill)) for fill in fills})

    def begin_day(self) -> None:
        """Empty today's books; delivery shares become holdings."""
        self.log.begin_day()
        self.delivery.take_in(self.ledger)
        self.ledger.begin_day()
        self._number = FIRST_NUMBER

    def _new_order(self, request: OrderRequest, terms: Terms) -> Order:
        orderid = f"{self._floor.clock.ist_now():%y%m%d}{self._number:09d}"
        self._number += 1
        stop = request.pricetype in {"SL", "SL-M"}
        return Order(
            orderid=orderid,
            request=request,
            mode="live",
            placed_at=self._floor.now,
            updated_at=self._floor.now,
            status="trigger pending" if stop else "open",
            units=request.units,
            pricetype=request.pricetype,
            price=request.price if request.pricetype in {"LIMIT", "SL"} else ZERO,
            trigger_price=request.trigger_price if stop else ZERO,
            cap_units=terms.cap_units,
            cap_fault=terms.cap_fault,
            two_fills=terms.two_fills,
        )

    def _check_intraday(self, request: OrderRequest) -> None:
        if request.product != "MIS" or self._floor.clock.ist_now().time() < self.intraday_end:
            return
        net = self.risk.net_units(request)
        if request.units > (-net if request.action == "BUY" else net):
            raise NotAdmittedError(
                f"MIS orders are not taken after {self.intraday_end:%H:%M}. Use NRML or CNC, or only close positions."
            )

    def _objection(self, order: Order, contract: Contract) -> str:
        return (
            exchange_objection(order.request, contract, self._floor)
            or self.delivery.objection(order.request, self.risk.net_units(order.request))
            or self.risk.objection(order, self.log.working())
        )

    def _admit_change(self, order: Order, changed: OrderRequest) -> None:
        if _triggered(order, changed.pricetype):
            changed = replace(changed, pricetype="LIMIT" if changed.pricetype == "SL" else "MARKET")
        contract = admit(changed, self._floor)
        out_of_range = exchange_objection(changed, contract, self._floor)
        if out_of_range:
            raise NotAdmittedError(out_of_range)
        if changed.units < order.filled_units:
            raise NotAdmittedError(f"Quantity cannot be lower than the {order.filled_units} already filled.")
        candidate = replace(order, units=changed.units, price=changed.price, pricetype=changed.pricetype)
        others = [other for other in self.log.working() if other is not order]
        objection = self.risk.objection(candidate, others)
        if objection:
            raise NotAdmittedError(objection)

    def _apply_change(self, order: Order, changed: OrderRequest) -> None:
        stop = changed.pricetype in {"SL", "SL-M"}
        triggered = _triggered(order, changed.pricetype)
        order.units = changed.units
        order.pricetype = changed.pricetype
        order.price = changed.price if changed.pricetype in {"LIMIT", "SL"} else ZERO
        order.trigger_price = changed.trigger_price if stop else ZERO
        order.status = "trigger pending" if stop and not triggered else "open"
        order.ahead_units = 0
        if not order.remaining:
            order.status = "complete"
        self.log.record(order, self._floor.now)
        if order.working:
            self._matcher.arrive(order)

    def _on_fill(self, order: Order, contract: Contract, units: int, price: Decimal) -> None:
        r = order.request
        number = len(self.log.fills()) + 1
        fill = Fill(
            orderid=order.orderid,
            tradeid=f"{order.orderid}-{number}",
            symbol=r.symbol,
            exchange=r.exchange,
            action=r.action,
            product=r.product,
            units=units,
            price=price,
            at=self._floor.now,
            strategy=r.strategy,
        )
        order.filled_units += units
        order.fill_value += units * price
        if not order.remaining:
            order.status = "complete"
        self.ledger.apply(fill, contract)
        self.log.add_fill(fill)
        self.log.record(order, self._floor.now)


def _triggered(order: Order, pricetype: PriceType) -> bool:
    """A stop that has fired stays fired when only its price or size changes."""
    return order.status == "open" and order.pricetype == pricetype and pricetype in {"SL", "SL-M"}


def closing_requests(ledger: Ledger, products: Iterable[str]) -> list[OrderRequest]:
    """Opposite market orders for a ledger's open positions of these products."""
    return [
        _closing_request(key, position.units)
        for key, position in ledger.positions.items()
        if position.units and key.product in products
    ]


def _closing_request(key: PositionKey, units: int) -> OrderRequest:
    """The market order that closes a position of signed units."""
    action: Action = "SELL" if units > 0 else "BUY"
    return OrderRequest(key.symbol, key.exchange, action, abs(units), "MARKET", key.product, strategy="square off")
