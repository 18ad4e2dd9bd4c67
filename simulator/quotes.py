"""What the market says about a contract: quote, five-level depth, bar. Prices are float rupees already on the tick."""

from dataclasses import dataclass
from typing import NamedTuple


class ContractKey(NamedTuple):
    """Names a contract the way the gateway does; symbols are unique within an exchange only."""

    symbol: str
    exchange: str


@dataclass(frozen=True, slots=True)
class Quote:
    """One moment's figures. bid and ask are 0.0 for an index and outside trading hours; volume and oi are units."""

    ltp: float
    bid: float
    ask: float
    open: float
    high: float
    low: float
    prev_close: float
    volume: int
    oi: int
    ltq: int
    """Units of the last trade."""
    average_price: float
    """Volume-weighted price of the day so far; 0.0 before the first trade."""
    last_trade_ms: int
    """Virtual epoch milliseconds of the last trade."""


@dataclass(frozen=True, slots=True)
class DepthLevel:
    """One price level: units waiting and how many orders they belong to."""

    price: float
    units: int
    orders: int


@dataclass(frozen=True, slots=True)
class Depth:
    """Five levels a side, best first; an index has five zero levels a side."""

    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]
    total_buy_units: int
    total_sell_units: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One candle. `timestamp` is epoch seconds of its start (daily: 00:00 UTC of the date, as the gateway sends)."""

    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    oi: int


@dataclass(frozen=True, slots=True)
class Greeks:
    """Black-76 greeks of one option: theta per calendar day, vega per volatility point, implied volatility percent."""

    implied_volatility: float
    delta: float
    gamma: float
    theta: float
    vega: float
    rho: float
