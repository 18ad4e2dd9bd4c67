"""What others may know of the price feed: who serves it, how well, and what happened to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.domain.contracts import ContractKey
from app.ports.feed import Drop


class FeedPhase(StrEnum):
    """OFF: nothing is wanted, or there is no account. LOST: no socket just now; it is being tried again.

    LIVE: prices come, or the market is closed. LATE: the socket stands, the market is open and no price comes.
    """

    OFF = "off"
    LOST = "lost"
    LIVE = "live"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class FeedState:
    """A picture of one moment. `account_id` and `account_name` are None while no account serves.

    `since` is when this phase began. `last_tick_age_s` is None until a first price. `wanted` and `confirmed` count
    contracts; `refused` are those the gateway will not serve, with its words. `last_cause` is why the feed was lost
    the last time, empty if it never was. `drops` counts since the start what came and was not used, by kind.
    """

    account_id: int | None
    account_name: str | None
    phase: FeedPhase
    since: datetime
    last_tick_age_s: float | None
    wanted: int
    confirmed: int
    refused: tuple[tuple[ContractKey, str], ...]
    failovers: int
    last_cause: str
    drops: Mapping[Drop, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failover:
    """The feed moved to another account. `lost_s` is how long there was no feed at all; 0 when it moved unbroken."""

    at: datetime
    from_account: int
    from_name: str
    to_account: int
    to_name: str
    cause: str
    lost_s: float

    def __str__(self) -> str:
        gap = f"after {self.lost_s:.1f} s without any" if self.lost_s else "without a gap"
        return f"Prices come from {self.to_name} instead of {self.from_name}, {gap}. {self.cause}"
