"""What an account is to the rest of the desk: as typed, as stored, and who asks."""

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from app.domain.day_limits import NO_LIMITS, DayLimits
from app.domain.plan import Mode
from app.persistence.tables import AccountGroup, TradingAccount

SIMULATOR = "simulator"
"""The name our own simulator gives as its broker."""


class AccountState(StrEnum):
    """PAUSED takes no entries; exits and watching go on. HALTED is the same, set by the engine: a reply came in the
    other mode, or its order was held for approval. ARCHIVED is kept for the record and takes part in nothing.
    """

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    HALTED = "HALTED"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True)
class AccountForm:
    """What is typed about an account. `api_key` empty means: keep the stored one, where there is one.

    `orders_per_second` None: as the settings say. `limits` are of a day. `max_leg_lots` is the most lots a run takes
    of any leg in it, None for no cap.
    `multiplier` is what it takes part by where nothing else is typed.
    `mis_cut_off` is India's time at which the broker begins to close intraday positions by itself; None: as
    the market rules say.
    """

    name: str
    host_url: str
    websocket_url: str
    api_key: str
    notes: str = ""
    orders_per_second: int | None = None
    limits: DayLimits = NO_LIMITS
    mis_cut_off: time | None = None
    max_leg_lots: int | None = None
    multiplier: Decimal = Decimal(1)

    def __repr__(self) -> str:
        return f"AccountForm({self.name!r}, {self.host_url!r})"


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as stored, without its key. `feed_rank` 0 is the primary source of prices."""

    id: int
    owner_id: int
    name: str
    broker: str
    host_url: str
    websocket_url: str
    expected_mode: Mode
    state: AccountState
    feed_rank: int
    multiplier: Decimal
    notes: str
    created_at: datetime
    orders_per_second: int | None = None
    limits: DayLimits = NO_LIMITS
    mis_cut_off: time | None = None
    max_leg_lots: int | None = None

    @property
    def is_simulator(self) -> bool:
        return self.broker == SIMULATOR


class Actor(Protocol):
    """Who asks: their id, name, and whether they are an admin."""

    @property
    def id(self) -> int: ...
    @property
    def username(self) -> str: ...
    @property
    def is_admin(self) -> bool: ...


def limits_of(place: TradingAccount | AccountGroup) -> DayLimits:
    return DayLimits(
        loss=place.max_day_loss,
        profit=place.max_day_profit,
        open_lots=place.max_open_lots,
        orders=place.max_day_orders,
        leaves=place.leaves_at_limit,
    )


def keep_limits(place: TradingAccount | AccountGroup, limits: DayLimits) -> None:
    place.max_day_loss, place.max_day_profit = limits.loss, limits.profit
    place.max_open_lots, place.max_day_orders = limits.open_lots, limits.orders
    place.leaves_at_limit = limits.leaves


def account_row(account: TradingAccount) -> AccountRow:
    return AccountRow(
        id=account.id,
        owner_id=account.owner_id,
        name=account.name,
        broker=account.broker,
        host_url=account.host_url,
        websocket_url=account.websocket_url,
        expected_mode=Mode(account.expected_mode),
        state=AccountState(account.state),
        feed_rank=account.feed_rank,
        multiplier=account.multiplier,
        notes=account.notes,
        orders_per_second=account.orders_per_second,
        max_leg_lots=account.max_leg_lots,
        limits=limits_of(account),
        mis_cut_off=account.mis_cut_off,
        created_at=account.created_at,
    )
