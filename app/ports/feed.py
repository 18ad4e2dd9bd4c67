"""Pushed market data and order updates of one gateway, as the WebSocket manager sees them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Protocol

from app.domain.books import OrderUpdate
from app.domain.contracts import ContractKey
from app.ports.gateway import GatewayAddress


class FeedMode(IntEnum):
    """How much of a contract is pushed; each contains the ones before."""

    LTP = 1
    QUOTE = 2
    DEPTH = 3


Levels = tuple[tuple[float, int], ...]
"""(price, units), best first."""


class Figures(Protocol):
    """What a tick says besides its price. May be worked out when it is read: most ticks are replaced unread."""

    @property
    def open(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...

    @property
    def low(self) -> float | None: ...

    @property
    def previous_close(self) -> float | None: ...

    @property
    def volume(self) -> int | None: ...

    @property
    def bids(self) -> Levels: ...

    @property
    def asks(self) -> Levels: ...


@dataclass(frozen=True, slots=True)
class PlainFigures:
    """Figures that are there already."""

    open: float | None = None
    high: float | None = None
    low: float | None = None
    previous_close: float | None = None
    volume: int | None = None
    bids: Levels = ()
    asks: Levels = ()


class Tick:
    """One decoded market-data frame. Everything but `ltp` may be missing: None then, never 0.

    Prices are floats as on the wire; the price board makes Decimals of those that anybody asks for. `stamp` is the
    exchange's time when the frame has one, in seconds since 1970; `dated` says that it is the time of the frame, not
    of the last trade, which may be long ago while the price still stands. Nobody changes a tick.
    """

    __slots__ = ("dated", "figures", "has_close", "has_touch", "key", "ltp", "stamp")

    def __init__(
        self,
        key: ContractKey,
        ltp: float,
        at: datetime | None,
        *,
        open: float | None = None,  # noqa: A002 - the figure's name
        high: float | None = None,
        low: float | None = None,
        previous_close: float | None = None,
        volume: int | None = None,
        bids: Levels = (),
        asks: Levels = (),
    ) -> None:
        self.key = key
        self.ltp = ltp
        self.stamp = None if at is None else at.timestamp()
        self.dated = at is not None
        self.figures: Figures = PlainFigures(open, high, low, previous_close, volume, bids, asks)
        self.has_close = previous_close is not None
        self.has_touch = bool(bids or asks)

    @property
    def at(self) -> datetime | None:
        """The exchange's time, aware UTC."""
        return None if self.stamp is None else datetime.fromtimestamp(self.stamp, UTC)


class Drop(StrEnum):
    """Why market data that came was not used."""

    MISSING = "no price in it"
    NOT_A_NUMBER = "price is no number"
    ZERO = "price of zero"
    NEGATIVE = "negative price"
    OUT_OF_BAND = "absurd price"
    OLDER = "older than the last"
    NAMELESS = "of no contract"
    UNASKED = "of a contract nobody asked for"
    NOT_JSON = "not JSON"
    TOO_LARGE = "too large"
    UNREADABLE = "cannot be read"
    REFUSAL = "the gateway's own error"


def fault_of(price: float) -> Drop:
    """Of which kind a price is that is none."""
    if math.isnan(price):
        return Drop.NOT_A_NUMBER
    if price == 0:
        return Drop.ZERO
    return Drop.NEGATIVE if price < 0 else Drop.OUT_OF_BAND


class FeedListener(Protocol):
    """Called on the reader's thread: must return at once and must not raise."""

    def ticks(self, ticks: Sequence[Tick]) -> None:
        """What came together, in the order in which it came."""
        ...

    def order_update(self, update: OrderUpdate) -> None: ...

    def dropped_frame(self, kind: Drop, reason: str) -> None:
        """A frame that could not be used. Counted, never fatal."""
        ...


class FeedClosed(Exception):
    """The socket is gone; `str()` says why. The owner decides when to open a new one."""


class BrokerGone(FeedClosed):
    """The gateway lives and has no connection to its broker any more: a second login took its place, or it ended."""


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

    def ask_broker(self) -> None:
        """Ask whether the gateway still has its broker; the answer shows in `broker_gone`."""
        ...

    @property
    def broker_gone(self) -> bool:
        """The newest answer says that the gateway has let go of its broker: nothing more will be pushed."""
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
