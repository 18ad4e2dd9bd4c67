"""An account's OpenAlgo gateway, as the services see it: typed reads that raise, typed sends that never do.

Reads raise a GatewayError and never return a value that stands for failure. Sends return an Outcome for whatever
happens, because what happened to an order is a fact to keep and not an exception to lose.

    GatewayError
    ├── Unreachable      no connection: name, route, TLS, refused, connect time-out
    ├── TimedOut         connected, no answer in time
    ├── WrongKey         the gateway refuses the key, and says so to a call that needs no broker session as well
    ├── LoggedOut        the key is right, the broker session behind the gateway is not
    ├── RateLimited      the gateway's own limit; nothing reached the broker
    ├── OtherMode        a book of the other mode: sandbox orders where live ones are meant, or the reverse
    ├── NotOpenAlgo      something answers, but not in OpenAlgo's words
    └── GatewayRefused   any other answer with an error; `str()` is what the gateway said, made safe to show
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from app.domain.books import BrokerOrder, BrokerPosition, BrokerTrade, Funds, Holding, Quote
from app.domain.calendar_hours import Holiday
from app.domain.candles import MinuteBar
from app.domain.contracts import Contract, ContractKey, Product, Side
from app.domain.errors import Unavailable
from app.domain.money import Units
from app.domain.orders import ModifyRequest, OrderRequest
from app.domain.outcomes import Outcome
from app.domain.plan import Mode


class GatewayError(Unavailable):
    """A read failed. The sentence is fit for a trader; nothing was learnt from the read."""


class Unreachable(GatewayError): ...


class TimedOut(GatewayError): ...


class WrongKey(GatewayError): ...


class LoggedOut(GatewayError): ...


class RateLimited(GatewayError): ...


class OtherMode(GatewayError):
    """`mode` is the one that the gateway is in."""

    def __init__(self, mode: Mode) -> None:
        super().__init__(f"The gateway is in {mode.value} mode and shows the orders of that mode, which prove nothing.")
        self.mode = mode


class NotOpenAlgo(GatewayError): ...


class GatewayRefused(GatewayError): ...


class Resting(GatewayError):
    """Nothing was asked: this gateway has been failing, and is left alone for some seconds."""


@dataclass(frozen=True, slots=True)
class GatewayAddress:
    """How to reach one account's gateway. `api_key` is secret: the repr hides it."""

    host_url: str
    websocket_url: str
    api_key: str

    def __repr__(self) -> str:
        return f"GatewayAddress({self.host_url})"


@dataclass(frozen=True, slots=True)
class MarginLeg:
    """One leg of a basket whose margin is asked for."""

    contract: ContractKey
    side: Side
    units: Units
    product: Product
    price: Decimal


@dataclass(frozen=True, slots=True)
class TradingHours:
    """Opening and closing instants (aware UTC) of one exchange on the asked date."""

    exchange: str
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class MinuteHistory:
    """Minutes in their order, each once. `dropped` counts rows that made no sense: no price, a high below the low, two
    that contradict each other. Nothing is said yet of whether they lie in a session: see `domain.history_check`.
    """

    bars: tuple[MinuteBar, ...]
    dropped: int


LotOf = Callable[[str, date], int | None]
"""Units in a lot of an index's contracts of an expiry; None where nobody knows."""


def no_lot(_underlying: str, _expiry: date) -> int | None:
    """Nobody knows but the gateway."""
    return None


class Gateway(Protocol):
    """One account's gateway. Thread-safe: lanes, reconciler and pages share one object per account."""

    def broker(self) -> str:
        """The broker's name as the gateway gives it; `simulator` for ours."""
        ...

    def mode(self) -> Mode:
        """LIVE or PAPER (analyzer). The switch is of the whole gateway."""
        ...

    def funds(self) -> Funds: ...

    def order_book(self, expected: Mode | None = None) -> list[BrokerOrder]:
        """Raises OtherMode when it is not the book of the `expected` mode; None takes either."""
        ...

    def trade_book(self, expected: Mode | None = None) -> list[BrokerTrade]:
        """As `order_book`."""
        ...

    def position_book(self, expected: Mode | None = None) -> list[BrokerPosition]:
        """As `order_book`."""
        ...

    def holdings(self) -> list[Holding]: ...

    def quotes(self, keys: Sequence[ContractKey]) -> dict[ContractKey, Quote]:
        """Quotes of those contracts that have one; a contract with none, or with a price of 0, is left out."""
        ...

    def contracts(self, exchange: str, underlyings: Sequence[str], lot_of: LotOf = no_lot) -> list[Contract]:
        """Today's options and futures of those indices on NFO or BFO. Freeze limits are not in this list.

        `lot_of` is asked for the units in a lot of an index and expiry that the gateway lists without; what it does
        not know either is left out.
        """
        ...

    def freeze_limits(self, exchange: str, underlying: str) -> Units | None:
        """Most units in one order for contracts of that index; None when the gateway does not know (it says 1)."""
        ...

    def basket_margin(self, legs: Sequence[MarginLeg]) -> Decimal:
        """Rupees the broker asks for the legs together. A gateway drops legs it does not know: validate first."""
        ...

    def trading_hours(self, day: date) -> list[TradingHours]:
        """Hours of each exchange open on that date; an exchange not listed is closed."""
        ...

    def holidays(self, year: int) -> list[Holiday]:
        """The holiday list of that year as it is given; an empty one does not mean a year without holidays."""
        ...

    def minute_history(self, key: ContractKey, first: date, last: date) -> MinuteHistory:
        """What that contract or index did in each minute of those dates, both included; empty where nothing is known.

        The newest minute may be unfinished. A gateway serves one such call in 350 ms and may need seconds for it.
        """
        ...

    def day_interest(self, key: ContractKey, first: date, last: date) -> dict[date, int]:
        """Units of open interest at the end of each trading date from `first` to `last` that the gateway knows.

        Many brokers give none, or 0 where they know nothing. A gateway serves one such call in 350 ms.
        """
        ...

    def place(self, request: OrderRequest, *, expected: Mode) -> Outcome:
        """Send one order, once. Never raises and never repeats. Blocks until answered or timed out (125 s)."""
        ...

    def cancel(self, order_id: str, tag: str) -> Outcome:
        """Ask for a cancel. The answer settles nothing: the order book does."""
        ...

    def modify(self, request: ModifyRequest) -> Outcome:
        """Ask for new prices of an order, once. The answer settles nothing: the order book does. Never raises."""
        ...

    def close(self) -> None:
        """Drop kept connections. Calls after this open new ones."""
        ...


class GatewayFactory(Protocol):
    """Makes the gateway object of an address, without calling it."""

    def __call__(self, address: GatewayAddress) -> Gateway: ...
