"""What an account's gateway reports: orders, trades, positions, holdings and funds, in our own types.

A book is what was read at one moment. A failed read is an error and never an empty book.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from app.domain.contracts import ContractKey, Side
from app.domain.money import Units

T = TypeVar("T")


class OrderStatus(StrEnum):
    """The broker's word, normalised. A word we do not know is OPEN: never final on a guess."""

    OPEN = "open"
    TRIGGER_PENDING = "trigger pending"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        return self in {OrderStatus.COMPLETE, OrderStatus.CANCELLED, OrderStatus.REJECTED}


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """One row of an order book. `contract` is None when the gateway could not name it.

    `filled` and `average` are None where the book does not carry them (live books do not): ask the trade book.
    `placed_at` is the broker's own text, for display only.
    """

    order_id: str
    contract: ContractKey | None
    side: Side
    units: Units
    product: str
    price_type: str
    price: Decimal
    trigger_price: Decimal
    status: OrderStatus
    placed_at: str
    filled: Units | None = None
    average: Decimal | None = None
    reject_reason: str | None = None


@dataclass(frozen=True, slots=True)
class BrokerTrade:
    """One row of a trade book: a fill, or part of one.

    Live rows have no id of their own: the same row may stand twice and be two fills.
    """

    order_id: str
    contract: ContractKey | None
    side: Side
    units: Units
    price: Decimal
    product: str
    traded_at: str


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """Net position of an account in one contract and product. `net` is signed: + long, - short, 0 closed today.

    `average` and `pnl` are the broker's own figures, None when missing or not credible; ours are computed from fills.
    """

    contract: ContractKey | None
    product: str
    net: Units
    average: Decimal | None
    ltp: Decimal | None
    pnl: Decimal | None


@dataclass(frozen=True, slots=True)
class Holding:
    """Delivered shares in the account. Money figures are None where the broker leaves them out."""

    contract: ContractKey | None
    units: Units
    product: str
    average: Decimal | None
    pnl: Decimal | None


@dataclass(frozen=True, slots=True)
class Funds:
    """Rupees an account can use. Any figure a broker leaves out is None, never 0."""

    available: Decimal
    collateral: Decimal | None
    used: Decimal | None
    realised: Decimal | None
    unrealised: Decimal | None


@dataclass(frozen=True, slots=True)
class Quote:
    """A REST quote. Carries no time of its own. `bid`/`ask` are None when the gateway says 0: index, or nobody."""

    ltp: Decimal
    bid: Decimal | None
    ask: Decimal | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    previous_close: Decimal | None
    volume: int | None
    open_interest: int | None


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """A pushed change of one order. `filled` is cumulative; `average` is None until something filled.

    `product` and `price_type` are empty, `price` and `trigger_price` 0 where the push does not say.
    """

    order_id: str
    contract: ContractKey | None
    side: Side
    units: Units
    status: OrderStatus
    filled: Units
    average: Decimal | None
    reject_reason: str | None
    mode: str
    product: str = ""
    price_type: str = ""
    price: Decimal = Decimal(0)
    trigger_price: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """Something read from a gateway, and when the read was answered."""

    value: T
    at: datetime
