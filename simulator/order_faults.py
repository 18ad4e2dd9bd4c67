"""Faults of the order path: what they answer instead of the broker, and how they bend an order that is taken."""

from collections.abc import Callable

from simulator.broker import Broker, Terms
from simulator.contracts import Contract
from simulator.faults import Fault, FaultBoard
from simulator.orders import Accepted, OrderReply, OrderRequest, Queued, Refused, Unanswered
from simulator.timers import Timers
from simulator.working import Order

FREEZE_TEXT = "Exchange rejected: quantity {units} is above the freeze limit of {limit}"


class FaultyDoor:
    """The broker's front door as the faults on the board make it, for one account."""

    def __init__(self, number: int, board: FaultBoard, broker: Broker, timers: Timers) -> None:
        """`number` is the account's."""
        self._number = number
        self._board = board
        self._broker = broker
        self._timers = timers
        self._queued = 0

    def queued(self) -> Queued | None:
        """Semi-automatic mode's answer to an order; None when orders go straight through."""
        if self._board.standing("semi_auto", self._number) is None:
            return None
        self._queued += 1
        return Queued(self._queued)

    def place(self, request: OrderRequest, contract: Contract | None) -> OrderReply:
        """Place a live order, as the faults would have it. `contract` is None when it is not listed."""
        refused = self._hit("reject_order", request)
        if refused is not None:
            return Refused(refused.parameters["text"], refused.parameters["status"])
        late = self._hit("late_accept", request)
        if late is not None:
            self._timers.after(late.parameters["seconds"], lambda: self._take(request, contract))
            return _false_answer(late)
        nothing = self._hit("orderid_null", request)
        if nothing is not None and not nothing.parameters["accepts"]:
            return Accepted("")
        reply = self._take(request, contract)
        lie = self._hit("accept_with_error", request) if isinstance(reply, Accepted) else None
        if lie is not None:
            return Refused(lie.parameters["text"], lie.parameters["status"])
        return Accepted("") if nothing is not None and isinstance(reply, Accepted) else reply

    def cancel(self, orderid: str) -> OrderReply:
        """Cancel a live order, as the faults would have it."""
        refused = self._board.match("cancel_fails", self._number, "cancelorder")
        if refused is not None:
            return Refused(refused.parameters["text"], refused.parameters["status"])
        lag = self._board.match("cancel_lags", self._number, "cancelorder")
        order = self._broker.log.find(orderid)
        if lag is None or order is None or not order.working:
            return self._broker.cancel(orderid)
        self._timers.after(lag.parameters["seconds"], lambda: self._cancel_if_working(orderid))
        return Accepted(orderid)

    def lift_caps(self) -> None:
        """Orders held by a fault that has left the board may fill again."""
        for order in self._broker.log.working():
            if order.cap_fault and not self._board.has(order.cap_fault):
                order.cap_units, order.cap_fault = None, 0

    def _take(self, request: OrderRequest, contract: Contract | None) -> Accepted | Refused:
        late = self._hit("late_reject", request)
        terms, rest_s = self._terms(request, contract)
        reply = self._broker.place(request, Terms(cap_units=0) if late is not None else terms)
        order = self._broker.log.find(reply.orderid) if isinstance(reply, Accepted) else None
        if order is not None and late is not None:
            self._timers.after(late.parameters["seconds"], self._rejection(order, late.parameters["text"]))
        elif order is not None and rest_s > 0:
            self._timers.after(rest_s, lambda: _uncap(order))
        return reply

    def _terms(self, request: OrderRequest, contract: Contract | None) -> tuple[Terms, float]:
        """How this order is bent, and after how many real seconds a cap ends (0: with its fault)."""
        freeze = self._hit("freeze_reject", request)
        rejection = ""
        if freeze is not None and request.units > freeze.parameters["units"]:
            rejection = FREEZE_TEXT.format(units=request.units, limit=freeze.parameters["units"])
        cap = self._hit("no_fill", request) or self._hit("partial_fills", request)
        terms = Terms(
            cap_units=None if cap is None else _capped(cap, request, contract),
            cap_fault=cap.id if cap is not None and cap.remaining is None else 0,
            two_fills=self._hit("two_fills", request) is not None,
            rejection=rejection,
            protect=self._hit("mpp_limit_orders", request) is not None,
        )
        return terms, 0.0 if cap is None else cap.parameters["rest_s"]

    def _hit(self, name: str, request: OrderRequest) -> Fault | None:
        return self._board.match_order(name, self._number, request.symbol, request.action)

    def _rejection(self, order: Order, text: str) -> Callable[[], None]:
        return lambda: self._broker.reject(order, text)

    def _cancel_if_working(self, orderid: str) -> None:
        order = self._broker.log.find(orderid)
        if order is not None and order.working:
            self._broker.cancel(orderid)


def _false_answer(late: Fault) -> OrderReply:
    if late.parameters["reply"] == "cut":
        return Unanswered()
    return Refused(late.parameters["text"], late.parameters["status"])


def _capped(cap: Fault, request: OrderRequest, contract: Contract | None) -> int:
    if cap.name == "no_fill" or contract is None:
        return 0
    lots = int(request.units * cap.parameters["fraction"]) // contract.lot_units
    return lots * contract.lot_units


def _uncap(order: Order) -> None:
    order.cap_units, order.cap_fault = None, 0
