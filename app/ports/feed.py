"""Pushed market data and order updates of one gateway, as the WebSocket manager sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from app.domain.books import OrderUpdate
from app.domain.contracts import ContractKey
from app.ports.gateway import GatewayAddress


class FeedMode(IntEnum):
    """How much of a contract is pushed; each contains the ones before."""

    LTP = 1
    QUOTE = 2
    DEPTH = 3


@dataclass(slots=True)
class Tick:
    """One decoded market-data frame. Everything but `ltp` may be missing: None then, never 0.

    Prices are floats as on the wire; the price board makes Decimals of those that anybody asks for.
    `at` is the exchange's time when the frame has one. `bids` and `asks` are (price, units) best first.
    """

    key: ContractKey
    ltp: float
    at: datetime | None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    previous_close: float | None = None
    volume: int | None = None
    bids: tuple[tuple[float, int], ...] = ()
    asks: tuple[tuple[float, int], ...] = ()


class FeedListener(Protocol):
    """Called on the reader's thread: must return at once and must not raise."""

    def tick(self, tick: Tick) -> None: ...

    def order_update(self, update: OrderUpdate) -> None: ...

    def dropped_frame(self, reason: str) -> None:
        """A frame that could not be used: not JSON, no price, too large. Counted, never fatal."""
        ...


class FeedClosed(Exception):
    """The socket is gone; `str()` says why. The owner decides when to open a new one."""


class Feed(Protocol):
    """One authenticated socket to one gateway. `read` is for one thread; `subscribe` may be called from another."""

    def subscribe(self, keys: Sequence[ContractKey], mode: FeedMode) -> None:
        """Ask, in one frame. The confirmation arrives through `read` and shows in `confirmed()`."""
        ...

    def unsubscribe(self, keys: Sequence[ContractKey], mode: FeedMode) -> None: ...

    def subscribe_orders(self) -> None: ...

    def ping(self) -> None:
        """Ask for the gateway's time; the answer shows in `last_pong`."""
        ...

    @property
    def last_pong(self) -> float | None:
        """When the newest answer to a ping came, on the monotonic clock; None before the first."""
        ...

    @property
    def gateway_ms(self) -> int | None:
        """The gateway's clock at that answer, epoch milliseconds."""
        ...

    def read(self, timeout_s: float) -> bool:
        """Deliver what arrives within the time to the listener. False when nothing came. Raises FeedClosed."""
        ...

    def confirmed(self) -> frozenset[ContractKey]: ...

    def refused(self) -> dict[ContractKey, str]: ...

    def close(self) -> None: ...


class FeedFactory(Protocol):
    """Opens and authenticates a feed. Raises a GatewayError from app.ports.gateway when that fails."""

    def __call__(self, address: GatewayAddress, listener: FeedListener) -> Feed: ...
