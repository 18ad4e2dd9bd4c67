"""One account's broker behind its gateway: it keeps its own truth of orders and trades, and misbehaves as told."""

from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade, Funds, OrderStatus, OrderUpdate
from app.domain.contracts import Contract, ContractKey, Kind, PriceType, Product, Side
from app.domain.money import Units
from app.domain.orders import ModifyRequest, OrderRequest
from app.domain.outcomes import Outcome, Verdict
from app.domain.plan import Mode
from app.ports.gateway import GatewayError, OtherMode
from tests.unit.services.market_fakes import EXPIRY

LOT = 65
FREEZE = 130
PRICE = Decimal("100.00")
BY_HAND = "by hand"
REFUSALS = {
    "too_large": "17070 : The quantity is above the freeze limit",
    "margin": "RMS:Margin Exceeds, Required:93120, Available:1200",
    "price": "17182 : Limit price is outside the LPP range of this contract",
    "ip": "IP address 203.0.113.9 is not whitelisted for this API key",
}
"""What brokers say when they certainly take no order."""


def contract(strike: int = 25_000, kind: Kind = Kind.CE) -> Contract:
    key = ContractKey("NFO", f"NIFTY01DEC26{strike}{kind.value}")
    return Contract(key, "NIFTY", kind, EXPIRY, Decimal(strike), LOT, Decimal("0.05"), Units(FREEZE))


CALL, PUT, HEDGE = contract(), contract(kind=Kind.PE), contract(25_400)


class Killed(BaseException):
    """The process died here."""


@dataclass
class Standing:
    """An order at the broker, as it truly is."""

    order_id: str
    request: OrderRequest
    status: OrderStatus = OrderStatus.OPEN
    filled: int = 0


@dataclass
class PretendBroker:
    """One account's broker behind its gateway. `acts` scripts the next sends; ACK when it is empty.

    ack; reject; lost and error: accepted, the answer is not known; gone: nothing happened and nobody says so; late:
    accepted when `arrive` is called; not_sent; park; die_before and die_after: the process dies around the call; the
    REFUSALS: rejected in a broker's words. Orders of more than `most_units` are too_large.
    """

    acts: list[str] = field(default_factory=list)
    standing: list[Standing] = field(default_factory=list)
    trades: list[BrokerTrade] = field(default_factory=list)
    foreign: dict[ContractKey, int] = field(default_factory=dict)
    carried: dict[ContractKey, int] = field(default_factory=dict)
    on_their_way: list[OrderRequest] = field(default_factory=list)
    broken: GatewayError | None = None
    broken_funds: GatewayError | None = None
    fills_at_once: bool = False
    trades_hidden: int = 0
    fills_before_cancel: int = 0
    deaf_to_cancels: bool = False
    changes: list[str] = field(default_factory=list)
    modified: int = 0
    placed: int = 0
    in_mode: Mode = Mode.LIVE
    most_units: int | None = None
    number: int = 0
    reads: int = 0

    def accept(self, request: OrderRequest) -> str:
        self.number += 1
        waits = request.price_type in {PriceType.SL, PriceType.SLM}
        order = Standing(f"{self.number:06d}", request, OrderStatus.TRIGGER_PENDING if waits else OrderStatus.OPEN)
        self.standing.append(order)
        if self.fills_at_once:
            self.fill(order)
        return order.order_id

    def fill(self, order: Standing, units: int | None = None, price: Decimal = PRICE) -> None:
        left = order.request.units - order.filled
        units = left if units is None else min(units, left)
        if units <= 0 or order.status is not OrderStatus.OPEN:
            return
        order.filled += units
        request = order.request
        self.trades.append(
            BrokerTrade(
                order.order_id, request.contract, request.side, Units(units), price, request.product.value, "10:30:01"
            )
        )
        if order.filled == request.units:
            order.status = OrderStatus.COMPLETE

    def news(self, order: Standing, reason: str | None = None) -> OrderUpdate:
        """What is pushed of an order as it stands now."""
        request = order.request
        return OrderUpdate(
            order.order_id, request.contract, request.side, request.units, order.status, Units(order.filled),
            PRICE if order.filled else None, reason, self.in_mode.value, request.product.value,
            request.price_type.value, request.price, request.trigger_price,
        )  # fmt: skip

    def trigger(self, order: Standing) -> None:
        """The market reaches the trigger of a stop: it becomes an order that can fill."""
        if order.status is OrderStatus.TRIGGER_PENDING:
            order.status = OrderStatus.OPEN

    def by_hand(self, key: ContractKey, side: Side, units: int) -> None:
        """Somebody trades at the broker, past us, in two orders of sizes that none of ours has."""
        price = PRICE + side.sign
        for part in (units - 1, 1):
            request = OrderRequest(key, side, Units(part), Product.MIS, PriceType.LIMIT, price, Decimal(0), BY_HAND)
            self.number += 1
            order = Standing(f"{self.number:06d}", request)
            self.standing.append(order)
            self.fill(order, price=price)

    def next_day(self) -> None:
        """Day orders end, positions are carried over, and the books begin anew."""
        for order in self.standing:
            key = order.request.contract
            if order.request.tag != BY_HAND:
                self.carried[key] = self.carried.get(key, 0) + order.request.side.sign * order.filled
            self.foreign[key] = self.foreign.get(key, 0) + order.request.side.sign * order.filled
        self.standing, self.trades, self.trades_hidden = [], [], 0

    def ours(self, key: ContractKey) -> int:
        """Signed units that our own orders brought or took, of all days."""
        return self.carried.get(key, 0) + sum(
            order.request.side.sign * order.filled
            for order in self.standing
            if order.request.contract == key and order.request.tag != BY_HAND
        )

    def fill_all(self) -> None:
        for order in self.standing:
            self.fill(order)

    def arrive(self) -> None:
        while self.on_their_way:
            self.accept(self.on_their_way.pop(0))

    def net(self, key: ContractKey) -> int:
        return self.foreign.get(key, 0) + sum(
            order.request.side.sign * order.filled for order in self.standing if order.request.contract == key
        )

    def place(self, request: OrderRequest, *, expected: Mode) -> Outcome:
        self.placed += 1
        if expected is not self.in_mode:
            return Outcome(Verdict.HALT, f"S{self.placed}", "", 200)  # the sandbox took it
        act = self.acts.pop(0) if self.acts else "ack"
        if act == "die_before":
            raise Killed
        if self.most_units is not None and request.units > self.most_units:
            act = "too_large"
        if act in {"ack", "lost", "error", "die_after"}:
            order_id = self.accept(request)
            if act == "die_after":
                raise Killed
            if act == "ack":
                return Outcome(Verdict.ACK, order_id, "", 200)
        if act == "late":
            self.on_their_way.append(request)
        verdict = {
            "reject": Verdict.REJECTED, "not_sent": Verdict.NOT_SENT, "park": Verdict.PARKED,
            "error": Verdict.UNKNOWN_ANSWERED, **dict.fromkeys(REFUSALS, Verdict.REJECTED),
        }.get(act, Verdict.UNKNOWN_OPEN)  # fmt: skip
        return Outcome(verdict, None, REFUSALS.get(act, f"said {act}"), None)

    def modify(self, request: ModifyRequest) -> Outcome:
        """`changes` scripts what comes of it: done, refused, lost (done, not answered) or gone (neither)."""
        self.modified += 1
        act = self.changes.pop(0) if self.changes else "done"
        if act == "die_before":
            raise Killed
        for order in self.standing:
            if order.order_id == request.order_id and not order.status.is_final and act in {"done", "lost"}:
                order.request = request.order
        verdict = {"done": Verdict.ACK, "refused": Verdict.UNKNOWN_ANSWERED}.get(act, Verdict.UNKNOWN_OPEN)
        return Outcome(verdict, None, f"said {act}", None)

    def cancel(self, order_id: str, tag: str) -> Outcome:  # noqa: ARG002 - the signature is the real one's
        for order in self.standing:
            if order.order_id == order_id and not order.status.is_final:
                self.trigger(order)
                self.fill(order, self.fills_before_cancel)
            if order.order_id == order_id and not order.status.is_final and not self.deaf_to_cancels:
                order.status = OrderStatus.CANCELLED
        return Outcome(Verdict.ACK, order_id, "", 200)

    def _readable(self, expected: Mode | None) -> None:
        self.reads += 1
        if self.broken is not None:
            raise self.broken
        if expected not in {None, self.in_mode}:
            raise OtherMode(self.in_mode)

    def order_book(self, expected: Mode | None = None) -> list[BrokerOrder]:
        self._readable(expected)
        return [
            BrokerOrder(
                o.order_id, o.request.contract, o.request.side, o.request.units, o.request.product.value,
                o.request.price_type.value, o.request.price, o.request.trigger_price, o.status, "10:30:00",
            )
            for o in self.standing
        ]  # fmt: skip

    def trade_book(self, expected: Mode | None = None) -> list[BrokerTrade]:
        self._readable(expected)
        return self.trades[: len(self.trades) - self.trades_hidden]

    def position_book(self, expected: Mode | None = None) -> list[BrokerPosition]:
        self._readable(expected)
        keys = {o.request.contract for o in self.standing if o.filled} | set(self.foreign)
        average = Decimal("100.3333333333")
        return [BrokerPosition(key, "MIS", Units(self.net(key)), average, None, None) for key in sorted(keys)]

    def mode(self) -> Mode:
        return self.in_mode

    def broker(self) -> str:
        return "pretend"

    def funds(self) -> Funds:
        if self.broken_funds is not None:
            raise self.broken_funds
        return Funds(Decimal(1_000_000), None, None, None, None)
