"""Rows of the merged books, as the pages show them. Numbers are raw; None is unknown."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

R = TypeVar("R")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Source:
    """How one account's book came: `read` just now, or `unreadable` with the time of the last good copy, if any."""

    account: str
    state: str
    age_s: float | None
    at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Merged(Generic[R, S]):
    """A book of all accounts. `summary` is None when there are no rows."""

    rows: tuple[R, ...]
    summary: S | None
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """An order at a broker, or an intent of ours that no book shows. `filled_units` None: not known.

    A foreign one with a run was adopted by that.
    """

    account: str
    at: datetime | str | None
    contract: str
    side: str
    product: str
    price_type: str
    units: int
    lot_size: int | None
    filled_units: int | None
    price: Decimal | None
    trigger_price: Decimal | None
    average: Decimal | None
    state: str
    message: str | None
    purpose: str | None
    run_id: int | None
    foreign: bool
    broker_id: str | None


@dataclass(frozen=True, slots=True)
class OrderSummary:
    orders: int
    open: int
    unknown: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLine:
    account: str
    at: datetime | str | None
    contract: str
    side: str
    product: str
    units: int
    lot_size: int | None
    price: Decimal
    value: Decimal
    run_id: int | None
    foreign: bool
    broker_id: str


@dataclass(frozen=True, slots=True)
class TradeSummary:
    trades: int
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """`net` is signed. Money is from our own fills; of a foreign position it is the broker's own figure, if any."""

    account: str
    contract: str
    product: str
    net: int
    lot_size: int | None
    average: Decimal | None
    ltp: Decimal | None
    age_s: float | None
    realised: Decimal | None
    unrealised: Decimal | None
    mtm: Decimal | None
    run_id: int | None
    foreign: bool


@dataclass(frozen=True, slots=True)
class PositionSummary:
    """`positions` counts those that are not flat. Money is None as soon as one row's is not known."""

    positions: int
    realised: Decimal | None
    unrealised: Decimal | None
    mtm: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingLine:
    account: str
    contract: str
    units: int
    average: Decimal | None
    ltp: Decimal | None
    value: Decimal | None
    pnl: Decimal | None


@dataclass(frozen=True, slots=True)
class HoldingSummary:
    holdings: int
    value: Decimal | None
    pnl: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsLine:
    """An account's funds; `account_id` finds its state and mode. All money None when never read."""

    account_id: int
    account: str
    available: Decimal | None
    collateral: Decimal | None
    used: Decimal | None
    used_pct: int | None
    realised: Decimal | None
    unrealised: Decimal | None
    at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class FundsSummary:
    available: Decimal | None
    collateral: Decimal | None
    used: Decimal | None
    realised: Decimal | None
    unrealised: Decimal | None
