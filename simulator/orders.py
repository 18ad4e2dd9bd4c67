"""Orders as the simulator knows them: requests in, views out, and the three ways a request can be answered."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from simulator.quotes import ContractKey

Action = Literal["BUY", "SELL"]
PriceType = Literal["MARKET", "LIMIT", "SL", "SL-M"]
Product = Literal["CNC", "NRML", "MIS"]
OrderStatus = Literal["open", "complete", "rejected", "cancelled", "trigger pending"]

FINAL: frozenset[OrderStatus] = frozenset({"complete", "rejected", "cancelled"})
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a client asks for. `units` > 0; prices are rupees, zero where the price type has none."""

    symbol: str
    exchange: str
    action: Action
    units: int
    pricetype: PriceType = "MARKET"
    product: Product = "MIS"
    price: Decimal = ZERO
    trigger_price: Decimal = ZERO
    strategy: str = ""

    @property
    def key(self) -> ContractKey:
        """The contract it is about."""
        return ContractKey(self.symbol, self.exchange)


@dataclass(frozen=True, slots=True)
class ModifyRequest:
    """New values of a working order. `units` is the new total, filled part included."""

    orderid: str
    units: int
    pricetype: PriceType
    price: Decimal = ZERO
    trigger_price: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker gave an order id; `message` is the gateway's sentence, empty where it sends none.

    The order may still be rejected a moment later.
    """

    orderid: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """No, with the broker's sentence and the HTTP status it travels under.

    `orderid` is non-empty only where the gateway stores a rejected order and names it next to the error.
    """

    text: str
    http_status: int
    orderid: str = ""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The wire must cut the connection without a reply. What became of the request is in the books, perhaps later."""


@dataclass(frozen=True, slots=True)
class Queued:
    """Semi-automatic mode: waiting for a human's approval, no order id."""

    pending_order_id: int


OrderReply = Accepted | Refused | Unanswered | Queued


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as a book shows it. `average_price` is over its fills, zero without any."""

    orderid: str
    symbol: str | None
    """None only under the fault symbol_null."""
    exchange: str
    action: Action
    units: int
    filled_units: int
    pending_units: int
    pricetype: str
    product: str
    price: Decimal
    """The limit; for MARKET the reference price in analyze mode, zero live."""
    trigger_price: Decimal
    average_price: Decimal
    status: str
    """One of OrderStatus unless a fault sends another word."""
    rejection_reason: str
    strategy: str
    placed_at: datetime
    updated_at: datetime
    mode: Literal["live", "analyze"]


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. `price` in rupees, `at` virtual UTC, `tradeid` in the sandbox's style."""

    orderid: str
    tradeid: str
    symbol: str
    exchange: str
    action: Action
    product: Product
    units: int
    price: Decimal
    at: datetime
    strategy: str

    @property
    def signed_units(self) -> int:
        """Positive bought, negative sold."""
        return self.units if self.action == "BUY" else -self.units


@dataclass(frozen=True, slots=True)
class CancelAllReply:
    """Ids cancelled, and ids with the sentence why not."""

    cancelled: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CloseAllReply:
    """Counts of positions for which an opposite market order was accepted or refused."""

    closed: int
    failed: int
